"""Lanes and their cores: what one thread may use is nobody else's business."""

from __future__ import annotations

import threading

import pytest
import torch

from xai_core import settings
from xai_core.engine import cores


@pytest.mark.parametrize(("of", "lanes"), [(1, 1), (2, 2), (3, 3), (4, 4), (6, 3), (8, 4), (9, 3), (16, 4), (64, 4)])
def test_lanes_leave_no_core_idle(of: int, lanes: int) -> None:
    assert cores._lanes(of, None) == lanes and of % lanes == 0


@pytest.mark.parametrize("of", range(1, 65))
def test_at_most_one_core_is_left_over_and_more_than_one_lane_used_where_there_can_be(of: int) -> None:
    lanes = cores._lanes(of, None)
    assert 1 <= lanes <= cores.MAX_WORKERS and of % lanes <= 1 and (lanes > 1) == (of > 1)


@pytest.mark.parametrize(("value", "lanes"), [("3", 3), ("0", 2), ("-1", 2), ("many", 2), ("", 2)])
def test_the_number_can_be_set_and_nonsense_is_ignored(value: str, lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYBOX_LANES", value)
    assert cores._lanes(2, settings.worker_count()) == lanes


def test_a_thread_gets_its_cores_and_no_other_thread_notices() -> None:
    before, seen = torch.get_num_threads(), {}

    def other(name: str) -> None:
        torch.rand(64, 64) @ torch.rand(64, 64)
        seen[name] = torch.get_num_threads()

    def lane() -> None:
        with cores.limit(before + 3):
            torch.rand(64, 64) @ torch.rand(64, 64)
            seen["lane"] = torch.get_num_threads()
            fresh = threading.Thread(target=other, args=("started meanwhile",))
            fresh.start()
            fresh.join()
        seen["after"] = torch.get_num_threads()

    thread = threading.Thread(target=lane)
    thread.start()
    thread.join()
    other("this one")
    assert seen == {"lane": before + 3, "started meanwhile": before, "after": before, "this one": before}


def test_blocks_may_stand_in_each_other() -> None:
    before = torch.get_num_threads()
    with cores.limit(5):
        with cores.limit(7):
            assert torch.get_num_threads() == 7
        assert torch.get_num_threads() == 5
    assert torch.get_num_threads() == before
