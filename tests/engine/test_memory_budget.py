"""Memory budget: shared by all pools, never exceeded, FIFO."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable

from tests.engine.job_helpers import start_blocking_job, wait_until
from xai_core.engine.jobs import BUDGET, Job, JobPool, MemoryBudget, count_jobs


def test_what_does_not_fit_into_the_budget_waits_with_its_place():
    pool, gates = JobPool("test", workers=6, budget=MemoryBudget(lambda: 100)), [threading.Event() for _ in range(4)]
    first, second, third, fourth = (
        start_blocking_job(pool, gate, str(n), cost=1000, memory=size)
        for n, (gate, size) in enumerate(zip(gates, (60, 60, 30, 30), strict=True))
    )
    assert wait_until(lambda: first.state == "working")
    assert [job.state for job in (second, third, fourth)] == ["waiting"] * 3, (
        "a long one that waits is not overtaken by other long ones"
    )
    assert [job.place for job in (first, second, third, fourth)] == [None, 1, 2, 3]
    assert count_jobs([pool]).reserved == 60 and (count_jobs([pool]).waiting, count_jobs([pool]).working) == (3, 1)
    gates[0].set()
    assert wait_until(lambda: third.state == "working") and second.state == "working" and fourth.state == "waiting"
    assert count_jobs([pool]).reserved == 90
    for gate in gates:
        gate.set()
    assert all(job.wait(5) for job in (second, third, fourth))
    assert wait_until(lambda: count_jobs([pool]).working == 0)


def build_weighing_work(seconds: float) -> tuple[Callable[[Job[int]], int], list[int]]:
    """Return work that holds its job's memory for so long, and the most that all of it has held at a time."""
    held, most, lock = [0], [0], threading.Lock()

    def work(job: Job[int]) -> int:
        with lock:
            held[0] += job.memory
            most[0] = max(most[0], held[0])
        time.sleep(seconds)
        with lock:
            held[0] -= job.memory
        return job.memory

    return work, most


def test_thirty_jobs_never_hold_more_than_the_budget():
    pool, (work, most) = JobPool("test", workers=8, budget=MemoryBudget(lambda: 100)), build_weighing_work(0.005)
    sizes = [10 + 7 * (n % 9) for n in range(30)]
    jobs = [pool.start(n, work, cost=1000.0 * (n % 3), memory=size) for n, size in enumerate(sizes)]
    assert [job.wait(20) for job in jobs] == sizes
    assert 60 < most[0] <= 100


def test_a_job_larger_than_the_budget_runs_alone():
    pool, gate = JobPool("test", workers=4, budget=MemoryBudget(lambda: 100)), threading.Event()
    small = start_blocking_job(pool, gate, "small", cost=1000, memory=10)
    large = pool.start("large", lambda job: "done", cost=1000, memory=1000)
    assert wait_until(lambda: small.state == "working") and large.state == "waiting"
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
    held = start_blocking_job(maps, gates[0], "held", cost=1000, memory=80, session_id="a")
    assert wait_until(lambda: held.state == "working")
    free = training.start("free", lambda job: "done", cost=1000, session_id="a")
    assert free.wait(5) == "done", "what needs no memory waits for none"
    assert wait_until(lambda: count_jobs(budget.pools).working == 1)
    first = start_blocking_job(passes, gates[1], "first", cost=1000, memory=60, session_id="b")
    second = start_blocking_job(maps, gates[2], "second", cost=2000, memory=60, session_id="a")
    third = start_blocking_job(training, gates[3], "third", cost=3000, memory=40, session_id="c")
    assert [job.place for job in (first, second, third)] == [1, 1, 1], "each in its own queue"
    counts = count_jobs(budget.pools)
    assert (counts.working, counts.waiting, counts.sessions, counts.reserved) == (1, 3, 3, 80), (
        "a visitor of two pools is one"
    )
    gates[0].set()
    assert wait_until(lambda: first.state == third.state == "working") and second.state == "waiting"
    assert count_jobs(budget.pools).reserved == 100
    for gate in gates:
        gate.set()
    assert all(job.wait(5) for job in (first, second, third))
    assert wait_until(
        lambda: count_jobs(budget.pools).reserved == count_jobs(budget.pools).working == 0
    ) and budget.reserve(100)


def test_jobs_of_three_pools_never_hold_more_than_the_budget_and_all_end():
    budget, (work, most) = MemoryBudget(lambda: 100), build_weighing_work(0.002)
    pools = [JobPool("test", workers=4, quick_workers=2, budget=budget) for _ in range(3)]

    def start_jobs(pool: JobPool, jobs: list[Job[int]]) -> None:
        jobs += [pool.start(n, work, cost=40.0 * (n % 3), memory=10 + 7 * (n % 9)) for n in range(60)]

    started: list[list[Job[int]]] = [[], [], []]
    threads = [threading.Thread(target=start_jobs, args=pair) for pair in zip(pools, started, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [job.wait(20) for jobs in started for job in jobs] == [10 + 7 * (n % 9) for n in range(60)] * 3
    assert 60 < most[0] <= 100


def test_a_job_larger_than_the_budget_waits_for_other_pools_and_holds_them_up():
    budget, gates = MemoryBudget(lambda: 100), [threading.Event(), threading.Event()]
    first, second = JobPool("test", budget=budget), JobPool("test", budget=budget)
    small = start_blocking_job(first, gates[0], "small", cost=1000, memory=10)
    assert wait_until(lambda: small.state == "working")
    large = start_blocking_job(second, gates[1], "large", cost=1000, memory=1000)
    assert large.state == "waiting"
    gates[0].set()
    assert wait_until(lambda: large.state == "working")
    next_ = first.start("next", lambda job: "done", memory=1)
    assert next_.state == "waiting" and first.start("nothing", lambda job: 1).wait(5) == 1, (
        "what needs no memory does not wait"
    )
    gates[1].set()
    assert large.wait(5) and next_.wait(5) == "done"


def test_a_budget_forgets_pools_that_are_gone():
    budget = MemoryBudget(lambda: 100)

    def open_pool() -> None:
        pool = JobPool("test", budget=budget)
        assert pool.start("a", lambda job: 1, memory=10).wait(5) == 1 and budget.pools == [pool]

    open_pool()

    def is_gone() -> bool:
        gc.collect()
        return budget.pools == []

    assert wait_until(is_gone)
    assert JobPool("test", budget=budget) in budget.pools and len(budget._pools) == 1
