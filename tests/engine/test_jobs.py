"""Jobs: progress, cancel, sharing, order, and errors that harm nobody else."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from xai_core.engine.jobs import BUDGET, Job, JobPool, MemoryBudget, count_jobs, watch
from xai_core.errors import Cancelled, InvalidParam, XaiError


@pytest.fixture
def jobs():
    return JobPool("test", workers=2, quick_workers=0)


def steps(job: Job[str], count: int = 200, pause: float = 0.01) -> str:
    job.expect(count)
    for _ in range(count):
        time.sleep(pause)
        job.tick(1)
    return "done"


def test_a_result_comes_back(jobs):
    job = jobs.start("a", lambda job: 7)
    assert job.wait(5) == 7 and job.state == "done" and job.is_finished and job.fraction == 1.0


def test_progress_and_seconds_left(jobs):
    job = jobs.start("a", lambda job: steps(job, 100))
    assert until(lambda: job.fraction > 0.05)
    assert job.fraction < 0.95 and job.total == 100
    assert 0.05 < job.seconds_left < 10
    job.cancel()


def test_cancel_stops_at_the_next_tick(jobs):
    job = jobs.start("a", lambda job: steps(job, 10_000))
    time.sleep(0.1)
    job.cancel()
    with pytest.raises(Cancelled, match=r"^Stopped\. Start it again whenever you like\.$"):
        job.wait(1)
    done = job.done
    time.sleep(0.1)
    assert job.state == "cancelled" and job.done == done < 10_000


def test_a_waiting_job_is_cancelled_at_once_and_never_runs(jobs):
    gate, ran = threading.Event(), []
    blockers = [jobs.start(f"block {n}", lambda job: gate.wait(5)) for n in range(2)]
    waiting = jobs.start("later", lambda job: ran.append(1))
    waiting.cancel()
    assert waiting.state == "cancelled" and waiting.is_finished
    gate.set()
    for job in blockers:
        job.wait(5)
    jobs.start("after", lambda job: None).wait(5)
    assert not ran


def test_equal_requests_share_one_job(jobs):
    ran = []

    def work(job: Job[int]) -> int:
        ran.append(1)
        time.sleep(0.1)
        return 5

    first, second = (jobs.start("same", work, session_id=name) for name in "ab")
    assert first is second and first.wait(5) == 5 and len(ran) == 1
    assert jobs.start("same", work, session_id="c").wait(5) == 5 and len(ran) == 1, "a finished one is handed out again"


def test_work_stops_only_when_nobody_waits(jobs):
    job = jobs.start("same", lambda job: steps(job, 10_000), session_id="a")
    jobs.start("same", lambda job: steps(job, 10_000), session_id="b")
    jobs.start("same", lambda job: steps(job, 10_000), session_id="b")
    jobs.leave("a")
    time.sleep(0.1)
    assert not job.is_finished
    jobs.leave("b", keep={"same"})
    time.sleep(0.1)
    assert not job.is_finished
    jobs.leave("b")
    with pytest.raises(Cancelled):
        job.wait(1)
    again = jobs.start("same", lambda job: "fresh", session_id="a")
    assert again.wait(5) == "fresh"


def test_work_that_nobody_asks_about_any_more_stops():
    jobs = JobPool("test", workers=1, quick_workers=0, timeout=1.0)
    job = jobs.start("long", lambda job: steps(job, 10_000), session_id="a")
    for _ in range(6):
        time.sleep(0.25)
        assert jobs.start("long", lambda job: "never", session_id="a") is job and not job.is_finished, (
            "asking keeps it going"
        )
    with pytest.raises(Cancelled):
        job.wait(5)


def test_the_cheapest_waiting_job_goes_first():
    jobs, order, gate = JobPool("test", workers=1, quick_workers=0), [], threading.Event()
    jobs.start("block", lambda job: gate.wait(5))
    later = [jobs.start(cost, lambda job, cost=cost: order.append(cost), cost=cost) for cost in (5.0, 1.0, 3.0, 1.5)]
    assert [job.place for job in later] == [4, 1, 3, 2]
    gate.set()
    for job in later:
        job.wait(5)
    assert order == [1.0, 1.5, 3.0, 5.0]


def test_an_error_for_the_visitor_is_kept_and_harms_no_other(jobs):
    def refuse(job: Job[int]) -> int:
        raise InvalidParam("The window is too large.")

    bad = jobs.start("bad", refuse)
    with pytest.raises(InvalidParam, match="too large"):
        bad.wait(5)
    assert bad.state == "failed"
    assert jobs.start("good", lambda job: 1).wait(5) == 1
    assert jobs.start("bad", lambda job: 2).wait(5) == 2, "a failure is not remembered"


def test_what_nobody_foresaw_is_a_sentence_for_the_visitor_and_a_trace_in_the_log(jobs, caplog):
    def burst(job: Job[int]) -> int:
        raise ZeroDivisionError("secret path")

    bad = jobs.start("bad", burst)
    with pytest.raises(XaiError) as shown:
        bad.wait(5)
    assert "secret" not in str(shown.value) and bad.state == "failed"
    deadline = time.monotonic() + 5
    while "secret path" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "secret path" in caplog.text
    assert [jobs.start(n, lambda job, n=n: n).wait(5) for n in range(4)] == [0, 1, 2, 3], "the workers are still there"


def test_only_so_many_finished_jobs_are_kept():
    jobs = JobPool("test", workers=1, quick_workers=0, keep=3)
    for number in range(10):
        jobs.start(number, lambda job: b"x").wait(5)
    jobs.start("last", lambda job: None).wait(5)
    assert len(jobs._by_key) <= 4 and "last" in jobs._by_key and 0 not in jobs._by_key


def blocked(jobs: JobPool, gate: threading.Event, key: str, **given: Any) -> Job[bool]:
    """A job that works until the gate opens."""
    return jobs.start(key, lambda job: gate.wait(10), **given)


def until(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not what() and time.monotonic() < deadline:
        time.sleep(0.005)
    return what()


def test_what_does_not_fit_into_the_budget_waits_with_its_place():
    jobs, gates = JobPool("test", workers=6, budget=MemoryBudget(lambda: 100)), [threading.Event() for _ in range(4)]
    first, second, third, fourth = (
        blocked(jobs, gate, str(n), cost=1000, memory=size)
        for n, (gate, size) in enumerate(zip(gates, (60, 60, 30, 30), strict=True))
    )
    assert until(lambda: first.state == "working")
    assert [job.state for job in (second, third, fourth)] == ["waiting"] * 3, (
        "a long one that waits is not overtaken by other long ones"
    )
    assert [job.place for job in (first, second, third, fourth)] == [None, 1, 2, 3]
    assert count_jobs([jobs]).reserved == 60 and (count_jobs([jobs]).waiting, count_jobs([jobs]).working) == (3, 1)
    gates[0].set()
    assert until(lambda: third.state == "working") and second.state == "working" and fourth.state == "waiting"
    assert count_jobs([jobs]).reserved == 90
    for gate in gates:
        gate.set()
    assert all(job.wait(5) for job in (second, third, fourth))
    assert until(lambda: count_jobs([jobs]).working == 0)


def weighed(seconds: float) -> tuple[Callable[[Job[int]], int], list[int]]:
    """Work that holds its job's memory for so long, and the most that all of it has held at a time."""
    held, worst, lock = [0], [0], threading.Lock()

    def work(job: Job[int]) -> int:
        with lock:
            held[0] += job.memory
            worst[0] = max(worst[0], held[0])
        time.sleep(seconds)
        with lock:
            held[0] -= job.memory
        return job.memory

    return work, worst


def test_thirty_jobs_never_hold_more_than_the_budget():
    jobs, (work, worst) = JobPool("test", workers=8, budget=MemoryBudget(lambda: 100)), weighed(0.005)
    sizes = [10 + 7 * (n % 9) for n in range(30)]
    made = [jobs.start(n, work, cost=1000.0 * (n % 3), memory=size) for n, size in enumerate(sizes)]
    assert [job.wait(20) for job in made] == sizes
    assert 60 < worst[0] <= 100


def test_a_job_larger_than_the_budget_runs_alone():
    jobs, gate = JobPool("test", workers=4, budget=MemoryBudget(lambda: 100)), threading.Event()
    small = blocked(jobs, gate, "small", cost=1000, memory=10)
    large = jobs.start("large", lambda job: "done", cost=1000, memory=1000)
    assert until(lambda: small.state == "working") and large.state == "waiting"
    gate.set()
    assert large.wait(5) == "done"


def test_all_pools_of_this_process_share_one_budget():
    from pages.ui.widgets import background
    from xai_core.imageset.projection import service as maps
    from xai_core.imageset.runs import inference as run
    from xai_core.imageset.sets import library
    from xai_core.methods.run import service
    from xai_core.tabular import service as training

    modules = (background, maps, run, library, service, training)
    pools = [value for module in modules for value in vars(module).values() if isinstance(value, JobPool)]
    assert len(pools) == 7 and all(any(known is pool for known in BUDGET.pools) for pool in pools)
    assert len({pool.name for pool in pools}) == 7, "each has a name of its own"


def test_what_one_pool_gives_back_another_takes_and_who_came_first_goes_first():
    budget = MemoryBudget(lambda: 100)
    maps, training, passes = (JobPool("test", workers=2, quick_workers=0, budget=budget) for _ in range(3))
    gates = [threading.Event() for _ in range(4)]
    held = blocked(maps, gates[0], "held", cost=1000, memory=80, session_id="a")
    assert until(lambda: held.state == "working")
    free = training.start("free", lambda job: "done", cost=1000, session_id="a")
    assert free.wait(5) == "done", "what needs no memory waits for none"
    assert until(lambda: count_jobs(budget.pools).working == 1)
    first = blocked(passes, gates[1], "first", cost=1000, memory=60, session_id="b")
    second = blocked(maps, gates[2], "second", cost=2000, memory=60, session_id="a")
    third = blocked(training, gates[3], "third", cost=3000, memory=40, session_id="c")
    assert [job.place for job in (first, second, third)] == [1, 1, 1], "each in its own queue"
    found = count_jobs(budget.pools)
    assert (found.working, found.waiting, found.sessions, found.reserved) == (1, 3, 3, 80), (
        "a visitor of two pools is one"
    )
    gates[0].set()
    assert until(lambda: first.state == third.state == "working") and second.state == "waiting"
    assert count_jobs(budget.pools).reserved == 100
    for gate in gates:
        gate.set()
    assert all(job.wait(5) for job in (first, second, third))
    assert until(lambda: count_jobs(budget.pools).reserved == count_jobs(budget.pools).working == 0) and budget.reserve(
        100
    )


def test_jobs_of_three_pools_never_hold_more_than_the_budget_and_all_end():
    budget, (work, worst) = MemoryBudget(lambda: 100), weighed(0.002)
    pools = [JobPool("test", workers=4, quick_workers=2, budget=budget) for _ in range(3)]

    def ask(pool: JobPool, made: list[Job[int]]) -> None:
        made += [pool.start(n, work, cost=40.0 * (n % 3), memory=10 + 7 * (n % 9)) for n in range(60)]

    made: list[list[Job[int]]] = [[], [], []]
    asking = [threading.Thread(target=ask, args=each) for each in zip(pools, made, strict=True)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(20)
    assert [job.wait(20) for some in made for job in some] == [10 + 7 * (n % 9) for _ in pools for n in range(60)]
    assert 60 < worst[0] <= 100


def test_a_job_larger_than_the_budget_waits_for_other_pools_and_holds_them_up():
    budget, gates = MemoryBudget(lambda: 100), [threading.Event(), threading.Event()]
    one, other = JobPool("test", budget=budget), JobPool("test", budget=budget)
    small = blocked(one, gates[0], "small", cost=1000, memory=10)
    assert until(lambda: small.state == "working")
    large = blocked(other, gates[1], "large", cost=1000, memory=1000)
    assert large.state == "waiting"
    gates[0].set()
    assert until(lambda: large.state == "working")
    next_ = one.start("next", lambda job: "done", memory=1)
    assert next_.state == "waiting" and one.start("nothing", lambda job: 1).wait(5) == 1, (
        "what needs no memory does not wait"
    )
    gates[1].set()
    assert large.wait(5) and next_.wait(5) == "done"


def test_a_room_forgets_pools_that_are_gone():
    budget = MemoryBudget(lambda: 100)

    def one_pool() -> None:
        pool = JobPool("test", budget=budget)
        assert pool.start("a", lambda job: 1, memory=10).wait(5) == 1 and budget.pools == [pool]

    one_pool()

    def gone() -> bool:
        gc.collect()
        return budget.pools == []

    assert until(gone)
    assert JobPool("test", budget=budget) in budget.pools and len(budget._pools) == 1


def test_short_work_finds_a_worker_beside_long_work():
    jobs, gate = JobPool("test", workers=2, quick_workers=1), threading.Event()
    long = [blocked(jobs, gate, str(n), cost=1000) for n in range(5)]
    assert jobs.start("quick", lambda job: 1, cost=8).wait(5) == 1
    assert until(lambda: [job.state for job in long] == ["working"] * 2 + ["waiting"] * 3)
    gate.set()
    assert all(job.wait(5) for job in long)


def test_one_visitor_with_many_maps_does_not_hold_up_another_with_one():
    jobs, gate, order = JobPool("test", workers=1, quick_workers=0), threading.Event(), []
    blocked(jobs, gate, "block", cost=1000, session_id="somebody")
    many = [jobs.start(f"many {n}", lambda job, n=n: order.append(n), cost=500, session_id="greedy") for n in range(10)]
    one = jobs.start("one", lambda job: order.append("one"), cost=500, session_id="modest")
    assert one.place == 2
    gate.set()
    for job in [*many, one]:
        job.wait(5)
    assert order == [0, "one", *range(1, 10)]


def test_dear_work_is_overtaken_only_for_so_long(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("xai_core.engine.jobs.pool.time.monotonic", lambda: now[0])
    jobs, gate = JobPool("test", workers=1, quick_workers=0), threading.Event()
    blocked(jobs, gate, "block", cost=1000)
    dear = blocked(jobs, gate, "dear", cost=1000, session_id="a")
    places = []
    for n in range(30):
        now[0] += 1
        blocked(jobs, gate, str(n), cost=100, session_id=str(n))
        places.append(dear.place)
    assert places[0] == 2 and max(places) == places[-1] < 12
    gate.set()


def test_a_worker_that_is_killed_harms_no_other():
    jobs = JobPool("test", workers=1, quick_workers=0)

    def die(job: Job[int]) -> int:
        raise SystemExit(1)

    with pytest.raises(XaiError, match="nobody foresaw"):
        jobs.start("killed", die).wait(5)
    assert [jobs.start(n, lambda job, n=n: n).wait(5) for n in range(3)] == [0, 1, 2]
    assert until(lambda: count_jobs([jobs]).working == 0), "its place and its memory are free again"


def test_a_storm_of_cancels_leaves_nothing_behind(jobs):
    made = [jobs.start(n, lambda job: steps(job, 10_000, 0.001), session_id=str(n)) for n in range(50)]
    for n in range(50):
        jobs.leave(str(n))
    assert until(lambda: all(job.is_finished for job in made)) and until(
        lambda: count_jobs([jobs]).working == count_jobs([jobs]).waiting == 0
    )
    assert jobs.start("after", lambda job: 1).wait(5) == 1


def test_a_known_result_is_a_finished_job_and_a_failed_one_can_be_looked_up(jobs):
    assert jobs.put("known", 7, "a").wait(0) == 7
    assert jobs.start("known", lambda job: 8).wait(0) == 7
    assert jobs.start("known", lambda job: 8, restart=True).wait(5) == 8
    with pytest.raises(XaiError):
        jobs.start("bad", lambda job: 1 // 0).wait(5)
    assert jobs.find("bad").state == "failed" and jobs.find("nothing") is None


def test_everything_stops_when_the_process_is_to_end(jobs):
    made = [jobs.start(n, lambda job: steps(job, 10_000)) for n in range(5)]
    assert until(lambda: sum(job.state == "working" for job in made) == 2)
    jobs.stop()
    assert until(lambda: all(job.state == "cancelled" for job in made))


def test_looking_waits_for_nobody(jobs):
    """Every page polls every job some times a second: behind a lock, thirty pages would wait for each other."""
    gate = threading.Event()
    running = [jobs.start(f"block {n}", lambda job: gate.wait(5), session_id="a") for n in range(2)]
    waiting = jobs.start("later", lambda job: None, session_id="b")
    seen: list[object] = []

    def look() -> None:
        seen.extend([watch("later", "c") is waiting, waiting.place, running[0].place, count_jobs([jobs]).waiting])
        jobs.leave("somebody else")
        jobs.leave("b", keep={"later"})
        seen.extend(["left", count_jobs(BUDGET.pools).waiting > 0])

    with jobs._lock, BUDGET._lock:
        looking = threading.Thread(target=look)
        looking.start()
        looking.join(5)
        assert seen == [True, 1, None, 1, "left", True]
    assert set(waiting.sessions) == {"b", "c"}
    gate.set()
