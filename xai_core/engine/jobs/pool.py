"""Job pool: a few threads, a queue before them, and one job for equal requests.

Workers never see the page; the page polls. A waiting job starts when a worker is free and its memory fits into the
budget.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Container, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from xai_core.engine.jobs.job import Job
from xai_core.engine.jobs.memory_budget import MemoryBudget

log = logging.getLogger(__name__)

T = TypeVar("T")

# Timeout of jobs that pages poll twice a second; browsers slow pages in the background down to one poll a minute.
CLOSED_TAB_S = 120.0
# Seconds of queue priority per forward pass: a cheap job overtakes a dear one, but only for so long.
PACE_S = 0.01
# Seconds after its last touch for which a session is counted.
_PRESENT_S = 120.0


class QueueEntry(NamedTuple):
    """A waiting job; the smallest (due, number) goes first."""

    due: float
    number: int
    job: Job[Any]
    work: Callable[[Job[Any]], Any]


class JobPool:
    """Threads that run jobs. Equal keys share one job; the latest finished ones are kept.

    Queue priority: FIFO by submit time plus cost / 100 s; a session's cheaper jobs count too.

    Polls (`find`, `place`, `count_jobs`, `leave` without a job to leave) take no lock and read only what Python changes
    in one step. With thirty pages polling, the lock's holder had to wait for the interpreter, and pages stood still for
    a minute.
    """

    def __init__(
        self,
        name: str,
        workers: int = 6,
        quick_workers: int = 3,
        keep: int = 64,
        timeout: float = float("inf"),
        budget: MemoryBudget[JobPool] | None = None,
        on_done: Callable[[Job[Any]], None] = lambda _job: None,
    ) -> None:
        """Open a pool that the registry knows by its name.

        `keep`: finished jobs that are remembered. `timeout`: seconds without a touch after which a job stops, since its
        page was closed. `budget`: None for that of the process. `on_done` is called in the worker once a job's result
        can be seen.
        """
        self.name = name
        self._executor = ThreadPoolExecutor(workers + quick_workers, thread_name_prefix="whybox-job")
        self._workers, self._quick_workers = workers, quick_workers
        self._lock = threading.RLock()
        self._waiting: list[QueueEntry] = []
        self._working: list[Job[Any]] = []
        self._numbers = itertools.count()
        self._by_key: dict[Hashable, Job[Any]] = {}
        self._keep = keep
        self._timeout = timeout
        self._on_done = on_done
        self._budget = BUDGET if budget is None else budget
        self._budget.add_pool(self)

    def find(self, key: Hashable) -> Job[Any] | None:
        """Return the job of a key in whatever state, or None if it is not remembered."""
        return self._by_key.get(key)

    def put(self, key: Hashable, result: T, session_id: str = "") -> Job[T]:
        """Add a finished job for a result that exists already."""
        job = Job.from_result(key, result)
        job.pool = self
        job.touch(session_id)
        with self._lock:
            self._remember(job)
        return job

    def start(
        self,
        key: Hashable,
        work: Callable[[Job[T]], T],
        cost: float = 0.0,
        session_id: str = "",
        memory: int = 0,
        restart: bool = False,
    ) -> Job[T]:
        """Queue the work, or join the job that already does it or, unless `restart`, has done it.

        `cost` in forward passes, `memory` in bytes.

        >>> JobPool("example").start("key", lambda job: 7).wait()
        7
        """
        joinable = ("waiting", "working") if restart else ("waiting", "working", "done")
        with self._lock:
            job = self._by_key.get(key)
            # A job that was told to stop is not joined: its result may never come.
            if job is not None and not job.is_stopping and job.state in joinable:
                job.touch(session_id)
                return job
            job = Job(key, cost, memory)
            job.timeout, job.pool = self._timeout, self
            cost_before = self._cost_before(session_id, cost)
            job.touch(session_id)
            self._remember(job)
            due = time.monotonic() + PACE_S * (cost + cost_before)
            self._waiting.append(QueueEntry(due, next(self._numbers), job, work))
            self.start_queued_jobs()
        return job

    def _cost_before(self, session_id: str, cost: float) -> float:
        """Return the cost of the session's unfinished jobs that are no dearer."""
        return sum(
            job.cost
            for job in self._by_key.values()
            if session_id in job.sessions and not job.is_finished and job.cost <= cost
        )

    def leave(self, session_id: str, keep: Container[Hashable] = ()) -> None:
        """Let a session wait for the keys to keep only, and cancel the jobs that no session waits for any more."""
        left = [job for key, job in list(self._by_key.items()) if session_id in job.sessions and key not in keep]
        if not left:
            return
        with self._lock:
            for job in left:
                job.sessions.pop(session_id, None)
                if not job.sessions and not job.is_finished:
                    job.cancel()
            self.start_queued_jobs()

    def stop(self) -> None:
        """Cancel every unfinished job: a process that ends must not wait for them."""
        with self._lock:
            for job in self._by_key.values():
                if not job.is_finished:
                    job.cancel()
            self.start_queued_jobs()

    def place(self, job: Job[Any], /) -> int | None:
        """Return a waiting job's position in the queue, from 1; None if it does not wait."""
        # A copy: the queue may change while it is read without the lock.
        waiting = [entry for entry in list(self._waiting) if entry.job.state == "waiting"]
        order = {id(entry.job): (entry.due, entry.number) for entry in waiting}
        own = order.get(id(job))
        return None if own is None else sum(priority <= own for priority in order.values())

    @property
    def next_due(self) -> float:
        """Queue priority of the first waiting job; infinity without one."""
        return min((entry.due for entry in list(self._waiting)), default=float("inf"))

    def start_queued_jobs(self) -> None:
        """Start the waiting jobs that have a worker and fit into the budget, in the order of the queue.

        A long job that does not fit holds up the long ones behind it, or it would never fit.
        """
        blocked = False
        with self._lock:
            for entry in sorted(self._waiting, key=lambda entry: (entry.due, entry.number)):
                job = entry.job
                # A job may have been cancelled while it waited.
                if job.is_finished:
                    self._waiting.remove(entry)
                elif self._has_worker(job, blocked) and self._budget.reserve(job.memory):
                    self._waiting.remove(entry)
                    self._working.append(job)
                    self._executor.submit(self._run, job, entry.work).add_done_callback(_log_unforeseen)
                else:
                    blocked = True

    def _has_worker(self, job: Job[Any], blocked: bool) -> bool:
        if job.is_quick:
            return len(self._working) < self._workers + self._quick_workers
        # Long jobs leave the quick workers free.
        return not blocked and sum(not working.is_quick for working in self._working) < self._workers

    def _run(self, job: Job[Any], work: Callable[[Job[Any]], Any]) -> None:
        try:
            job.run(work)
            if job.state == "done":
                self._on_done(job)
        finally:
            with self._lock:
                self._working.remove(job)
            # Wakes all pools, this one too, which has a free worker now.
            self._budget.release(job.memory)

    def _remember(self, job: Job[Any]) -> None:
        """Keep a job by its key, and drop the finished ones over the limit, longest untouched first."""
        self._by_key[job.key] = job
        others = [known for known in self._by_key.values() if known.is_finished and known is not job]
        others.sort(key=lambda known: known.last_touch)
        for old in others[: max(len(others) + job.is_finished - self._keep, 0)]:
            del self._by_key[old.key]


# Budget of this process, shared by all its pools.
BUDGET: MemoryBudget[JobPool] = MemoryBudget()


@dataclass(frozen=True)
class JobCounts:
    """Load of some pools."""

    waiting: int
    working: int
    sessions: int
    """Sessions that polled within the last two minutes."""
    reserved: int
    """Bytes reserved for the working jobs."""


def count_jobs(pools: Iterable[JobPool]) -> JobCounts:
    """Count the jobs, sessions and reserved bytes of some pools. Takes no lock."""
    now, sessions, waiting = time.monotonic(), set[str](), 0
    working: list[Job[Any]] = []
    for pool in pools:
        for job in list(pool._by_key.values()):
            sessions |= {session_id for session_id, at in list(job.sessions.items()) if now - at < _PRESENT_S}
        waiting += sum(entry.job.state == "waiting" for entry in list(pool._waiting))
        working += list(pool._working)
    return JobCounts(waiting, len(working), len(sessions), sum(job.memory for job in working))


def _log_unforeseen(future: Future[None]) -> None:
    problem = future.exception()
    if problem is not None:
        log.error("A job ended with an unforeseen error.", exc_info=problem)
