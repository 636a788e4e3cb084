"""The store: what goes in comes out to the bit, the oldest goes first, links belong to their owners."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sqlite3
import threading
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.engine.results.store_helpers import OWNER, child, key, read_output, result, same, share
from xai_core.engine.results.store import FILE, Store
from xai_core.errors import UnknownName
from xai_core.results import Attribution, Check, attribution_from_json, to_json

ODD = {
    "as most are": result(),
    "channels": result(1, (3, 9, 7)),
    "one class": replace(result(2), target=7, layer="features.8", checks=()),
    "patches": replace(result(8), values=np.kron(result(8, (7, 7)).values, np.ones((32, 32)))),
    "a dot": replace(result(9), values=np.ones((1, 1))),
    "nothing said": replace(result(3), details={}, versions={}, params={}),
    "values that are no numbers": replace(result(4), values=np.array([[np.nan, -np.inf], [-0.0, 1e-45]], np.float32)),
    "numpy's numbers": result(5, details={"r": 0.1, "n": 2.5}),
    "half a letter": replace(result(6), label="\ud83d and \0"),
    "a check without a number": replace(
        result(7), checks=(Check("flat", "red", "Flat.", float("nan")), Check("a", "green", ""))
    ),
}


@pytest.fixture
def store(tmp_path):
    with closing(Store(tmp_path)) as result:
        yield result


def photo(number: int = 0, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8))


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def list_by_use(folder: Path) -> int:
    return (folder / FILE).stat().st_size


# What goes in comes out


@pytest.mark.parametrize("name", ODD)
def test_what_goes_in_comes_out_of_the_file(tmp_path, name):
    with closing(Store(tmp_path)) as store:
        store.put(key(name), ODD[name])
        assert store.get(key(name)) is ODD[name] and not store.note
    with closing(Store(tmp_path)) as store:
        result = store.get(key(name))
        assert same(result, ODD[name]) and result is not ODD[name]
        assert not result.values.flags.writeable and store.get(key("another")) is None


def test_plain_data_has_every_field_and_numpys_numbers_become_plain_ones():
    results = result(details={"r": np.float32(0.1), "n": np.int64(3)}, seconds=np.float64(0.5))
    plain = to_json(results)
    assert set(plain) == {field.name for field in fields(Attribution)} - {"values"}
    back = attribution_from_json(results.values, json.loads(json.dumps(plain)))
    assert (
        repr(back.details["r"]) == "0.10000000149011612"
        and repr(back.details["n"]) == "3"
        and repr(back.seconds) == "0.5"
    )
    assert all(
        repr(getattr(back, name)) == repr(getattr(results, name)) for name in set(plain) - {"details", "seconds"}
    )


@pytest.mark.parametrize("name", sorted(to_json(result())))
def test_plain_data_that_says_something_else_is_refused(name):
    good = to_json(result())
    for wrong in (object(), {"a": object()}, [1, 2, 3], [{"name": "n"}], b"bytes"):
        with pytest.raises(ValueError, match=name):
            attribution_from_json(result().values, good | {name: wrong})
    with pytest.raises(ValueError, match=name):
        attribution_from_json(result().values, {item: value for item, value in good.items() if item != name})


def test_the_file_needs_no_code_of_ours_to_be_read(tmp_path):
    with closing(Store(tmp_path)) as store:
        store.put(key(1), result(1))
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        [(name, digest, text, npz)] = db.execute("SELECT key, sha256, about, npz FROM results").fetchall()
        modes = [
            db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "user_version", "auto_vacuum", "integrity_check")
        ]
    with np.load(io.BytesIO(npz), allow_pickle=False) as archive:
        assert (
            archive.files == ["values"]
            and np.array_equal(archive["values"], result(1).values)
            and archive["values"].dtype == np.float32
        )
    words = json.loads(text)
    assert words["target"] == [3, 5] and words["seed"] == 2**32 - 1 and words["checks"][1]["value"] == 0.1 + 0.2
    assert words["details"]["surrogate_r2"] == 1 / 3 and np.isnan(words["details"]["gap"])
    parts = (name.encode(), text, npz)
    assert (
        name == key(1)
        and digest == hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
    )
    assert modes == ["wal", 2, 2, "ok"]


def test_a_map_of_patches_takes_little_room(tmp_path, store):
    store.put(key(1), ODD["patches"])
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        (size,) = db.execute("SELECT length(npz) FROM results").fetchone()
    assert size * 20 < ODD["patches"].values.nbytes


def test_a_result_put_again_is_the_last_one(tmp_path):
    with closing(Store(tmp_path)) as store:
        store.put(key(1), result(1))
        store.put(key(1), result(2))
        assert same(store.get(key(1)), result(2)) and store.counts().results == 1
    with closing(Store(tmp_path)) as store:
        assert same(store.get(key(1)), result(2))


@pytest.mark.parametrize(
    "odd", ["", "a" * 63, "A" * 64, key(1) + "\n", "../" * 20, "\ud83d" * 64, "%" * 64, "'; DROP TABLE results; --"]
)
def test_what_is_no_key_is_a_miss(store, odd):
    store.put(key(1), result(1))
    assert store.get(odd) is None and store.picture(odd) is None and store.forget_picture(odd, "token") is False
    with pytest.raises(ValueError, match="SHA-256"):
        store.put(odd, result())
    with pytest.raises(UnknownName):
        share(store, [key(1), odd], photo())
    assert store.get(key(1)) is not None and store.counts().misses == 1


def test_hits_are_counted_where_they_were(tmp_path):
    with closing(Store(tmp_path)) as store:
        store.put(key(1), result(1))
    with closing(Store(tmp_path)) as store:
        before = store.counts()
        for item in (1, 1, 1, 2):
            store.get(key(item))
        after = store.counts()
        assert (before.memory_hits, before.disk_hits, before.misses, before.memory_bytes, before.results) == (
            0,
            0,
            0,
            0,
            1,
        )
        assert (after.memory_hits, after.disk_hits, after.misses, after.results) == (2, 1, 1, 1)
        assert 64 * 64 * 4 <= after.memory_bytes <= 64 * 64 * 4 + 8192 and after.disk_bytes == list_by_use(tmp_path)


# The oldest goes first


def test_memory_keeps_what_was_used_last(tmp_path):
    size = 64 * 64 * 4
    (tmp_path / "file").touch()
    with closing(Store(tmp_path / "file" / "within", memory_bytes=size * 6)) as store:  # no disk
        for number in range(4):
            store.put(key(number), result(number))
        store.get(key(0))
        store.put(key(4), result(4))
        assert [store.get(key(number)) is not None for number in range(5)] == [True, False, True, True, True]
        store.put(key("huge"), result(9, (600, 600)))
        assert store.get(key(4)) is not None and store.counts().memory_bytes <= size * 6
    with closing(Store(tmp_path, memory_bytes=0)) as store:
        store.put(key(1), result(1))
        assert same(store.get(key(1)), result(1)) and store.counts().memory_bytes == 0, (
            "what memory cannot hold is on the disk"
        )


def test_the_disk_keeps_what_was_used_last_and_stays_below_its_limit(tmp_path):
    limit = 600_000
    with closing(Store(tmp_path, disk_bytes=limit)) as store:
        for number in range(20):
            store.put(key(number), result(number))
        for number in (1, 0):
            store.get(key(number))  # from memory: that is a use of the file's too
        for number in range(20, 40):
            store.put(key(number), result(number))
            assert store.counts().disk_bytes <= limit
        assert list_by_use(tmp_path) < 5 * limit and not store.note
    assert limit * 0.9 < list_by_use(tmp_path) <= limit
    with closing(Store(tmp_path, disk_bytes=limit)) as store:
        there = [number for number in range(40) if store.get(key(number)) is not None]
    assert there[:2] == [0, 1] and there[2:] == list(range(there[2], 40)) and len(there) > 20


def test_a_smaller_limit_gives_the_room_back(tmp_path):
    with closing(Store(tmp_path)) as store:
        for number in range(40):
            store.put(key(number), result(number))
    before = list_by_use(tmp_path)
    with closing(Store(tmp_path, disk_bytes=200_000)) as store:
        assert store.counts().disk_bytes <= 200_000 < before
    assert list_by_use(tmp_path) <= 200_000
    with closing(Store(tmp_path)) as store:
        assert same(store.get(key(39)), result(39)) and store.get(key(0)) is None


def test_reading_writes_nothing(tmp_path, store):
    for number in range(10):
        store.put(key(number), result(number))
    with closing(sqlite3.connect(tmp_path / FILE)) as db, closing(Store(tmp_path)) as second:
        before = db.execute("PRAGMA data_version").fetchone()
        assert all(second.get(key(number)) for number in range(10))
        assert db.execute("PRAGMA data_version").fetchone() == before
        second.put(key(10), result(10))
        assert db.execute("PRAGMA data_version").fetchone() != before, "the counter does move"


def test_a_link_lives_longest_but_the_limit_holds(tmp_path):
    limit = 300_000
    with closing(Store(tmp_path, disk_bytes=limit)) as store:
        store.put(key(0), result(0))
        codes = {0: share(store, [key(0)], photo())}
        for number in range(1, 40):
            store.put(key(number), result(number))
    with closing(Store(tmp_path, disk_bytes=limit)) as store:
        assert store.get(key(0)) is not None and store.get(key(1)) is None
        assert store.shares.find(codes[0]).has_picture and store.shares.picture(codes[0]) is not None
        for number in range(40, 70):
            store.put(key(number), result(number))
            codes[number] = share(store, [key(number)], photo(number))
            assert store.counts().disk_bytes <= limit
        assert not store.note
    with closing(Store(tmp_path, disk_bytes=limit)) as store:
        assert store.get(key(0)) is None and store.shares.find(codes[0]) is None, "the oldest link goes for a new one"
        assert store.shares.picture(codes[0]) is None and store.shares.picture(codes[69]) is not None
        store.put(key(70), result(70, (3, 64, 64)))
        assert "link" in store.note and store.get(key(70)) is not None, "a result without a link never pushes one out"
        assert store.shares.picture(codes[69]) is not None
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        lost = db.execute("SELECT count(*) FROM shares WHERE code NOT IN (SELECT code FROM share_results)").fetchone()
        assert lost == (0,) and db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert list_by_use(tmp_path) <= limit


def test_what_is_larger_than_the_limit_stays_in_memory_and_harms_nobody(tmp_path):
    with closing(Store(tmp_path, disk_bytes=300_000)) as store:
        store.put(key(1), result(1))
        store.put(key("huge"), result(2, (3, 200, 200)))
        assert store.note and store.get(key("huge")) is not None
        store.put(key(3), result(3))
        assert not store.note
        code = share(store, [key("huge")], photo())
        assert store.note and store.shares.picture(code) is not None and store.shares.delete(code, OWNER)
    with closing(Store(tmp_path)) as store:
        assert (
            same(store.get(key(1)), result(1)) and same(store.get(key(3)), result(3)) and store.get(key("huge")) is None
        )


# Many at once


def test_many_threads_get_whole_results_or_none(tmp_path):
    with closing(Store(tmp_path, memory_bytes=150_000, disk_bytes=700_000)) as store:
        failures: list[object] = []
        codes: list[str] = []

        def visit(seed: int) -> None:
            rng = np.random.default_rng(seed)
            try:
                for _ in range(40):
                    number = int(rng.integers(60))
                    results = store.get(key(number))
                    if results is None:
                        store.put(key(number), result(number))
                    elif not same(results, result(number)):
                        failures.append(number)
                    if number % 20 == 0:
                        codes.append(share(store, [key(number)], photo(number)))
                        store.shares.delete(codes.pop(0), OWNER)
                        store.counts()
            except UnknownName:
                return  # pushed out between two lines above
            except (RuntimeError, sqlite3.Error, ValueError, LookupError, TypeError) as error:
                failures.append(error)

        threads = [threading.Thread(target=visit, args=(seed,)) for seed in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        counts = store.counts()
        assert not failures and not store.note and counts.memory_bytes <= 150_000 and counts.disk_bytes <= 700_000
        assert counts.disk_hits and counts.memory_hits and counts.misses


def test_nothing_here_unpickles_or_needs_torch(tmp_path):
    script = """
store = Store(folder)
store.put(key(1), result(1)); store.close()
assert same(Store(folder).get(key(1)), result(1))
print(sorted({"torch", "streamlit", "captum"} & set(sys.modules)))
"""
    assert read_output(child(script, tmp_path)) == "[]\n"
    sources = (Path(__file__).parents[3] / "xai_core" / "engine" / "results").glob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert not re.search(r"allow_pickle=True|import pickle", text) and "allow_pickle=False" in text
