"""Jobs: progress, cancel, sharing, order, and errors that harm nobody else."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from tests.engine.job_helpers import run_steps, start_blocking_job, wait_until
from xai_core.engine.jobs import BUDGET, Job, JobPool, count_jobs, watch
from xai_core.errors import Cancelled, InvalidParam, XaiError


@pytest.fixture
def pool():
    return JobPool("test", workers=2, quick_workers=0)


def test_a_result_comes_back(pool):
    job = pool.start("a", lambda job: 7)
    assert job.wait(5) == 7 and job.state == "done" and job.is_finished and job.fraction == 1.0


def test_progress_and_seconds_left(pool):
    job = pool.start("a", lambda job: run_steps(job, 100, 0.05))
    assert job.seconds_left is None, "nothing is known yet"
    assert wait_until(lambda: job.seconds_left is not None)
    assert job.fraction < 0.95 and job.total == 100
    assert 0.05 < job.seconds_left < 10
    job.cancel()


def test_the_time_left_only_shrinks_and_is_not_told_too_early(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("xai_core.engine.jobs.job.time.monotonic", lambda: clock[0])
    estimates: list[float | None] = []

    def work(job: Job[None]) -> None:
        job.expect(101)
        clock[0] += 60  # the model is compiled
        job.tick(1)
        for step in range(100):
            clock[0] += 0.1 if step < 50 else 0.4 if step < 70 else 0.05
            job.tick(1)
            estimates.append(job.seconds_left)

    Job().run(work)
    known = [left for left in estimates if left is not None]
    assert estimates[0] is None and estimates[-1] == 0
    assert 8 < known[0] < 10, "10 s in all, and not the minute before"
    assert all(after < before or after == 0 for before, after in pairwise(known))


def test_cancel_stops_at_the_next_tick(pool):
    job = pool.start("a", lambda job: run_steps(job, 10_000))
    time.sleep(0.1)
    job.cancel()
    with pytest.raises(Cancelled, match=r"^Stopped\. Start it again whenever you like\.$"):
        job.wait(1)
    done = job.done
    time.sleep(0.1)
    assert job.state == "cancelled" and job.done == done < 10_000


def test_a_waiting_job_is_cancelled_at_once_and_never_runs(pool):
    gate, ran = threading.Event(), []
    blockers = [pool.start(f"block {n}", lambda job: gate.wait(5)) for n in range(2)]
    waiting = pool.start("later", lambda job: ran.append(1))
    waiting.cancel()
    assert waiting.state == "cancelled" and waiting.is_finished
    gate.set()
    for job in blockers:
        job.wait(5)
    pool.start("after", lambda job: None).wait(5)
    assert not ran


def test_equal_requests_share_one_job(pool):
    ran = []

    def work(job: Job[int]) -> int:
        ran.append(1)
        time.sleep(0.1)
        return 5

    first, second = (pool.start("same", work, session_id=name) for name in "ab")
    assert first is second and first.wait(5) == 5 and len(ran) == 1
    assert pool.start("same", work, session_id="c").wait(5) == 5 and len(ran) == 1, "a finished one is handed out again"


def test_work_stops_only_when_nobody_waits(pool):
    job = pool.start("same", lambda job: run_steps(job, 10_000), session_id="a")
    pool.start("same", lambda job: run_steps(job, 10_000), session_id="b")
    pool.start("same", lambda job: run_steps(job, 10_000), session_id="b")
    pool.leave("a")
    time.sleep(0.1)
    assert not job.is_finished
    pool.leave("b", keep={"same"})
    time.sleep(0.1)
    assert not job.is_finished
    pool.leave("b")
    with pytest.raises(Cancelled):
        job.wait(1)
    again = pool.start("same", lambda job: "fresh", session_id="a")
    assert again.wait(5) == "fresh"


def test_work_that_nobody_asks_about_any_more_stops():
    pool = JobPool("test", workers=1, quick_workers=0, timeout=1.0)
    job = pool.start("long", lambda job: run_steps(job, 10_000), session_id="a")
    for _ in range(6):
        time.sleep(0.25)
        assert pool.start("long", lambda job: "never", session_id="a") is job and not job.is_finished, (
            "asking keeps it going"
        )
    with pytest.raises(Cancelled):
        job.wait(5)


def test_the_cheapest_waiting_job_goes_first():
    pool, order, gate = JobPool("test", workers=1, quick_workers=0), [], threading.Event()
    pool.start("block", lambda job: gate.wait(5))
    later = [pool.start(cost, lambda job, cost=cost: order.append(cost), cost=cost) for cost in (5.0, 1.0, 3.0, 1.5)]
    assert [job.place for job in later] == [4, 1, 3, 2]
    gate.set()
    for job in later:
        job.wait(5)
    assert order == [1.0, 1.5, 3.0, 5.0]


def test_an_error_for_the_visitor_is_kept_and_harms_no_other(pool):
    def refuse(job: Job[int]) -> int:
        raise InvalidParam("The window is too large.")

    bad = pool.start("bad", refuse)
    with pytest.raises(InvalidParam, match="too large"):
        bad.wait(5)
    assert bad.state == "failed"
    assert pool.start("good", lambda job: 1).wait(5) == 1
    assert pool.start("bad", lambda job: 2).wait(5) == 2, "a failure is not remembered"


def test_what_nobody_foresaw_is_a_sentence_for_the_visitor_and_a_trace_in_the_log(pool, caplog):
    def burst(job: Job[int]) -> int:
        raise ZeroDivisionError("secret path")

    bad = pool.start("bad", burst)
    with pytest.raises(XaiError) as shown:
        bad.wait(5)
    assert "secret" not in str(shown.value) and bad.state == "failed"
    deadline = time.monotonic() + 5
    while "secret path" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "secret path" in caplog.text
    assert [pool.start(n, lambda job, n=n: n).wait(5) for n in range(4)] == [0, 1, 2, 3], "the workers are still there"


def test_only_so_many_finished_jobs_are_kept():
    pool = JobPool("test", workers=1, quick_workers=0, keep=3)
    for number in range(10):
        pool.start(number, lambda job: b"x").wait(5)
    pool.start("last", lambda job: None).wait(5)
    assert len(pool._by_key) <= 4 and "last" in pool._by_key and 0 not in pool._by_key


def test_short_work_finds_a_worker_beside_long_work():
    pool, gate = JobPool("test", workers=2, quick_workers=1), threading.Event()
    long = [start_blocking_job(pool, gate, str(n), cost=1000) for n in range(5)]
    assert pool.start("quick", lambda job: 1, cost=8).wait(5) == 1
    assert wait_until(lambda: [job.state for job in long] == ["working"] * 2 + ["waiting"] * 3)
    gate.set()
    assert all(job.wait(5) for job in long)


def test_one_visitor_with_many_maps_does_not_hold_up_another_with_one():
    pool, gate, order = JobPool("test", workers=1, quick_workers=0), threading.Event(), []
    start_blocking_job(pool, gate, "block", cost=1000, session_id="somebody")
    many = [pool.start(f"many {n}", lambda job, n=n: order.append(n), cost=500, session_id="greedy") for n in range(10)]
    single = pool.start("one", lambda job: order.append("one"), cost=500, session_id="modest")
    assert single.place == 2
    gate.set()
    for job in [*many, single]:
        job.wait(5)
    assert order == [0, "one", *range(1, 10)]


def test_dear_work_is_overtaken_only_for_so_long(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("xai_core.engine.jobs.pool.time.monotonic", lambda: now[0])
    pool, gate = JobPool("test", workers=1, quick_workers=0), threading.Event()
    start_blocking_job(pool, gate, "block", cost=1000)
    dear = start_blocking_job(pool, gate, "dear", cost=1000, session_id="a")
    places = []
    for n in range(30):
        now[0] += 1
        start_blocking_job(pool, gate, str(n), cost=100, session_id=str(n))
        places.append(dear.place)
    assert places[0] == 2 and max(places) == places[-1] < 12
    gate.set()


def test_a_worker_that_is_killed_harms_no_other():
    pool = JobPool("test", workers=1, quick_workers=0)

    def die(job: Job[int]) -> int:
        raise SystemExit(1)

    with pytest.raises(XaiError, match="an unforeseen reason"):
        pool.start("killed", die).wait(5)
    assert [pool.start(n, lambda job, n=n: n).wait(5) for n in range(3)] == [0, 1, 2]
    assert wait_until(lambda: count_jobs([pool]).working == 0), "its place and its memory are free again"


def test_a_storm_of_cancels_leaves_nothing_behind(pool):
    jobs = [pool.start(n, lambda job: run_steps(job, 10_000, 0.001), session_id=str(n)) for n in range(50)]
    for n in range(50):
        pool.leave(str(n))
    assert wait_until(lambda: all(job.is_finished for job in jobs)) and wait_until(
        lambda: count_jobs([pool]).working == count_jobs([pool]).waiting == 0
    )
    assert pool.start("after", lambda job: 1).wait(5) == 1


def test_a_known_result_is_a_finished_job_and_a_failed_one_can_be_looked_up(pool):
    assert pool.put("known", 7, "a").wait(0) == 7
    assert pool.start("known", lambda job: 8).wait(0) == 7
    assert pool.start("known", lambda job: 8, restart=True).wait(5) == 8
    with pytest.raises(XaiError):
        pool.start("bad", lambda job: 1 // 0).wait(5)
    assert pool.find("bad").state == "failed" and pool.find("nothing") is None


def test_everything_stops_when_the_process_is_to_end(pool):
    jobs = [pool.start(n, lambda job: run_steps(job, 10_000)) for n in range(5)]
    assert wait_until(lambda: sum(job.state == "working" for job in jobs) == 2)
    pool.stop()
    assert wait_until(lambda: all(job.state == "cancelled" for job in jobs))


def test_polls_wait_for_no_lock(pool):
    """Every page polls every job some times a second: behind a lock, thirty pages would wait for each other."""
    gate = threading.Event()
    running = [pool.start(f"block {n}", lambda job: gate.wait(5), session_id="a") for n in range(2)]
    waiting = pool.start("only here", lambda job: None, session_id="b")
    answers: list[object] = []

    def poll() -> None:
        answers.extend(
            [watch("only here", "c") is waiting, waiting.place, running[0].place, count_jobs([pool]).waiting]
        )
        pool.leave("somebody else")
        pool.leave("b", keep={"only here"})
        answers.extend(["left", count_jobs(BUDGET.pools).waiting > 0])

    with pool._lock, BUDGET._lock:
        thread = threading.Thread(target=poll)
        thread.start()
        thread.join(5)
        assert answers == [True, 1, None, 1, "left", True]
    assert set(waiting.sessions) == {"b", "c"}
    gate.set()
