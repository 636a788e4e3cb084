"""Answers of the store to a failing disk: whole results or none, a sentence for the visitor, and never an
exception.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from tests.engine.results.store_helpers import (
    LIGHT,
    OWNER,
    Clock,
    child,
    fill_store,
    key,
    read_output,
    result,
    same,
    share,
    works_in_memory,
)
from xai_core.engine.results import schema
from xai_core.engine.results.guarded_database import REST_S
from xai_core.engine.results.store import FILE, Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Full, read-only, locked


def test_a_full_disk_costs_nothing_but_the_link_and_nothing_is_lost_when_there_is_room_again(tmp_path):
    with closing(Store(tmp_path)) as store:
        store.put(key(0), result(0))
        db = store._disk._disk._writer
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite's own way to be full
        for number in range(1, 20):
            store.put(key(number), result(number))
        assert "full" in store.note
        works_in_memory(store)
        assert all(same(store.get(key(number)), result(number)) for number in range(20))
        with closing(Store(tmp_path)) as second:
            assert same(second.get(key(0)), result(0)) and second.get(key(1)) is None and not second.note
        db.execute("PRAGMA max_page_count = 1000000")
        store.put(key(20), result(20))
        assert not store.note
        with closing(Store(tmp_path)) as second:
            assert same(second.get(key(1)), result(1)), "the first of those who were late comes along at once"
    with closing(Store(tmp_path)) as store:
        assert all(same(store.get(key(number)), result(number)) for number in range(21)), (
            "those of the full time are written later"
        )


def test_a_picture_kept_while_the_disk_was_full_is_written_when_there_is_room_again(tmp_path):
    pictures = [Image.effect_noise((64, 48), 60).convert("RGB") for _ in range(2)]
    with closing(Store(tmp_path)) as store:
        store.put(key(0), result(0))
        db = store._disk._disk._writer
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
        stored, deleted = (share(store, [key(0)], picture) for picture in pictures)
        assert "full" in store.note
        assert store.shares.delete(deleted, OWNER), "it can be deleted while it waits"
        db.execute("PRAGMA max_page_count = 1000000")
        store.put(key(1), result(1))
        with closing(Store(tmp_path)) as second:
            assert second.shares.picture(stored).tobytes() == pictures[0].tobytes()
        assert store.shares.delete(stored, OWNER) and not store.shares.delete(stored, OWNER)
        assert store.shares.picture(stored) is None and store.shares.find(stored).is_deleted
    with closing(Store(tmp_path)) as store:
        assert store.shares.picture(stored) is None and store.shares.find(stored).is_deleted


FULL = """
store = Store(folder)
for number in range(60):
    store.put(key(number), result(number))
note = store.note
assert all(same(store.get(key(number)), result(number)) for number in range(60))
store.close()
again = Store(folder)
there = sum(again.get(key(number)) is not None for number in range(60))
assert all(same(again.get(key(number)), result(number)) for number in range(60) if again.get(key(number)))
print(there, note)
"""


def test_a_disk_that_is_really_full(tmp_path):
    """A file system of half a megabyte, in a mount namespace of its own; skipped where that is not allowed."""
    script = tmp_path / "full.py"
    script.write_text(LIGHT + FULL, encoding="utf-8")
    (tmp_path / "disk").mkdir()
    mount = 'mount -t tmpfs -o size=512k none "$1" && echo mounted && exec "$2" "$3" "$1"'
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here")
    command = [
        "unshare",
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        mount,
        "sh",
        tmp_path / "disk",
        sys.executable,
        script,
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if not ran.stdout.startswith("mounted"):
        pytest.skip("mounting is not allowed here")
    assert ran.returncode == 0, ran.stderr
    there, note = ran.stdout.splitlines()[-1].split(" ", 1)
    assert 0 < int(there) < 60 and "full" in note


def test_a_file_that_must_not_grow(tmp_path):
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
    there, note = read_output(child(limited + FULL, tmp_path)).splitlines()[-1].split(" ", 1)
    assert 0 < int(there) < 60 and "memory only" in note


READ_ONLY = """
if os.geteuid() == 0:
    os.setgroups([]); os.setegid(65534); os.seteuid(65534)  # root may write anywhere
store = Store(folder)
store.put(key(9), result(9))
assert same(store.get(key(9)), result(9)) and store.get(key(8)) is None
code = share(store, [key(9)], __import__("PIL.Image").Image.new("RGB", (9, 9)))
assert store.shares.find(code) and store.shares.picture(code)
print(store.note)
store.close()
"""


@pytest.mark.parametrize("before", ["nothing there", "a file there"])
def test_a_folder_that_may_only_be_read(tmp_path, before):
    import tempfile

    outer = Path(tempfile.mkdtemp())  # not pytest's folder, which only its owner may enter
    try:
        folder = outer / "data"
        folder.mkdir()
        if before == "a file there":
            fill_store(folder)
        outer.chmod(0o755)
        folder.chmod(0o555)
        for path in folder.iterdir():
            path.chmod(0o444)
        content = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert "cannot be written" in read_output(child(READ_ONLY, folder)).splitlines()[-1]
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == content
    finally:
        folder.chmod(0o755)
        shutil.rmtree(outer)


def test_a_file_where_the_folder_should_be(tmp_path, clock):
    (tmp_path / "data").write_text("mine")
    with closing(Store(tmp_path / "data", clock=clock)) as store:
        works_in_memory(store)
        assert "cannot be written" in store.note and (tmp_path / "data").read_text() == "mine"
        (tmp_path / "data").unlink()
        store.put(key(1), result(1))
        assert store.note, "not tried again at once"
        clock.now += REST_S + 1
        store.put(key(2), result(2))
        assert not store.note
    with closing(Store(tmp_path / "data")) as store:
        assert [same(store.get(key(number)), result(number)) for number in (1, 2, 77)] == [True, True, True]


def test_an_operating_system_that_refuses(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "/secret/path")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with closing(Store(tmp_path)) as store:
        works_in_memory(store)
        assert "full" in store.note


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_locked_file_is_waited_for_once_and_read_meanwhile(tmp_path, clock, monkeypatch, how):
    monkeypatch.setattr(schema, "BUSY_S", 1.0)
    fill_store(tmp_path)
    with (
        closing(Store(tmp_path, clock=clock)) as store,
        closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as second,
    ):
        second.execute(f"BEGIN {how}")
        began = time.monotonic()
        store.put(key(10), result(10))
        assert 0.7 < time.monotonic() - began < 5 and "locked" in store.note
        assert same(store.get(key(10)), result(10)) and same(store.get(key(1)), result(1)), "readers do not wait"
        with closing(Store(tmp_path)) as another:
            assert same(another.get(key(2)), result(2)) and not another.note, "nor do those who open it"
        began = time.monotonic()
        store.put(key(11), result(11))
        assert time.monotonic() - began < 0.7 and store.note, "the next one does not wait again"
        second.execute("COMMIT")
        clock.now += REST_S + 1
        store.put(key(12), result(12))
        assert not store.note
    with closing(Store(tmp_path)) as store:
        assert all(same(store.get(key(number)), result(number)) for number in (10, 11, 12))


def test_nobody_waits_for_a_writer_to_read(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "BUSY_S", 2.0)
    fill_store(tmp_path)
    with closing(Store(tmp_path)) as store, closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as second:
        second.execute("BEGIN IMMEDIATE")
        writer = threading.Thread(target=store.put, args=(key(10), result(10)))
        writer.start()
        time.sleep(0.2)
        began = time.monotonic()
        assert store.get(key(1)) is not None and store.get(key(10)) is not None and time.monotonic() - began < 1.5
        assert writer.is_alive()
        second.execute("COMMIT")
        writer.join(10)
        assert not store.note


def test_closing_writes_what_was_late_and_a_closed_store_still_answers(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(schema, "BUSY_S", 0.1)
    fill_store(tmp_path)
    store = Store(tmp_path, clock=clock)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as second:
        second.execute("BEGIN IMMEDIATE")
        store.put(key(10), result(10))
        second.execute("COMMIT")
    store.close()
    store.close()
    store.put(key(11), result(11))
    assert store.get(key(11)) is not None and store.get(key(10)) is not None and store.get(key(3)) is None
    with closing(Store(tmp_path)) as after:
        assert same(after.get(key(10)), result(10)) and after.get(key(11)) is None


# Several processes


def test_two_processes_write_and_read_one_store(tmp_path):
    script = """
own, other = sys.argv[2:]
store, seen = Store(folder, memory_bytes=0), set()
for number in range(30):
    store.put(key(own + str(number)), result(number))
deadline = time.monotonic() + 40
while len(seen) < 30 and time.monotonic() < deadline:
    for number in range(30):
        found = store.get(key(other + str(number)))
        if found is not None:
            assert same(found, result(number))
            seen.add(number)
print(len(seen), store.note)
store.close()
"""
    processes = [child(script, tmp_path, *names) for names in ("ab", "ba")]
    assert [read_output(process) for process in processes] == ["30 \n", "30 \n"]
    with closing(Store(tmp_path)) as store:
        assert store.counts().results == 60


def test_processes_that_begin_a_store_at_the_same_instant(tmp_path):
    script = """
while time.time() < float(sys.argv[2]): pass
store = Store(folder)
store.put(key(sys.argv[3]), result(int(sys.argv[3])))
print(store.note)
store.close()
"""
    at = time.time() + 2.5
    processes = [child(script, tmp_path, at, number) for number in range(5)]
    assert [read_output(process) for process in processes] == ["\n"] * 5
    with closing(Store(tmp_path)) as store:
        assert all(same(store.get(key(number)), result(number)) for number in range(5))


def test_who_uses_a_file_that_another_puts_aside_goes_on_with_the_new_one(tmp_path):
    fill_store(tmp_path)
    with closing(Store(tmp_path)) as first:
        first.put(key(10), result(10))
        os.rename(tmp_path / FILE, tmp_path / "aside")  # as another process does that found it damaged
        for ending in ("-wal", "-shm"):
            os.rename(tmp_path / f"{FILE}{ending}", tmp_path / f"aside{ending}")
        with closing(Store(tmp_path)) as second:
            second.put(key(11), result(11))
            first.put(key(12), result(12))
            assert same(second.get(key(12)), result(12)) and same(first.get(key(11)), result(11))
    with closing(Store(tmp_path)) as store:
        assert same(store.get(key(11)), result(11)) and same(store.get(key(12)), result(12))


KILLED = """
import signal
store = Store(folder, memory_bytes=0)
store.put(key("first"), result(0)); store.close()
rng, kept, told, cut = random.Random(int(sys.argv[2])), set(), 0, 0
for life in range(20):
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        store = Store(folder, disk_bytes=3_000_000)
        for number in range(10_000):
            name = f"{life}.{number}"
            store.put(key(name), result(number, (3, 64, 64)))
            os.write(theirs, (name + chr(10)).encode())
    os.close(theirs)
    begun = os.read(ours, 1 << 20)  # on a busy machine the first one takes a while
    time.sleep(0.05 + 0.15 * rng.random())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    finished = (begun + os.read(ours, 1 << 20)).decode().split()
    os.close(ours)
    store = Store(folder, memory_bytes=0)
    assert not store.note, store.note
    there = {name for name in finished if store.get(key(name)) is not None}
    assert all(same(store.get(key(name)), result(int(name.split(".")[1]), (3, 64, 64))) for name in there)
    assert finished[-1] in there, "what was said to be kept is kept"
    half = store.get(key(f"{life}.{len(finished)}"))
    assert half is None or same(half, result(len(finished), (3, 64, 64)))
    told, kept = told + len(finished), kept | there
    store.close()
print(told)
import sqlite3
print(sqlite3.connect(folder / "results.sqlite").execute("PRAGMA integrity_check").fetchone()[0])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_kill_9_never_leaves_half_a_result(tmp_path):
    written, sound = read_output(child(KILLED, tmp_path, 4)).split()
    assert int(written) > 40 and sound == "ok", "two a life at least, or nothing was cut off"
