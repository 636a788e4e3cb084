"""How long does a pass over a set take, decoding and writing included, against its forward passes and nothing else?"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.harness.array_contest import TableQuestion
from benchmarks.harness.contest import Bench, Floats
from xai_core.engine.backends.forward import forward_with_features
from xai_core.images import Picture
from xai_core.imageset.runs.inference import choose_layer, run_model
from xai_core.imageset.runs.loader import Pictures, Reader
from xai_core.imageset.sets.library import load_set

MOST = 1.15


@contextmanager
def _empty_shelf() -> Iterator[None]:
    """A data folder of its own for the time being, where nothing was kept before."""
    before = os.environ.get("WHYBOX_DATA")
    with tempfile.TemporaryDirectory(prefix="whybox-bench-", ignore_cleanup_errors=True) as folder:
        os.environ["WHYBOX_DATA"] = folder
        try:
            yield
        finally:
            os.environ.pop("WHYBOX_DATA")
            os.environ.update({} if before is None else {"WHYBOX_DATA": before})


@dataclass(frozen=True)
class _Some:
    """So many pictures of a set, from the start again where it has fewer."""

    pictures: Pictures
    count: int

    @property
    def id(self) -> str:
        return f"{self.count} of {self.pictures.id}"

    def __len__(self) -> int:
        return self.count

    def open(self, index: int) -> Picture:
        return self.pictures.open(index % len(self.pictures))


def question(bench: Bench, pictures: Pictures | None = None, count: int = 320) -> TableQuestion:
    """The limit runs the plain network, in the batches and side by side as is quickest, over pictures that were decoded
    before.
    """
    some = _Some(pictures or load_set("photo_crops"), count)
    reader, best = Reader(some, bench.model.preprocessing), bench.best_forward
    decoded = torch.cat([reader.tensor(row) for row in range(count)]).split(best.size)
    forward_with_features(bench.model, choose_layer(bench.model))  # built once for a model, so not part of a pass

    def ours() -> Floats:
        with _empty_shelf():
            return np.array(run_model(some, bench.model).logits)

    def limit() -> Floats:
        with ThreadPoolExecutor(best.lanes) as pool:
            return torch.cat(list(pool.map(bench.forward, decoded))).numpy()

    return TableQuestion(
        title=f"Pass over a set, {bench.model.title}",
        size=f"{count} pictures",
        ours=ours,
        peer="its forward passes",
        theirs=limit,
        most_ratio=MOST,
        most_difference=1e-3,
    )
