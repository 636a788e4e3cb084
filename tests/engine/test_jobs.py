"""Jobs: progress, cancel, sharing, order, and errors that harm nobody else."""

from __future__ import annotations

import threading
import time

import pytest

from xai_core.engine.jobs import Job, Jobs
from xai_core.engine.turns import Turns
from xai_core.errors import Cancelled, InvalidParam, XaiError


@pytest.fixture
def jobs():
    return Jobs(workers=2)


def steps(job: Job[str], count: int = 200, pause: float = 0.01) -> str:
    job.expect(count)
    for _ in range(count):
        time.sleep(pause)
        job.tick(1)
    return "done"


def test_a_result_comes_back(jobs):
    job = jobs.submit("a", lambda job: 7)
    assert job.wait(5) == 7 and job.state == "done" and job.finished and job.fraction == 1.0


def test_progress_and_seconds_left(jobs):
    job = jobs.submit("a", lambda job: steps(job, 100))
    time.sleep(0.4)
    assert 0.05 < job.fraction < 0.95 and job.total == 100
    assert 0.05 < job.seconds_left < 10
    job.cancel()


def test_cancel_stops_at_the_next_tick(jobs):
    job = jobs.submit("a", lambda job: steps(job, 10_000))
    time.sleep(0.1)
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait(1)
    done = job.done
    time.sleep(0.1)
    assert job.state == "cancelled" and job.done == done < 10_000


def test_a_waiting_job_is_cancelled_at_once_and_never_runs(jobs):
    gate, ran = threading.Event(), []
    blockers = [jobs.submit(f"block {n}", lambda job: gate.wait(5)) for n in range(2)]
    waiting = jobs.submit("later", lambda job: ran.append(1))
    waiting.cancel()
    assert waiting.state == "cancelled" and waiting.finished
    gate.set()
    for job in blockers:
        job.wait(5)
    jobs.submit("after", lambda job: None).wait(5)
    assert not ran


def test_equal_requests_share_one_job(jobs):
    ran = []

    def work(job: Job[int]) -> int:
        ran.append(1)
        time.sleep(0.1)
        return 5

    first, second = (jobs.submit("same", work, waiter=name) for name in "ab")
    assert first is second and first.wait(5) == 5 and len(ran) == 1
    assert jobs.submit("same", work, waiter="c").wait(5) == 5 and len(ran) == 1, "a finished one is handed out again"


def test_work_stops_only_when_nobody_waits(jobs):
    job = jobs.submit("same", lambda job: steps(job, 10_000), waiter="a")
    jobs.submit("same", lambda job: steps(job, 10_000), waiter="b")
    jobs.submit("same", lambda job: steps(job, 10_000), waiter="b")
    jobs.leave("a")
    time.sleep(0.1)
    assert not job.finished
    jobs.leave("b", keep={"same"})
    time.sleep(0.1)
    assert not job.finished
    jobs.leave("b")
    with pytest.raises(Cancelled):
        job.wait(1)
    again = jobs.submit("same", lambda job: "fresh", waiter="a")
    assert again.wait(5) == "fresh"


def test_work_that_nobody_asks_about_any_more_stops():
    jobs = Jobs(workers=1, grace=0.3)
    job = jobs.submit("long", lambda job: steps(job, 10_000), waiter="a")
    for _ in range(6):
        time.sleep(0.1)
        assert jobs.submit("long", lambda job: "never", waiter="a") is job and not job.finished, "asking keeps it going"
    with pytest.raises(Cancelled):
        job.wait(2)


def test_the_cheapest_waiting_job_goes_first():
    jobs, order, gate = Jobs(workers=1), [], threading.Event()
    jobs.submit("block", lambda job: gate.wait(5))
    later = [jobs.submit(cost, lambda job, cost=cost: order.append(cost), cost=cost) for cost in (5.0, 1.0, 3.0, 1.5)]
    gate.set()
    for job in later:
        job.wait(5)
    assert order == [1.0, 1.5, 3.0, 5.0]


def test_an_error_for_the_visitor_is_kept_and_harms_no_other(jobs):
    def refuse(job: Job[int]) -> int:
        raise InvalidParam("The window is too large.")

    bad = jobs.submit("bad", refuse)
    with pytest.raises(InvalidParam, match="too large"):
        bad.wait(5)
    assert bad.state == "failed"
    assert jobs.submit("good", lambda job: 1).wait(5) == 1
    assert jobs.submit("bad", lambda job: 2).wait(5) == 2, "a failure is not remembered"


def test_what_nobody_foresaw_is_a_sentence_for_the_visitor_and_a_trace_in_the_log(jobs, caplog):
    def burst(job: Job[int]) -> int:
        raise ZeroDivisionError("secret path")

    bad = jobs.submit("bad", burst)
    with pytest.raises(XaiError) as shown:
        bad.wait(5)
    assert "secret" not in str(shown.value) and bad.state == "failed"
    deadline = time.monotonic() + 5
    while "secret path" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "secret path" in caplog.text
    assert [jobs.submit(n, lambda job, n=n: n).wait(5) for n in range(4)] == [0, 1, 2, 3], "the workers are still there"


def test_only_so_many_finished_jobs_are_kept():
    jobs = Jobs(workers=1, keep=3)
    for number in range(10):
        jobs.submit(number, lambda job: b"x").wait(5)
    jobs.submit("last", lambda job: None).wait(5)
    assert len(jobs._by_key) <= 4 and "last" in jobs._by_key and 0 not in jobs._by_key


def test_turns_are_taken_in_order_of_arrival():
    """A loop that takes turn after turn lets everybody else in between; with a plain lock it starves them."""
    turns, stop, waits = Turns(), threading.Event(), []

    def greedy() -> None:
        while not stop.is_set():
            with turns:
                time.sleep(0.005)

    loops = [threading.Thread(target=greedy) for _ in range(3)]
    for loop in loops:
        loop.start()
    for _ in range(20):
        began = time.monotonic()
        with turns:
            waits.append(time.monotonic() - began)
    stop.set()
    for loop in loops:
        loop.join(5)
    assert sorted(waits)[15] < 0.1


def test_a_turn_is_handed_on_after_an_error():
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns:
        raise ZeroDivisionError
    with turns:
        pass


def test_one_turn_at_a_time():
    turns, inside, worst = Turns(), [0], [0]

    def enter() -> None:
        for _ in range(200):
            with turns:
                inside[0] += 1
                worst[0] = max(worst[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert worst == [1] and inside == [0]
