"""Short links in the store: codes nobody guesses, their owner alone deletes, and old links keep their pictures."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.engine.results.store_helpers import OWNER, change, child, key, read_output, result, same, share
from xai_core.engine.results import schema
from xai_core.engine.results.store import FILE, Store
from xai_core.errors import UnknownName


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path)) as opened:
        yield opened


def photo(number: int = 0, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8))


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_a_code_is_short_random_and_can_be_read_out(store: Store) -> None:
    codes = [share(store, []) for _ in range(200)]
    letters = "".join(codes)
    assert {len(code) for code in codes} == {10} and len(set(codes)) == 200
    assert not set(letters) & set("01oil") and letters == letters.lower()
    # Each of 31 characters at each place: 2,000 draws miss one with a chance of 31 * (30 / 31) ** 2000 = 1e-27.
    assert len(set(letters)) == 31
    typed = f" {codes[0].upper()} "
    assert store.shares.find(typed) == store.shares.find(codes[0]) is not None


@pytest.mark.parametrize("odd", ["", "2", "a" * 9, "a" * 11, "0" * 10, "aaaaa'aaaa", "ａ" * 10, "\ud83d" * 10])
def test_what_is_no_code_leads_nowhere(store: Store, odd: str) -> None:
    share(store, [])
    assert store.shares.find(odd) is None and store.shares.picture(odd) is None
    assert store.shares.delete(odd, OWNER) is False


def test_a_link_holds_its_results_in_order_and_the_choices_of_its_page(tmp_path: Path) -> None:
    keys = [key(3), key(1), key(2)]
    with closing(Store(tmp_path, clock=lambda: 86_400.0)) as store:
        for number in (1, 2, 3):
            store.put(key(number), result(number))
        code = store.share(keys, "explain", {"model": "vgg16", "class": "café & “tea”"}, OWNER).code
    with closing(Store(tmp_path)) as store:
        share_row = store.shares.find(code)
        assert share_row is not None and share_row.results == tuple(keys) and share_row.page == "explain"
        assert share_row.query == {"model": "vgg16", "class": "café & “tea”"} and share_row.created == 86_400.0
        assert not share_row.has_picture and not share_row.is_deleted and store.shares.picture(code) is None


def test_a_picture_stays_with_its_link_until_its_owner_deletes_it(tmp_path: Path) -> None:
    picture = photo(1, (300, 200))
    picture.info["icc_profile"], picture.info["comment"] = b"where it was taken", "by whom"
    with closing(Store(tmp_path)) as store:
        store.put(key(1), result(1))
        code, second = share(store, [key(1)], picture), share(store, [key(1)], photo(2))
    assert OWNER.encode() not in files(tmp_path), "the hash alone is kept"
    assert b"taken" not in files(tmp_path) and b"by whom" not in files(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        (png,) = db.execute("SELECT png FROM shares WHERE code = ?", (code,)).fetchone()
    assert Image.open(io.BytesIO(png)).info == {}
    piece = png[2000:2040]
    assert piece in files(tmp_path)
    with closing(Store(tmp_path)) as store:
        assert np.array_equal(store.shares.picture(code), picture) and store.shares.picture(code).mode == "RGB"
        for wrong in ("", OWNER[:-1], OWNER + "x", OWNER.swapcase(), hashlib.sha256(OWNER.encode()).hexdigest()):
            assert store.shares.delete(code, wrong) is False
        assert store.shares.picture(code) is not None
        assert store.shares.delete(code, OWNER) is True
        assert store.shares.picture(code) is None and store.shares.find(code).is_deleted
        assert store.shares.delete(code, OWNER) is False
        assert same(store.get(key(1)), result(1)), "the results stay"
        assert np.array_equal(store.shares.picture(second), photo(2)), "and so does another link"
        ask = (
            "import sys, pathlib; "
            "sys.stdout.write(str(bytes.fromhex(sys.argv[2]) in b''.join(p.read_bytes() for p in folder.iterdir())))"
        )
        assert read_output(child(ask, tmp_path, piece.hex())) == "False", (
            "not a trace of it in the file or its log, at once"
        )
    with closing(Store(tmp_path)) as store:
        assert store.shares.find(code).is_deleted, "also after a restart"


def test_a_small_picture_that_shares_a_page_leaves_no_trace_either(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        store.put(key(1), result(1))
        codes = [share(store, [key(1)], photo(number, (12, 12))) for number in range(3)]
        store.shares.delete(codes[1], OWNER)
    traces = []
    for number in range(3):
        buffer = io.BytesIO()
        photo(number, (12, 12)).save(buffer, "PNG", compress_level=1)
        traces.append(buffer.getvalue()[60:100] in files(tmp_path))
    assert traces == [True, False, True]


def test_a_result_made_again_keeps_its_links(store: Store) -> None:
    store.put(key(1), result(1))
    code = share(store, [key(1), key(1)], photo(1))
    store.put(key(1), result(1))
    assert store.shares.find(code).results == (key(1),) and np.array_equal(store.shares.picture(code), photo(1))


def test_a_link_needs_its_results(store: Store) -> None:
    store.put(key(1), result(1))
    for keys in ([key("nobody")], [key(1), key("nobody")]):
        with pytest.raises(UnknownName, match="no longer kept"):
            share(store, keys, photo())


def test_the_pictures_of_old_links_outlive_the_new_tables(tmp_path: Path) -> None:
    """A file as the first version wrote it, by its own statements."""
    png = io.BytesIO()
    photo().save(png, "PNG")
    digest = hashlib.sha256(len(png.getvalue()).to_bytes(8, "big") + png.getvalue()).digest()
    token = b"the private link of long ago"
    with closing(Store(tmp_path)) as store:
        store.put(key(1), result(1))
    file = tmp_path / FILE
    for table in ("share_results", "shares", "deleted_shares"):
        change(file, f"DROP TABLE {table}")
    change(file, "PRAGMA user_version = 1")
    row = (hashlib.sha256(token).digest(), digest, png.getvalue())
    change(file, "INSERT INTO pictures (id, token_sha256, sha256, png) VALUES (1, ?, ?, ?)", row)
    change(file, "INSERT INTO links (key, picture) VALUES (?, 1)", (key(1),))
    with closing(Store(tmp_path)) as store:
        assert same(store.get(key(1)), result(1)) and np.array_equal(store.picture(key(1)), photo())
        code = share(store, [key(1)])
        assert store.shares.find(code).results == (key(1),) and not store.note
        assert not store.forget_picture(key(1), "guess") and store.forget_picture(key(1), token.decode())
        assert store.picture(key(1)) is None and store.get(key(1)) is not None
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
