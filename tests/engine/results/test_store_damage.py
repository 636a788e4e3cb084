"""A damaged file, a damaged row and a dishonest one: a miss, a new file, a sentence, but never an exception and never
half a result.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.engine.results.store_helpers import (
    OWNER,
    Clock,
    change,
    child,
    fill_store,
    key,
    read_output,
    result,
    same,
    share,
    works_in_memory,
)
from xai_core.engine.results.faults import set_aside
from xai_core.engine.results.schema import SCHEMA
from xai_core.engine.results.store import FILE, Store
from xai_core.results import to_json

PHOTO = Image.new("RGB", (20, 20), "red")


@pytest.fixture
def clock() -> Clock:
    return Clock()


# A damaged file


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zeros(begin: int, end: int) -> object:
    return lambda data: data[:begin] + bytes(end - begin) + data[end:]


DAMAGE = {
    "not a database": lambda data: b"These are my holiday photographs. " * 1000,
    "half of it": half,
    "a page only": lambda data: data[:4096],
    "a few bytes": lambda data: data[:50],
    "no header": zeros(0, 100),
    "no tables": zeros(100, 4096),
    "no index": zeros(4096, 3 * 4096),
    "everything but the header": lambda data: data[:100] + b"\xff" * (len(data) - 100),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_put_aside(tmp_path, clock, name):
    file = fill_store(tmp_path)
    damaged = DAMAGE[name](file.read_bytes())
    file.write_bytes(damaged)
    with closing(Store(tmp_path, clock=clock)) as store:
        results = [store.get(key(number)) for number in range(6)]
        assert (
            all(item is None or same(item, result(number)) for number, item in enumerate(results)) and None in results
        )
        store.put(key(50), result(50))
        assert "damaged" in store.note and store.get(key(50)) is not None
        store.put(key(51), result(51))
    aside = tmp_path / f"{FILE}.corrupt-{int(clock.now)}"
    assert len(aside.read_bytes()) >= len(damaged) - 4096, "moved, not deleted"
    with closing(Store(tmp_path)) as store:
        assert same(store.get(key(50)), result(50)) and same(store.get(key(51)), result(51)) and not store.note


def test_a_file_cut_in_its_last_page(tmp_path):
    file = fill_store(tmp_path)
    file.write_bytes(file.read_bytes()[:-1000])
    with closing(Store(tmp_path)) as store:
        results = [store.get(key(number)) for number in range(6)]
        assert (
            all(item is None or same(item, result(number)) for number, item in enumerate(results)) and None in results
        )
        store.put(key(50), result(50))
        assert same(store.get(key(50)), result(50))


def test_an_empty_file_is_simply_filled(tmp_path):
    (tmp_path / FILE).touch()
    fill_store(tmp_path)
    with closing(Store(tmp_path)) as store:
        assert same(store.get(key(5)), result(5)) and not store.note


def test_only_the_last_damaged_file_is_kept_and_no_old_log_is_read(tmp_path, clock):
    for _ in range(3):
        clock.now += 100
        (tmp_path / FILE).write_bytes(b"no" * 5000)
        (tmp_path / f"{FILE}-wal").write_bytes(b"old log" * 5000)
        with closing(Store(tmp_path, clock=clock)) as store:
            store.put(key(1), result(1))
            assert same(store.get(key(1)), result(1))
    names = sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(("-wal", "-shm")))
    assert names == [FILE, f"{FILE}.corrupt-{int(clock.now)}"]


def test_the_log_goes_aside_with_its_file(tmp_path):
    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"{FILE}{ending}").write_text(ending)
    set_aside(tmp_path / FILE, 7.9)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        f"{FILE}.corrupt-7{end}": end for end in ("", "-wal", "-shm")
    }


def test_a_foreign_database_is_not_written_into(tmp_path):
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("CREATE TABLE results (mine TEXT)")
        db.execute("INSERT INTO results VALUES ('precious')")
    with closing(Store(tmp_path)) as store:
        store.put(key(1), result(1))
        assert "set aside" in store.note
    (aside,) = tmp_path.glob("*.corrupt-*")
    with closing(sqlite3.connect(aside)) as db:
        assert db.execute("SELECT mine FROM results").fetchall() == [("precious",)]


def test_a_file_damaged_while_it_is_open(tmp_path):
    with closing(Store(tmp_path, memory_bytes=100_000)) as store:
        for number in range(300):
            store.put(key(number), result(number, (32, 32)))
        size = (tmp_path / FILE).stat().st_size
        spoil = "f = open(folder / 'results.sqlite', 'r+b'); f.seek(0); f.write(b'x' * int(sys.argv[2]))"
        read_output(child(spoil, tmp_path, size))
        os.truncate(tmp_path / f"{FILE}-wal", 0)
        for number in range(300):
            results = store.get(key(number))
            assert results is None or same(results, result(number, (32, 32)))
        store.put(key(1), result(1))
        assert same(store.get(key(1)), result(1)) and store.note
        store.put(key(2), result(2))
        assert "damaged" in store.note
    with closing(Store(tmp_path)) as store:
        assert same(store.get(key(1)), result(1)) and same(store.get(key(2)), result(2)) and not store.note


def test_a_file_deleted_under_us_is_begun_anew(tmp_path):
    with closing(Store(tmp_path / "data")) as store:
        store.put(key(1), result(1))
        shutil.rmtree(tmp_path / "data")
        store.put(key(2), result(2))
        assert not store.note and store.get(key(1)) is not None
    with closing(Store(tmp_path / "data")) as store:
        assert same(store.get(key(2)), result(2))


def test_a_newer_file_is_left_alone(tmp_path):
    file = fill_store(tmp_path)
    change(file, f"PRAGMA user_version = {SCHEMA + 1}")
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    with closing(Store(tmp_path)) as store:
        assert store.get(key(1)) is None
        works_in_memory(store)
        assert "newer Whybox" in store.note
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    assert [path.name for path in tmp_path.iterdir() if "corrupt" in path.name] == []


# A damaged or dishonest row


@pytest.mark.parametrize("column", ["about", "npz", "sha256", "key"])
def test_one_wrong_bit_makes_a_miss_and_the_row_goes(tmp_path, column):
    file = fill_store(tmp_path)
    rng = np.random.default_rng(3)
    for number in range(4):
        with closing(sqlite3.connect(file)) as db:
            (value,) = db.execute(f"SELECT {column} FROM results WHERE key = ?", (key(number),)).fetchone()
        if column == "key":
            wrong: object = key(f"renamed {number}")
        else:
            spoiled = bytearray(value)
            spoiled[rng.integers(len(value))] ^= 1 << int(rng.integers(8))
            wrong = bytes(spoiled)
        assert change(file, f"UPDATE results SET {column} = ? WHERE key = ?", (wrong, key(number))) == 1
        with closing(Store(tmp_path)) as store:
            requested = str(wrong) if column == "key" else key(number)
            assert store.get(requested) is None and store.counts().misses == 1
            assert same(store.get(key(5)), result(5)) and not store.note
        with closing(sqlite3.connect(file)) as db:
            assert db.execute("SELECT count(*) FROM results WHERE key = ?", (requested,)).fetchone() == (0,)


@pytest.mark.parametrize("value", [7, 0.5, "text", "", b""], ids=repr)
@pytest.mark.parametrize("column", ["about", "npz", "sha256"])
def test_a_column_of_another_kind_makes_a_miss(tmp_path, column, value):
    file = fill_store(tmp_path, 2)
    change(file, f"UPDATE results SET {column} = ? WHERE key = ?", (value, key(0)))
    with closing(Store(tmp_path)) as store:
        assert store.get(key(0)) is None and store.get(key(1)) is not None and not store.note
        assert store.counts().results == 1


def test_a_damaged_picture_is_none(tmp_path):
    fill_store(tmp_path)
    with closing(Store(tmp_path)) as store:
        code = share(store, [key(0)], PHOTO)
    for wrong in (b"", b"\x89PNG", 7, "x"):
        change(tmp_path / FILE, "UPDATE shares SET png = ?", (wrong,))
        with closing(Store(tmp_path)) as store:
            assert store.shares.picture(code) is None and store.shares.find(code) and store.get(key(0)) is not None
    with closing(Store(tmp_path)) as store:
        assert store.shares.delete(code, OWNER)


def test_a_damaged_link_is_none(tmp_path):
    fill_store(tmp_path)
    with closing(Store(tmp_path)) as store:
        code = share(store, [key(0)], PHOTO)
    for wrong in (b"", b"[]", b"{", 7, "x", b'{"page": "compare"}'):
        change(tmp_path / FILE, "UPDATE shares SET about = ?", (wrong,))
        with closing(Store(tmp_path)) as store:
            assert store.shares.find(code) is None and not store.shares.delete(code, OWNER) and not store.note


def forge(file: Path, text: bytes, npz: bytes) -> None:
    """Write a row whose sum is right, as somebody with a hand on the disk may."""
    parts = (key(0).encode(), text, npz)
    digest = hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
    assert (
        change(file, "UPDATE results SET sha256 = ?, about = ?, npz = ? WHERE key = ?", (digest, text, npz, key(0)))
        == 1
    )


def pack_row(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def in_zip(name: str, data: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("exploded",))


TEXT = json.dumps(to_json(result(0))).encode()
VALUES = pack_row(values=result(0).values)
ONES = npy(np.ones((3, 3), np.float32))
FORGED = {
    "pickled numbers": (TEXT, pack_row(values=np.array([[Bomb()]], dtype=object))),
    "doubles": (TEXT, pack_row(values=np.ones((3, 3)))),
    "one dimension": (TEXT, pack_row(values=np.ones(3, np.float32))),
    "four dimensions": (TEXT, pack_row(values=np.ones((1, 1, 3, 3), np.float32))),
    "another name": (TEXT, pack_row(numbers=np.ones((3, 3), np.float32))),
    "no archive": (TEXT, npy(np.ones((3, 3), np.float32))),
    "raw bytes": (TEXT, in_zip("values", b"bytes")),
    "far too large": (
        TEXT,
        in_zip("values.npy", ONES.replace(b"(3, 3), }" + b" " * 16, b"(9999999999, 9999999999), }")),
    ),
    "header that calls": (TEXT, in_zip("values.npy", ONES.replace(b"'<f4'", b"exit("))),
    "empty": (b"", b""),
    "not JSON": (b"{", VALUES),
    "a list": (b"[1, 2]", VALUES),
    "no UTF-8": (b"\xff\xfe\xff", VALUES),
    "very deep": (b"[" * 200_000, VALUES),
    "a huge number": (TEXT.replace(b"4294967295", b"9" * 10_000), VALUES),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_row_is_a_miss(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    file = fill_store(tmp_path / "data", 2)
    forge(file, TEXT, VALUES)
    with closing(Store(tmp_path / "data")) as store:
        assert same(store.get(key(0)), result(0)), "a row made by hand is taken when it is right"
    forge(file, *FORGED[name])
    with closing(Store(tmp_path / "data")) as store:
        assert store.get(key(0)) is None and store.get(key(1)) is not None and not store.note
    assert not (tmp_path / "exploded").exists()


def test_forged_bytes_of_any_kind_never_raise(tmp_path):
    """The outcome is a result or none; the sum is right each time, so only the parsers stand between."""
    file, rng = fill_store(tmp_path, 2), np.random.default_rng(0)
    small = pack_row(values=np.ones((3, 3), np.float32))
    with closing(Store(tmp_path, memory_bytes=0)) as store:
        for _ in range(300):
            text, npz = bytearray(TEXT), bytearray(small)
            for data in (text, npz):
                for _ in range(rng.integers(0, 3)):
                    data[rng.integers(len(data))] = rng.integers(256)
            with closing(sqlite3.connect(file)) as db, db:
                db.execute("INSERT OR IGNORE INTO results VALUES (?, 0, x'', x'', x'')", (key(0),))
            forge(file, bytes(text), bytes(npz))
            results = store.get(key(0))
            assert results is None or results.values.ndim in (2, 3)
        assert same(store.get(key(1)), result(1))


def test_a_file_with_bytes_flipped_anywhere(tmp_path):
    original = fill_store(tmp_path / "good").read_bytes()
    whole = missing = 0
    for seed in range(60):
        rng, spoiled = np.random.default_rng(seed), bytearray(original)
        for place in rng.integers(len(spoiled) if seed % 2 else 8192, size=int(rng.integers(1, 30))):
            spoiled[place] ^= int(rng.integers(1, 256))
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / FILE).write_bytes(spoiled)
        with closing(Store(folder)) as store:
            results = [store.get(key(number)) for number in range(6)]
            assert all(item is None or same(item, result(number)) for number, item in enumerate(results))
            whole, missing = whole + sum(item is not None for item in results), missing + results.count(None)
            store.put(key(50), result(50))
            assert same(store.get(key(50)), result(50))
            store.counts()
    assert whole > 50 and missing > 50, "both happen"
