"""Results to keep, made by hand, and how to tell that two are the same without asking the code that keeps them."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import numpy as np
from PIL import Image

from xai_core.engine.results.store import FILE, Store
from xai_core.results import Attribution, Check

OWNER = "the browser of whoever made it"
ROOT = Path(__file__).resolve().parents[3]
LIGHT = f"""
import os, random, sys, time, types
sys.path.insert(0, {str(ROOT)!r})
# Without its __init__, which loads PyTorch for seconds.
package = sys.modules["xai_core"] = types.ModuleType("xai_core")
package.__path__ = [{str(ROOT / "xai_core")!r}]
from pathlib import Path
from tests.engine.results.store_helpers import key, result, same, share
from xai_core.engine.results.store import Store
folder = Path(sys.argv[1])
"""


def key(number: object) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def result(number: int = 0, shape: tuple[int, ...] = (64, 64), **more: object) -> Attribution:
    """A result of noise, about 16 KB that cannot be packed smaller, and another one for every number."""
    basis: dict[str, object] = {
        "method": "lime",
        "model": "small_cnn",
        "layer": None,
        "target": (3, 5),
        "label": f"café {number}, not “tea”",
        "quantity": "difference of two logits",
        "params": {"samples": 300, "width": 0.25, "baseline": "mean", "exact": True},
        "seed": 2**32 - 1,
        "evaluations": 301,
        "seconds": 0.1 + number,
        "image_sha256": "ab" * 32,
        "versions": {"torch": "2", "weights": "cd" * 32},
        "unit": "share",
        "checks": (
            Check("finite", "green", "All numbers are finite."),
            Check("surrogate_fit", "amber", "So so.", 0.1 + 0.2),
        ),
        "details": {"surrogate_r2": 1 / 3, "gap": float("nan"), "top": float("inf"), "zero": -0.0, "count": 3},
    }
    values = np.random.default_rng(number).normal(size=shape).astype(np.float32)
    return Attribution(values=values, **(basis | more))  # type: ignore[arg-type]


def same(first: Attribution | None, second: Attribution | None) -> bool:
    """Equal to the bit and the type, NaN and −0.0 too: text and bytes are compared, not numbers."""
    if (
        first is None
        or second is None
        or first.values.shape != second.values.shape
        or first.values.tobytes() != second.values.tobytes()
    ):
        return False
    names = [field.name for field in fields(Attribution) if field.name != "values"]
    return all(repr(getattr(first, name)) == repr(getattr(second, name)) for name in names)


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python that has `Store` and the functions above."""
    command = [sys.executable, "-c", LIGHT + script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def read_output(process: subprocess.Popen[str], seconds: float = 60) -> str:
    """Return the output of a child process; its failure is the test's."""
    text, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, text
    return text


class Clock:
    """A clock that stands still until a test moves it."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def fill_store(folder: Path, count: int = 6) -> Path:
    """The file of a store with so many results, closed."""
    with closing(Store(folder)) as store:
        for number in range(count):
            store.put(key(number), result(number))
        assert not store.note
    return folder / FILE


def change(file: Path, statement: str, values: tuple[object, ...] = ()) -> int:
    """Change rows of the file behind the store's back; says how many."""
    with closing(sqlite3.connect(file)) as db, db:
        return db.execute(statement, values).rowcount


def share(store: Store, keys: list[str], picture: Image.Image | None = None) -> str:
    """Make a short link of OWNER to these results; its code."""
    return store.share(keys, "compare", {"model": "x"}, OWNER, picture).code


def works_in_memory(store: Store, number: int = 77) -> None:
    """Everything a store does, while it has no disk."""
    store.put(key(number), result(number))
    assert store.get(key(number)) is not None and store.note.endswith(".") and "/" not in store.note
    code = share(store, [key(number)], Image.new("RGB", (20, 20), "red"))
    share_row = store.shares.find(code)
    assert (
        share_row.results == (key(number),) and share_row.page == "compare" and dict(share_row.query) == {"model": "x"}
    )
    assert store.shares.picture(code).getpixel((3, 3)) == (255, 0, 0)
    assert store.shares.delete(code, OWNER + "x") is False and store.shares.picture(code) is not None
    assert store.shares.delete(code, OWNER) is True and store.shares.picture(code) is None
    assert store.counts().results >= 1
