"""Scheduler: shared batches, fair shares, short work first, nobody starves, failures that harm no others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.engine.sum_backend import POISON, SumBackend, make_job, make_rows, read_sums
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import Scheduler, Task
from xai_core.errors import Cancelled, XaiError


@pytest.fixture
def scheduler() -> Scheduler:
    """One worker: batches are then served in an order."""
    return Scheduler(workers=1)


def block(scheduler: Scheduler, backend: SumBackend, job: Job[None] | None = None) -> Task:
    """Submit a batch that keeps the engine until the gate opens."""
    backend.gate.clear()
    task = scheduler.submit(backend, make_rows(0), job)
    deadline = time.monotonic() + 5
    while scheduler.waiting and time.monotonic() < deadline:
        time.sleep(0.001)
    return task


def start_asking(
    scheduler: Scheduler, backend: SumBackend, job: Job[None], mark: float, stop: Callable[[], bool]
) -> threading.Thread:
    """Start a thread that asks for batch after batch in the name of a job, as a method does."""

    def work() -> None:
        with suppress(Cancelled):
            while not stop():
                scheduler.submit(backend, make_rows(*[mark] * backend.micro_batch), job).wait()
                job.tick(backend.micro_batch)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def crowd(scheduler: Scheduler) -> Iterator[Callable[[SumBackend, int], list[Job[None]]]]:
    """Make so many long jobs that keep the engine busy until the test ends."""
    over, threads = threading.Event(), []

    def begin(backend: SumBackend, count: int) -> list[Job[None]]:
        jobs = [make_job() for _ in range(count)]
        threads.extend(start_asking(scheduler, backend, job, 7.0, over.is_set) for job in jobs)
        return jobs

    yield begin
    over.set()
    for thread in threads:
        thread.join(10)


def test_rows_of_several_jobs_travel_in_one_batch_and_come_back_to_their_own(scheduler: Scheduler) -> None:
    backend = SumBackend()
    first = block(scheduler, backend, make_job())
    tasks = [scheduler.submit(backend, make_rows(*values), make_job()) for values in ((1, 2), (3,), (4,), (5, 6))]
    backend.gate.set()
    assert read_sums(first.wait()) == [100]
    assert [read_sums(task.wait()) for task in tasks] == [[101, 102], [103], [104], [105, 106]]
    assert backend.batches == [[0], [1, 2, 3, 4], [5, 6]], (
        "never over the micro-batch, never one alone that others could join"
    )


def test_jobs_of_other_models_are_not_mixed(scheduler: Scheduler) -> None:
    first, second = SumBackend(), SumBackend()
    blocker = block(scheduler, first)
    tasks = [
        scheduler.submit(backend, make_rows(value))
        for value, backend in ((1, first), (2, second), (3, first), (4, second))
    ]
    first.gate.set()
    blocker.wait()
    assert [read_sums(task.wait()) for task in tasks] == [[101], [102], [103], [104]]
    assert [len(backend.batches) for backend in (first, second)] == [2, 1]


def test_long_jobs_get_the_same(scheduler: Scheduler, crowd: Callable[[SumBackend, int], list[Job[None]]]) -> None:
    jobs = crowd(SumBackend(), 5)
    while not all(job.done for job in jobs):  # on a busy machine some begin late
        time.sleep(0.01)

    def count_gains() -> list[int]:
        before = [job.done for job in jobs]
        time.sleep(0.5)
        return [job.done - done for job, done in zip(jobs, before, strict=True)]

    tries = [count_gains() for _ in range(3)]  # nor do all threads ask again at once
    assert any(min(gained) > 20 and max(gained) - min(gained) <= 4 * 4 for gained in tries), tries


def test_who_comes_later_shares_from_then_on(
    scheduler: Scheduler, crowd: Callable[[SumBackend, int], list[Job[None]]]
) -> None:
    """The old job must not wait until the new one has caught up, nor the new one behind all that the old one needs."""

    def count_gains() -> tuple[int, int]:
        backend = SumBackend()
        (old,) = crowd(backend, 1)
        time.sleep(0.5)
        before = old.done
        (new,) = crowd(backend, 1)
        time.sleep(0.5)
        gained = old.done - before, new.done
        for job in (old, new):
            job.cancel()
        return gained

    tries = [count_gains() for _ in range(3)]  # a busy machine may hold up one of the two threads that ask
    assert any(min(old, new) > 40 and abs(old - new) < 0.3 * new for old, new in tries), tries


def measure_place(scheduler: Scheduler, backend: SumBackend, mark: float, job: Job[None] | None) -> int:
    """Return the batch of a row submitted while another batch, number 1, runs: an order, so that no clock matters."""
    backend.blocked.clear()
    backend.gate.clear()
    assert backend.blocked.wait(10)
    before, task = len(backend.batches), scheduler.submit(backend, make_rows(mark), job)
    backend.gate.set()
    assert read_sums(task.wait()) == [100 + mark]
    return next(place for place, batch in enumerate(backend.batches[before:], 1) if mark in batch)


def test_short_work_never_waits_for_long_work(
    scheduler: Scheduler, crowd: Callable[[SumBackend, int], list[Job[None]]]
) -> None:
    backend = SumBackend()
    crowd(backend, 10)
    for mark, short in ((1.0, None), (2.0, make_job(2))):
        place = measure_place(scheduler, backend, mark, short)
        assert place <= 3, "after the batch under way and at most one whose turn it was by age"


def test_the_end_of_a_long_job_goes_first(
    scheduler: Scheduler, crowd: Callable[[SumBackend, int], list[Job[None]]]
) -> None:
    backend, ending = SumBackend(), make_job(1000)
    crowd(backend, 10)
    ending.tick(990)
    assert measure_place(scheduler, backend, 1.0, ending) <= 3


def test_nobody_starves_beside_a_stream_of_short_work(scheduler: Scheduler) -> None:
    backend, over = SumBackend(), threading.Event()
    streams = [start_asking(scheduler, backend, make_job(1), 1.0, over.is_set) for _ in range(6)]
    time.sleep(0.1)
    job = make_job()
    for _ in range(5):
        scheduler.submit(backend, make_rows(1, 2, 3, 4), job).wait()
        job.tick(4)
    over.set()
    for thread in streams:
        thread.join(10)
    assert job.done == 20


def test_work_may_give_nothing(scheduler: Scheduler) -> None:
    assert scheduler.submit_work(lambda: None).wait() is None


def test_turns_are_exclusive_and_handed_on_after_an_error(
    scheduler: Scheduler, crowd: Callable[[SumBackend, int], list[Job[None]]]
) -> None:
    backend, inside, most = SumBackend(pause=0.001), [0], [0]
    jobs = crowd(backend, 3)

    def enter() -> None:
        job = make_job()
        for number in range(20):
            with suppress(ZeroDivisionError), scheduler.slot(job):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                count = len(backend.batches)
                time.sleep(0.002)
                most[0] += len(backend.batches) - count
                inside[0] -= 1
                job.tick(1)
                if number % 2:
                    raise ZeroDivisionError

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1] and inside == [0], "one turn at a time, and no batch beside it"
    assert min(job.done for job in jobs) > 0


def test_a_gradient_counts_for_what_it_costs(
    scheduler: Scheduler, crowd: Callable[[SumBackend, int], list[Job[None]]]
) -> None:
    """A job of gradient turns and one of forward batches get alike, counted in forward passes."""
    backend, job, over = SumBackend(), make_job(), threading.Event()

    def work() -> None:
        while not over.is_set():
            with scheduler.slot(job, evaluations=2):
                time.sleep(0.002)
            job.tick(2)

    jobs = [job, *crowd(backend, 3)]
    thread = threading.Thread(target=work)
    thread.start()

    def count_gains() -> list[int]:
        before = [job.done for job in jobs]
        time.sleep(0.6)
        return [job.done - done for job, done in zip(jobs, before, strict=True)]

    tries = [count_gains() for _ in range(3)]  # a busy machine may hold up the one thread that asks for gradients
    over.set()
    thread.join(10)
    assert any(
        gradients > 10 and all(0.7 < gradients * 4 / forward < 1.4 for forward in forwards)
        for gradients, *forwards in tries
    ), tries


def test_a_waiting_job_that_is_stopped_leaves_at_once(scheduler: Scheduler) -> None:
    backend, job = SumBackend(), make_job()
    blocker = block(scheduler, backend)
    task = scheduler.submit(backend, make_rows(*[9.0] * 4), job)
    threading.Timer(0.1, job.cancel).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        task.wait()
    assert time.monotonic() - began < 5 and scheduler.waiting == 0, "long before the gate opens"
    backend.gate.set()
    blocker.wait()
    assert all(9.0 not in batch for batch in backend.batches)


def test_a_stopped_job_does_not_keep_the_turn_it_waited_for(scheduler: Scheduler) -> None:
    backend, job = SumBackend(), make_job()
    blocker = block(scheduler, backend)
    job.cancel()
    with pytest.raises(Cancelled), scheduler.slot(job):
        raise AssertionError("the turn was not to come")
    backend.gate.set()
    blocker.wait()
    assert read_sums(scheduler.submit(backend, make_rows(1)).wait()) == [101]


@pytest.mark.parametrize("fault", [RuntimeError("died"), MemoryError(), SystemExit(1)], ids=repr)
def test_a_backend_that_dies_is_built_anew_once_and_the_batch_tried_again(
    scheduler: Scheduler, fault: BaseException
) -> None:
    backend = SumBackend()
    backend.faults = [fault]
    assert read_sums(scheduler.submit(backend, make_rows(1, 2)).wait()) == [101, 102]
    assert backend.rebuilt == 1
    assert read_sums(scheduler.submit(backend, make_rows(3)).wait()) == [103], "the engine is still there"


def test_only_the_job_whose_rows_fail_is_told(scheduler: Scheduler) -> None:
    backend = SumBackend()
    blocker = block(scheduler, backend)
    good, bad, last = (scheduler.submit(backend, make_rows(value), make_job()) for value in (1, POISON, 2))
    backend.gate.set()
    blocker.wait()
    assert read_sums(good.wait()) == [101] and read_sums(last.wait()) == [102]
    with pytest.raises(XaiError, match="Try again") as failure:
        bad.wait()
    assert isinstance(failure.value.__cause__, ValueError)


def test_an_engine_that_cannot_be_built_anew_is_said(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = SumBackend()
    backend.faults = [RuntimeError("died")]

    def rebuild() -> None:
        raise OSError("no such device")

    monkeypatch.setattr(backend, "rebuild", rebuild)
    with pytest.raises(XaiError, match="Nothing else is affected"):
        scheduler.submit(backend, make_rows(1)).wait()
    assert read_sums(scheduler.submit(backend, make_rows(2)).wait()) == [102]


def test_a_storm_of_cancels_leaves_the_queue_empty_and_working(scheduler: Scheduler) -> None:
    backend, jobs = SumBackend(pause=0.0005), [make_job() for _ in range(40)]
    threads = [start_asking(scheduler, backend, job, 1.0, lambda: False) for job in jobs]
    for job in jobs:
        time.sleep(0.002)
        job.cancel()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert scheduler.waiting == 0
    assert read_sums(scheduler.submit(backend, make_rows(5)).wait()) == [105]
