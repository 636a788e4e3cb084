"""Work that takes time: progress in evaluations, place in the queue, seconds left, cancel within one batch, equal requests shared.

Workers never see the page; the page polls. A waiting job starts when a worker is free and its memory fits into the room that all pools
of jobs share.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Container, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from weakref import ref

from xai_core.engine import memory
from xai_core.errors import Cancelled, XaiError

log = logging.getLogger(__name__)

T = TypeVar("T")
State = Literal["waiting", "working", "done", "failed", "cancelled"]

CLOSED_TAB_S = 120.0
"""A grace for work of pages: they ask about it twice a second, and browsers slow down pages in the background to once a minute."""
QUICK_COST = 64.0
"""Work of at most so many forward passes does not wait for a free worker among the long ones."""
PACE_S = 0.01
"""Each forward pass of a job puts it this far back in the queue: a cheap one overtakes dear ones, but only for so long."""
_UNFORESEEN = "This failed for a reason nobody foresaw. Nothing else is affected; the details are in the server's log."
_STOPPED = "Stopped. Start it again whenever you like."


class Job(Generic[T]):
    """One piece of work. Methods call `expect` and `tick`; pages read `state`, `fraction`, `seconds_left` and `cancel`."""

    def __init__(self, key: Hashable = None, cost: float = 0.0, memory: int = 0) -> None:
        self.key = key
        self.cost = cost
        self.memory = memory
        """Bytes it may hold while it works."""
        self.total = 0
        self.done = 0
        self.share: float | None = None
        """What the scheduler has given it, in evaluations, counted from where the others stood when it came."""
        self.sessions: dict[str, float] = {}
        """Who waits, and when they last asked."""
        self.asked = time.monotonic()
        """When anybody last asked."""
        self.grace = float("inf")
        self.queue: Jobs | None = None
        """Where it waits for a worker."""
        self.result: T | None = None
        self.error: XaiError | None = None
        self.state: State = "waiting"
        self._started = 0.0
        self._stop = threading.Event()
        self._finished = threading.Event()

    @classmethod
    def of(cls, key: Hashable, result: T) -> Job[T]:
        """A job whose result was there before it was asked for."""
        job = cls(key)
        job.result, job.state = result, "done"
        job._finished.set()
        return job

    def expect(self, total: int) -> None:
        """Say how many evaluations are to come in all. May be called again when the work turns out longer."""
        self.total = max(total, self.done)

    def tick(self, evaluations: int = 0) -> None:
        """Count evaluations done. Raises Cancelled when somebody asked to stop."""
        self.done += evaluations
        asked = list(self.sessions.values())  # a copy at once: others come and go meanwhile
        if asked and time.monotonic() - max(asked) > self.grace:
            self._stop.set()
        if self._stop.is_set():
            raise Cancelled(_STOPPED)

    def ask(self, session_id: str) -> None:
        """This session wants it, and is there now."""
        self.sessions[session_id] = self.asked = time.monotonic()

    def cancel(self) -> None:
        """Ask the work to stop: at once if it has not begun, else at its next tick."""
        self._stop.set()
        if self.state == "waiting":
            self.state, self.error = "cancelled", Cancelled(_STOPPED)
            self._finished.set()

    @property
    def quick(self) -> bool:
        """True for work that need not wait for a worker among the long ones."""
        return self.cost <= QUICK_COST

    @property
    def stopping(self) -> bool:
        """True from the moment somebody asked to stop."""
        return self._stop.is_set()

    @property
    def finished(self) -> bool:
        return self._finished.is_set()

    @property
    def place(self) -> int | None:
        """Where it stands in the queue, the next one at 1; None if it does not wait."""
        return None if self.queue is None else self.queue.place(self)

    @property
    def fraction(self) -> float:
        """Share of the work done, 0 to 1."""
        return 1.0 if self.finished else min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """A guess from the speed so far, or None before there is one."""
        if self.state != "working" or not self.done or not self.total:
            return None
        return (time.monotonic() - self._started) * max(self.total - self.done, 0) / self.done

    def wait(self, timeout: float | None = None) -> T:
        """The result; raises the work's own error, or TimeoutError."""
        if not self._finished.wait(timeout):
            raise TimeoutError(f"not finished after {timeout} s")
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # T may itself be optional

    def run(self, work: Callable[[Job[T]], T]) -> None:
        """Do the work in this thread and keep its outcome. What nobody foresaw is kept as a sentence, then raised for the log."""
        state: State = "failed"
        error: XaiError | None = XaiError(_UNFORESEEN)
        try:
            self.state, self._started = "working", time.monotonic()
            self.tick()
            self.result = work(self)
            state, error = "done", None
        except Cancelled as stop:
            state, error = "cancelled", stop
        except XaiError as problem:
            error = problem
        finally:
            self.error, self.state = error, state
            self._finished.set()


@dataclass(frozen=True)
class JobCounts:
    """How busy the workers are."""

    waiting: int
    working: int
    sessions: int
    """Who asked within the last two minutes."""
    reserved: int
    """Bytes set aside for the jobs that work."""


class Room:
    """Memory that the jobs of several pools share: what a job of one gives back, a job of any other may take.

    Who came first gets it first, but a small one of another pool may get what is too little for a large one.
    """

    def __init__(self, budget: Callable[[], int] = memory.budget) -> None:
        """`budget`: bytes that all working jobs together may hold; one alone may hold more."""
        self._budget = budget
        self._lock = threading.Lock()
        self._held = 0
        self._pools: tuple[ref[Jobs], ...] = ()

    @property
    def pools(self) -> list[Jobs]:
        """Those that share it and are still there. Takes no lock."""
        return [pool for each in self._pools if (pool := each()) is not None]

    def join(self, pool: Jobs) -> None:
        """Let a pool share it for as long as the pool is there."""
        with self._lock:
            self._pools = (*map(ref, self.pools), ref(pool))

    def take(self, size: int) -> bool:
        """Set so many bytes aside; False where they do not fit."""
        with self._lock:
            fits = not size or not self._held or self._held + size <= self._budget()
            self._held += size if fits else 0
            return fits

    def give(self, size: int) -> None:
        """Take so many bytes back, and let all pools look again. Called without any pool's lock: each takes its own."""
        with self._lock:
            self._held -= size
        for pool in sorted(self.pools, key=lambda pool: pool.due):
            pool.start_what_fits()

    def counts(self) -> JobCounts:
        """How busy the workers of all pools are now."""
        return _counts(self.pools)


ROOM = Room()
"""That of this process: whatever it makes in the background shares it."""


class Jobs:
    """Runs jobs on a few threads. Equal keys share one job; finished ones are kept for a while.

    First comes who came first, put back by the cost of the job and of what the same visitor waits for that is no dearer.

    What every look of every page asks (`find`, `place`, `counts`, `leave` where nothing is left) takes no lock, but reads what Python
    changes in one step. With thirty pages looking, whoever got the lock first had to wait for the interpreter while holding it, and
    pages stood still for a minute that had their maps.
    """

    def __init__(
        self,
        workers: int = 6,
        quick_workers: int = 3,
        keep: int = 64,
        grace: float = float("inf"),
        room: Room = ROOM,
        finished: Callable[[Job[Any]], None] = lambda _job: None,
    ) -> None:
        """`grace`: seconds after which work stops that nobody has asked about again, since their page was closed.

        `room`: the memory for what works. `finished` is called in the worker when a job is done and everybody can see it.
        """
        self._pool = ThreadPoolExecutor(workers + quick_workers, thread_name_prefix="whybox-job")
        self._workers, self._quick_workers = workers, quick_workers
        self._lock = threading.RLock()
        self._waiting: list[tuple[float, int, Job[Any], Callable[[Job[Any]], Any]]] = []
        self._working: list[Job[Any]] = []
        self._order = itertools.count()
        self._by_key: dict[Hashable, Job[Any]] = {}
        self._keep = keep
        self._grace = grace
        self._tell = finished
        self._room = room
        room.join(self)

    def find(self, key: Hashable, session_id: str | None = None) -> Job[Any] | None:
        """The job of this key in whatever state. A session that asks shows to be still there."""
        job = self._by_key.get(key)
        if job is not None and session_id is not None:
            job.ask(session_id)
        return job

    def put(self, key: Hashable, result: T, session_id: str = "") -> Job[T]:
        """A finished job for a result that was there already."""
        job = Job.of(key, result)
        job.ask(session_id)
        with self._lock:
            self._remember(job)
        return job

    def submit(
        self,
        key: Hashable,
        work: Callable[[Job[T]], T],
        cost: float = 0.0,
        session_id: str = "",
        memory: int = 0,
        again: bool = False,
    ) -> Job[T]:
        """Start the work, or join the job that already does it or, unless it is wanted `again`, has done it.

        `cost` in forward passes, `memory` in bytes.
        """
        with self._lock:
            job = self._by_key.get(key)
            if (
                job is not None
                and not job.stopping
                and job.state in (("waiting", "working") if again else ("waiting", "working", "done"))
            ):
                job.ask(session_id)
                return job
            job = Job(key, cost, memory)
            job.grace, job.queue = self._grace, self
            before = sum(
                each.cost
                for each in self._by_key.values()
                if session_id in each.sessions and not each.finished and each.cost <= cost
            )
            job.ask(session_id)
            self._remember(job)
            self._waiting.append((time.monotonic() + PACE_S * (cost + before), next(self._order), job, work))
            self.start_what_fits()
        return job

    def leave(self, session_id: str, keep: Container[Hashable] = ()) -> None:
        """This session waits for nothing any more but the keys to keep; work that nobody waits for stops."""
        left = [job for key, job in list(self._by_key.items()) if session_id in job.sessions and key not in keep]
        if not left:
            return
        with self._lock:
            for job in left:
                job.sessions.pop(session_id, None)
                if not job.sessions and not job.finished:
                    job.cancel()
            self.start_what_fits()

    def stop(self) -> None:
        """Cancel everything that is not finished: a process that ends must not wait for it."""
        with self._lock:
            for job in self._by_key.values():
                if not job.finished:
                    job.cancel()
            self.start_what_fits()

    def place(self, job: Job[Any]) -> int | None:
        """Where a waiting job stands in the queue, the next one at 1; None if it does not wait."""
        line = {id(each): (due, number) for due, number, each, _ in list(self._waiting) if each.state == "waiting"}
        mine = line.get(id(job))
        return None if mine is None else sum(other <= mine for other in line.values())

    @property
    def due(self) -> float:
        """When the turn comes of the next one that waits; infinity if none does."""
        return min((due for due, *_ in list(self._waiting)), default=float("inf"))

    def counts(self) -> JobCounts:
        """How busy the workers are now."""
        return _counts([self])

    def start_what_fits(self) -> None:
        """Hand the first ones to the workers. A long one that does not fit holds up the long ones behind it, or it would never fit."""
        held_up = False
        with self._lock:
            for entry in sorted(self._waiting, key=lambda entry: entry[:2]):
                _, _, job, work = entry
                if job.finished:  # cancelled while it waited
                    self._waiting.remove(entry)
                elif self._has_worker(job, held_up) and self._room.take(job.memory):
                    self._waiting.remove(entry)
                    self._working.append(job)
                    self._pool.submit(self._run, job, work).add_done_callback(_log_unforeseen)
                else:
                    held_up = True

    def _has_worker(self, job: Job[Any], held_up: bool) -> bool:
        if job.quick:
            return len(self._working) < self._workers + self._quick_workers
        return not held_up and sum(not each.quick for each in self._working) < self._workers

    def _run(self, job: Job[Any], work: Callable[[Job[Any]], Any]) -> None:
        try:
            job.run(work)
            if job.state == "done":
                self._tell(job)
        finally:
            with self._lock:
                self._working.remove(job)
            self._room.give(job.memory)  # its worker is free too: this pool looks again like all others

    def _remember(self, job: Job[Any]) -> None:
        """Keep this job by its key, and drop the longest unused finished ones over the limit."""
        self._by_key[job.key] = job
        finished = sorted(
            (each for each in self._by_key.values() if each.finished and each is not job), key=lambda each: each.asked
        )
        for old in finished[: max(len(finished) + job.finished - self._keep, 0)]:
            del self._by_key[old.key]


def _counts(pools: Iterable[Jobs]) -> JobCounts:
    now, seen, waiting, working = time.monotonic(), set(), 0, []
    for pool in pools:
        jobs = list(pool._by_key.values())
        seen |= {name for job in jobs for name, at in list(job.sessions.items()) if now - at < 120}
        waiting += sum(job.state == "waiting" for _, _, job, _ in list(pool._waiting))
        working += list(pool._working)
    return JobCounts(waiting, len(working), len(seen), sum(job.memory for job in working))


def _log_unforeseen(future: Future[None]) -> None:
    problem = future.exception()
    if problem is not None:
        log.error("A job ended with an unforeseen error.", exc_info=problem)
