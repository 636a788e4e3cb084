"""The lanes that serve the line: as many batches side by side as there are lanes, and each with its share of the cores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import torch

from tests.engine.sum_backend import Adder, long_job, rows, sums
from xai_core.engine import cores
from xai_core.engine.forward import Forward
from xai_core.engine.scheduler import Scheduler


@pytest.fixture
def line() -> Scheduler:
    return Scheduler(lanes=1)


class Meter:
    """Counts who is inside at once."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def stay(self, seconds: float = 0.005) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(seconds)
        with self._lock:
            self.inside -= 1


class Metered(Adder):
    """Answers as an Adder does, and is counted meanwhile."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(pause=0)
        self.meter = meter

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        self.meter.stay()
        return super().run(batch)


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_as_many_are_under_way_as_there_are_lanes_whatever_they_do(lanes: int) -> None:
    line, meter = Scheduler(lanes), Meter()
    backend = Metered(meter)

    def ask(number: int) -> None:
        kind = number % 3
        for _ in range(10):
            if kind == 0:
                assert sums(line.submit(backend, rows(*[float(number)] * 4), long_job()).wait()) == [100.0 + number] * 4
            elif kind == 1:
                assert line.submit_work(lambda: (meter.stay(), number)[1], long_job()).wait() == number
            else:
                with line.slot(long_job()):
                    meter.stay()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert meter.most == lanes and meter.inside == 0


def test_work_is_done_in_a_lane_and_what_it_raises_reaches_only_who_asked(line: Scheduler) -> None:
    def fail() -> int:
        raise ZeroDivisionError("mine")

    good, bad, after = line.submit_work(threading.get_ident), line.submit_work(fail), line.submit_work(lambda: 7)
    assert good.wait() != threading.get_ident()
    with pytest.raises(ZeroDivisionError, match="mine"):
        bad.wait()
    assert after.wait() == 7


def test_work_alone_has_all_cores_and_shares_them_when_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "CORES", 6)
    monkeypatch.setattr(cores, "CORES_PER_WORKER", 3)
    line, gate = Scheduler(lanes=2), threading.Event()
    assert line.submit_work(torch.get_num_threads).wait() == 6
    blocker = line.submit_work(lambda: gate.wait(10))
    time.sleep(0.05)
    assert line.submit_work(torch.get_num_threads).wait() == 3
    gate.set()
    assert blocker.wait() is True
    assert line.submit_work(torch.get_num_threads).wait() == 6


def test_two_lanes_that_fail_at_once_build_the_engine_anew_once() -> None:
    """Both have to meet the fault before it is mended, and both have to get their answer from what was built anew."""
    both, built = threading.Barrier(2), [0]

    def broken(_batch: torch.Tensor) -> torch.Tensor:
        both.wait(5)
        raise RuntimeError("died")

    def make() -> Callable[[torch.Tensor], torch.Tensor]:
        built[0] += 1
        time.sleep(0.05)
        return lambda batch: batch.sum(1, keepdim=True)

    line, backend = Scheduler(lanes=2), Forward(broken, "torch", make, micro_batch=1)
    tasks = [line.submit(backend, rows(value), long_job()) for value in (1, 2)]
    assert [sums(task.wait()) for task in tasks] == [[101], [102]] and built == [1]
