"""The line for the engine: shared batches, fair shares, short work first, nobody starves, and failures that stay where they belong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.engine.sum_backend import POISON, Adder, long_job, rows, sums
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import Scheduler, Task
from xai_core.errors import Cancelled, XaiError


@pytest.fixture
def line() -> Scheduler:
    """One lane: what is served, and when, is then an order."""
    return Scheduler(lanes=1)


def occupied(line: Scheduler, backend: Adder, job: Job[None] | None = None) -> Task:
    """A batch that keeps the engine until the gate opens."""
    backend.gate.clear()
    task = line.submit(backend, rows(0), job)
    deadline = time.monotonic() + 5
    while line.waiting and time.monotonic() < deadline:
        time.sleep(0.001)
    return task


def asks(line: Scheduler, backend: Adder, job: Job[None], mark: float, stop: Callable[[], bool]) -> threading.Thread:
    """A thread that asks for batch after batch in the name of a job, as a method does."""

    def work() -> None:
        with suppress(Cancelled):
            while not stop():
                line.submit(backend, rows(*[mark] * backend.micro_batch), job).wait()
                job.tick(backend.micro_batch)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def crowd(line: Scheduler) -> Iterator[Callable[[Adder, int], list[Job[None]]]]:
    """Makes so many long jobs that keep the engine busy until the test ends."""
    over, threads = threading.Event(), []

    def begin(backend: Adder, count: int) -> list[Job[None]]:
        jobs = [long_job() for _ in range(count)]
        threads.extend(asks(line, backend, job, 7.0, over.is_set) for job in jobs)
        return jobs

    yield begin
    over.set()
    for thread in threads:
        thread.join(10)


def test_rows_of_several_jobs_travel_in_one_batch_and_come_back_to_their_own(line: Scheduler) -> None:
    backend = Adder()
    first = occupied(line, backend, long_job())
    tasks = [line.submit(backend, rows(*values), long_job()) for values in ((1, 2), (3,), (4,), (5, 6))]
    backend.gate.set()
    assert sums(first.wait()) == [100]
    assert [sums(task.wait()) for task in tasks] == [[101, 102], [103], [104], [105, 106]]
    assert backend.batches == [[0], [1, 2, 3, 4], [5, 6]], (
        "never over the micro-batch, never one alone that others could join"
    )


def test_jobs_of_other_models_are_not_mixed(line: Scheduler) -> None:
    one, other = Adder(), Adder()
    blocker = occupied(line, one)
    tasks = [line.submit(backend, rows(value)) for value, backend in ((1, one), (2, other), (3, one), (4, other))]
    one.gate.set()
    blocker.wait()
    assert [sums(task.wait()) for task in tasks] == [[101], [102], [103], [104]]
    assert [len(backend.batches) for backend in (one, other)] == [2, 1]


def test_long_jobs_get_the_same(line: Scheduler, crowd: Callable[[Adder, int], list[Job[None]]]) -> None:
    jobs = crowd(Adder(), 5)
    while not all(job.done for job in jobs):  # on a busy machine some begin late
        time.sleep(0.01)

    def gains() -> list[int]:
        before = [job.done for job in jobs]
        time.sleep(0.5)
        return [job.done - done for job, done in zip(jobs, before, strict=True)]

    tries = [gains() for _ in range(3)]  # nor do all threads ask again at once
    assert any(min(gained) > 20 and max(gained) - min(gained) <= 4 * 4 for gained in tries), tries


def test_who_comes_later_shares_from_then_on(line: Scheduler, crowd: Callable[[Adder, int], list[Job[None]]]) -> None:
    """Neither must the old one wait until the new one has caught up, nor the new one stand behind what the old one will need."""

    def gains() -> tuple[int, int]:
        backend = Adder()
        (old,) = crowd(backend, 1)
        time.sleep(0.5)
        before = old.done
        (new,) = crowd(backend, 1)
        time.sleep(0.5)
        gained = old.done - before, new.done
        for job in (old, new):
            job.cancel()
        return gained

    tries = [gains() for _ in range(3)]  # a busy machine may hold up one of the two threads that ask
    assert any(min(old, new) > 40 and abs(old - new) < 0.3 * new for old, new in tries), tries


def place_in_line(line: Scheduler, backend: Adder, mark: float, job: Job[None] | None) -> int:
    """Which batch a row comes in that is asked about while one is under way, which is the first; by order, so that no clock matters."""
    backend.held.clear()
    backend.gate.clear()
    assert backend.held.wait(10)
    before, task = len(backend.batches), line.submit(backend, rows(mark), job)
    backend.gate.set()
    assert sums(task.wait()) == [100 + mark]
    return next(place for place, batch in enumerate(backend.batches[before:], 1) if mark in batch)


def test_short_work_never_waits_for_long_work(line: Scheduler, crowd: Callable[[Adder, int], list[Job[None]]]) -> None:
    backend = Adder()
    crowd(backend, 10)
    for mark, short in ((1.0, None), (2.0, long_job(2))):
        place = place_in_line(line, backend, mark, short)
        assert place <= 3, "after the batch under way and at most one whose turn it was by age"


def test_the_end_of_a_long_job_goes_first(line: Scheduler, crowd: Callable[[Adder, int], list[Job[None]]]) -> None:
    backend, ending = Adder(), long_job(1000)
    crowd(backend, 10)
    ending.tick(990)
    assert place_in_line(line, backend, 1.0, ending) <= 3


def test_nobody_starves_beside_a_stream_of_short_work(line: Scheduler) -> None:
    backend, over = Adder(), threading.Event()
    streams = [asks(line, backend, long_job(1), 1.0, over.is_set) for _ in range(6)]
    time.sleep(0.1)
    job = long_job()
    for _ in range(5):
        line.submit(backend, rows(1, 2, 3, 4), job).wait()
        job.tick(4)
    over.set()
    for thread in streams:
        thread.join(10)
    assert job.done == 20


def test_work_may_give_nothing(line: Scheduler) -> None:
    assert line.submit_work(lambda: None).wait() is None


def test_turns_are_exclusive_and_handed_on_after_an_error(
    line: Scheduler, crowd: Callable[[Adder, int], list[Job[None]]]
) -> None:
    backend, inside, worst = Adder(pause=0.001), [0], [0]
    jobs = crowd(backend, 3)

    def enter() -> None:
        job = long_job()
        for number in range(20):
            with suppress(ZeroDivisionError), line.slot(job):
                inside[0] += 1
                worst[0] = max(worst[0], inside[0])
                count = len(backend.batches)
                time.sleep(0.002)
                worst[0] += len(backend.batches) - count
                inside[0] -= 1
                job.tick(1)
                if number % 2:
                    raise ZeroDivisionError

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert worst == [1] and inside == [0], "one turn at a time, and no batch beside it"
    assert min(job.done for job in jobs) > 0


def test_a_gradient_counts_for_what_it_costs(line: Scheduler, crowd: Callable[[Adder, int], list[Job[None]]]) -> None:
    """A job of gradient turns and one of forward batches get alike, counted in forward passes."""
    backend, job, over = Adder(), long_job(), threading.Event()

    def work() -> None:
        while not over.is_set():
            with line.slot(job, evaluations=2):
                time.sleep(0.002)
            job.tick(2)

    jobs = [job, *crowd(backend, 3)]
    thread = threading.Thread(target=work)
    thread.start()

    def gains() -> list[int]:
        before = [each.done for each in jobs]
        time.sleep(0.6)
        return [each.done - done for each, done in zip(jobs, before, strict=True)]

    tries = [gains() for _ in range(3)]  # a busy machine may hold up the one thread that asks for gradients
    over.set()
    thread.join(10)
    assert any(mine > 10 and all(0.7 < mine * 4 / other < 1.4 for other in others) for mine, *others in tries), tries


def test_a_waiting_job_that_is_stopped_leaves_at_once(line: Scheduler) -> None:
    backend, job = Adder(), long_job()
    blocker = occupied(line, backend)
    task = line.submit(backend, rows(*[9.0] * 4), job)
    threading.Timer(0.1, job.cancel).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        task.wait()
    assert time.monotonic() - began < 5 and line.waiting == 0, "long before the gate opens"
    backend.gate.set()
    blocker.wait()
    assert all(9.0 not in batch for batch in backend.batches)


def test_a_stopped_job_does_not_keep_the_turn_it_waited_for(line: Scheduler) -> None:
    backend, job = Adder(), long_job()
    blocker = occupied(line, backend)
    job.cancel()
    with pytest.raises(Cancelled), line.slot(job):
        raise AssertionError("the turn was not to come")
    backend.gate.set()
    blocker.wait()
    assert sums(line.submit(backend, rows(1)).wait()) == [101]


@pytest.mark.parametrize("fault", [RuntimeError("died"), MemoryError(), SystemExit(1)], ids=repr)
def test_a_backend_that_dies_is_built_anew_once_and_the_batch_tried_again(
    line: Scheduler, fault: BaseException
) -> None:
    backend = Adder()
    backend.faults = [fault]
    assert sums(line.submit(backend, rows(1, 2)).wait()) == [101, 102]
    assert backend.rebuilt == 1
    assert sums(line.submit(backend, rows(3)).wait()) == [103], "the engine is still there"


def test_only_the_job_whose_rows_fail_is_told(line: Scheduler) -> None:
    backend = Adder()
    blocker = occupied(line, backend)
    good, bad, other = (line.submit(backend, rows(value), long_job()) for value in (1, POISON, 2))
    backend.gate.set()
    blocker.wait()
    assert sums(good.wait()) == [101] and sums(other.wait()) == [102]
    with pytest.raises(XaiError, match="Try again") as told:
        bad.wait()
    assert isinstance(told.value.__cause__, ValueError)


def test_an_engine_that_cannot_be_built_anew_is_said(line: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Adder()
    backend.faults = [RuntimeError("died")]

    def rebuild() -> None:
        raise OSError("no such device")

    monkeypatch.setattr(backend, "rebuild", rebuild)
    with pytest.raises(XaiError, match="Nothing else is affected"):
        line.submit(backend, rows(1)).wait()
    assert sums(line.submit(backend, rows(2)).wait()) == [102]


def test_a_storm_of_cancels_leaves_the_line_empty_and_working(line: Scheduler) -> None:
    backend, jobs = Adder(pause=0.0005), [long_job() for _ in range(40)]
    threads = [asks(line, backend, job, 1.0, lambda: False) for job in jobs]
    for job in jobs:
        time.sleep(0.002)
        job.cancel()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert line.waiting == 0
    assert sums(line.submit(backend, rows(5)).wait()) == [105]
