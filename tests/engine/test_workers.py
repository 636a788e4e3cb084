"""Workers of the scheduler: each runs a batch at a time, with its share of the cores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import torch

from tests.engine.sum_backend import SumBackend, make_job, make_rows, read_sums
from xai_core.engine import cores
from xai_core.engine.backends.forward import Forward
from xai_core.engine.scheduler import Scheduler


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler(workers=1)


class Meter:
    """Count the batches that run at once."""

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


class MeteredBackend(SumBackend):
    """SumBackend that is counted while it runs."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(pause=0)
        self.meter = meter

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        self.meter.stay()
        return super().run(batch)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_as_many_batches_run_as_there_are_workers_whatever_they_do(workers: int) -> None:
    scheduler, meter = Scheduler(workers), Meter()
    backend = MeteredBackend(meter)

    def ask(number: int) -> None:
        kind = number % 3
        for _ in range(10):
            if kind == 0:
                assert (
                    read_sums(scheduler.submit(backend, make_rows(*[float(number)] * 4), make_job()).wait())
                    == [100.0 + number] * 4
                )
            elif kind == 1:
                assert scheduler.submit_work(lambda: (meter.stay(), number)[1], make_job()).wait() == number
            else:
                with scheduler.slot(make_job()):
                    meter.stay()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert meter.most == workers and meter.inside == 0


def test_work_is_done_by_a_worker_and_its_error_reaches_its_own_task_only(scheduler: Scheduler) -> None:
    def fail() -> int:
        raise ZeroDivisionError("mine")

    good, bad, after = (
        scheduler.submit_work(threading.get_ident),
        scheduler.submit_work(fail),
        scheduler.submit_work(lambda: 7),
    )
    assert good.wait() != threading.get_ident()
    with pytest.raises(ZeroDivisionError, match="mine"):
        bad.wait()
    assert after.wait() == 7


def test_a_lone_task_has_all_cores_and_others_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "CORES", 6)
    monkeypatch.setattr(cores, "CORES_PER_WORKER", 3)
    scheduler, gate = Scheduler(workers=2), threading.Event()
    assert scheduler.submit_work(torch.get_num_threads).wait() == 6
    blocker = scheduler.submit_work(lambda: gate.wait(10))
    time.sleep(0.05)
    assert scheduler.submit_work(torch.get_num_threads).wait() == 3
    gate.set()
    assert blocker.wait() is True
    assert scheduler.submit_work(torch.get_num_threads).wait() == 6


def test_two_workers_that_fail_at_once_build_the_engine_anew_once() -> None:
    """Both have to meet the fault before it is mended, and both have to get their answer from what was built anew."""
    both, built = threading.Barrier(2), [0]

    def broken(_batch: torch.Tensor) -> torch.Tensor:
        both.wait(5)
        raise RuntimeError("died")

    def make() -> Callable[[torch.Tensor], torch.Tensor]:
        built[0] += 1
        time.sleep(0.05)
        return lambda batch: batch.sum(1, keepdim=True)

    scheduler, backend = Scheduler(workers=2), Forward(broken, "torch", make, micro_batch=1)
    tasks = [scheduler.submit(backend, make_rows(value), make_job()) for value in (1, 2)]
    assert [read_sums(task.wait()) for task in tasks] == [[101], [102]] and built == [1]
