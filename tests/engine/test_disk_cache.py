"""The disk cache: what is found, what goes first, and what several processes at once leave behind."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xai_core.engine.disk_cache import DiskCache
from xai_core.errors import Cancelled

SIZE = 1000
KEYS = tuple(f"{number:x}" * 24 for number in range(1, 6))


def add(cache: DiskCache, key: str, size: int = SIZE, **record: object) -> None:
    with cache.staging() as folder:
        (folder / "data").write_bytes(bytes(size))
        cache.commit(folder, key, record)


def use(cache: DiskCache, key: str, second: int) -> None:
    os.utime(cache.path(key) / cache.record_name, (second, second))


def keys(cache: DiskCache) -> list[str]:
    return [entry.id for entry in cache.entries()]


def test_the_least_recently_used_goes_first_and_pinned_entries_stay(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 3 * SIZE + 500, 1, is_pinned=lambda record: bool(record.get("pinned")))
    for second, key in enumerate(KEYS[:3]):
        add(cache, key, pinned=key == KEYS[0])
        use(cache, key, second)
    assert keys(cache) == list(KEYS[:3])
    assert cache.touch(KEYS[1])
    add(cache, KEYS[3])
    assert set(keys(cache)) == {KEYS[0], KEYS[1], KEYS[3]}, "the oldest is pinned, the next was just used"


def test_entries_of_another_version_or_damaged_are_not_found_and_go_first(tmp_path: Path) -> None:
    add(DiskCache(tmp_path, 10**6, 1), KEYS[0])
    cache = DiskCache(tmp_path, 2 * SIZE + 300, 2)
    assert cache.read(KEYS[0]) is None and cache.entries() == []
    add(cache, KEYS[1])
    use(cache, KEYS[1], 0)
    add(cache, KEYS[2])
    assert set(keys(cache)) == {KEYS[1], KEYS[2]} and not cache.path(KEYS[0]).exists()
    (cache.path(KEYS[1]) / cache.record_name).write_text("{")
    assert keys(cache) == [KEYS[2]]


@pytest.mark.parametrize("key", ["", "..", "../../etc/passwd", "G" * 24, "a" * 65, None, 7])
def test_what_is_no_id_is_neither_found_nor_deleted(tmp_path: Path, key: object) -> None:
    cache = DiskCache(tmp_path, SIZE, 1)
    assert cache.read(key) is None and not cache.forget(key)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no id"):
        cache.path(key)  # type: ignore[arg-type]


def test_a_sound_entry_is_not_replaced_and_a_failed_one_leaves_nothing(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 10**6, 1)
    add(cache, KEYS[0], name="first")
    add(cache, KEYS[0], name="second")
    assert (cache.read(KEYS[0]) or {})["name"] == "first"

    def fail() -> None:
        with cache.staging() as folder:
            (folder / "data").write_bytes(b"x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == [KEYS[0]]


def test_memory_is_told_what_was_deleted(tmp_path: Path) -> None:
    deleted: list[str] = []
    cache = DiskCache(tmp_path, SIZE + 500, 1, on_forget=deleted.append)
    add(cache, KEYS[0])
    add(cache, KEYS[1])
    assert deleted == [KEYS[0]] and keys(cache) == [KEYS[1]]


def test_one_at_a_time_and_the_waiting_one_can_be_stopped(tmp_path: Path) -> None:
    cache, held, leave = DiskCache(tmp_path, SIZE, 1), threading.Event(), threading.Event()

    def hold() -> None:
        with cache.exclusive(KEYS[0]):
            held.set()
            leave.wait(20)

    def stop() -> None:
        raise Cancelled("stopped")

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert held.wait(20)
        with pytest.raises(Cancelled), cache.exclusive(KEYS[0], stop):
            pass
        leave.set()
        holding.result(20)
    with cache.exclusive(KEYS[0], stop):
        pass


def test_many_writers_keep_the_limit(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 3 * SIZE + 500, 1)

    def write(number: int) -> None:
        add(cache, f"{number % 7:x}" * 32)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(60)))
    assert cache.entries() and all(entry.bytes >= SIZE for entry in cache.entries())
    cache.evict()
    assert sum(entry.bytes for entry in cache.entries()) <= cache.limit
    assert not list(tmp_path.glob(".new-*"))
