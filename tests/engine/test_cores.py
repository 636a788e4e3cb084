"""Workers and their cores: the limit of a thread holds for no other thread."""

from __future__ import annotations

import threading

import pytest
import torch

from xai_core import settings
from xai_core.engine import cores


@pytest.mark.parametrize(
    ("count", "workers"), [(1, 1), (2, 2), (3, 3), (4, 4), (6, 3), (8, 4), (9, 3), (16, 4), (64, 4)]
)
def test_workers_leave_no_core_idle(count: int, workers: int) -> None:
    assert cores._choose_worker_count(count, None) == workers and count % workers == 0


@pytest.mark.parametrize("count", range(1, 65))
def test_at_most_one_core_is_left_over_and_several_workers_are_used_where_possible(count: int) -> None:
    workers = cores._choose_worker_count(count, None)
    assert 1 <= workers <= cores.MAX_WORKERS and count % workers <= 1 and (workers > 1) == (count > 1)


@pytest.mark.parametrize(("value", "workers"), [("3", 3), ("0", 2), ("-1", 2), ("many", 2), ("", 2)])
def test_the_number_can_be_set_and_nonsense_is_ignored(
    value: str, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHYBOX_LANES", value)
    assert cores._choose_worker_count(2, settings.worker_count()) == workers


def test_a_thread_gets_its_cores_and_no_other_thread_notices() -> None:
    before, counts = torch.get_num_threads(), {}

    def count_cores(name: str) -> None:
        torch.rand(64, 64) @ torch.rand(64, 64)
        counts[name] = torch.get_num_threads()

    def work() -> None:
        with cores.limit(before + 3):
            torch.rand(64, 64) @ torch.rand(64, 64)
            counts["worker"] = torch.get_num_threads()
            fresh = threading.Thread(target=count_cores, args=("started meanwhile",))
            fresh.start()
            fresh.join()
        counts["after"] = torch.get_num_threads()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    count_cores("this one")
    assert counts == {"worker": before + 3, "started meanwhile": before, "after": before, "this one": before}


def test_limits_may_be_nested() -> None:
    before = torch.get_num_threads()
    with cores.limit(5):
        with cores.limit(7):
            assert torch.get_num_threads() == 7
        assert torch.get_num_threads() == 5
    assert torch.get_num_threads() == before
