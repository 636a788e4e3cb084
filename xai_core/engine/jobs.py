"""Work that takes time: progress in evaluations, seconds left, cancel within one batch, equal requests shared.

Workers never see the page; the page polls. Merging batches of several jobs and a store on disk will stand behind this same interface.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Container, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, Literal, TypeVar

from xai_core.errors import Cancelled, XaiError

log = logging.getLogger(__name__)

T = TypeVar("T")
State = Literal["waiting", "working", "done", "failed", "cancelled"]

_UNFORESEEN = "This failed for a reason nobody foresaw. Nothing else is affected; the details are in the server's log."
_STOPPED = "Stopped. Nothing was kept of this explanation; start it again whenever you like."


class Job(Generic[T]):
    """One piece of work. Methods call `expect` and `tick`; pages read `state`, `fraction`, `seconds_left` and `cancel`."""

    def __init__(self, key: Hashable = None, cost: float = 0.0) -> None:
        self.key = key
        self.cost = cost
        self.total = 0
        self.done = 0
        self.waiters: dict[str, float] = {}
        """Who waits, and when they last asked."""
        self.grace = float("inf")
        self.result: T | None = None
        self.error: XaiError | None = None
        self.state: State = "waiting"
        self._started = 0.0
        self._stop = threading.Event()
        self._finished = threading.Event()

    def expect(self, total: int) -> None:
        """Say how many evaluations are to come in all. May be called again when the work turns out longer."""
        self.total = max(total, self.done)

    def tick(self, evaluations: int = 0) -> None:
        """Count evaluations done. Raises Cancelled when somebody asked to stop."""
        self.done += evaluations
        asked = list(self.waiters.values())  # a copy at once: others come and go meanwhile
        if asked and time.monotonic() - max(asked) > self.grace:
            self._stop.set()
        if self._stop.is_set():
            raise Cancelled(_STOPPED)

    def cancel(self) -> None:
        """Ask the work to stop: at once if it has not begun, else at its next tick."""
        self._stop.set()
        if self.state == "waiting":
            self.state, self.error = "cancelled", Cancelled(_STOPPED)
            self._finished.set()

    @property
    def stopping(self) -> bool:
        """True from the moment somebody asked to stop."""
        return self._stop.is_set()

    @property
    def finished(self) -> bool:
        return self._finished.is_set()

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


class Jobs:
    """Runs jobs on a few threads, the cheapest waiting one first. Equal keys share one job; finished ones are kept for a while."""

    def __init__(self, workers: int = 3, keep: int = 256, grace: float = float("inf")) -> None:
        """`grace`: seconds after which work stops that nobody has asked about again, since their page was closed."""
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="whybox-job")
        self._lock = threading.Lock()
        self._waiting: list[tuple[float, int, Job[Any], Callable[[Job[Any]], Any]]] = []
        self._order = itertools.count()
        self._by_key: OrderedDict[Hashable, Job[Any]] = OrderedDict()
        self._keep = keep
        self._grace = grace

    def submit(self, key: Hashable, work: Callable[[Job[T]], T], cost: float = 0.0, waiter: str = "") -> Job[T]:
        """Start the work, or join the job that already does it (or has done it). Asking again only shows that the waiter is still there."""
        with self._lock:
            job = self._by_key.get(key)
            if job is not None and not job.stopping and job.state not in ("failed", "cancelled"):
                job.waiters[waiter] = time.monotonic()
                self._by_key.move_to_end(key)
                return job
            job = Job(key, cost)
            job.grace = self._grace
            job.waiters[waiter] = time.monotonic()
            self._by_key[key] = job
            self._by_key.move_to_end(key)
            self._forget()
            heapq.heappush(self._waiting, (cost, next(self._order), job, work))
        self._pool.submit(self._run_cheapest).add_done_callback(_log_unforeseen)
        return job

    def leave(self, waiter: str, keep: Container[Hashable] = ()) -> None:
        """This waiter waits for nothing any more but the keys to keep; work that nobody waits for stops."""
        with self._lock:
            for key, job in self._by_key.items():
                if waiter in job.waiters and key not in keep:
                    del job.waiters[waiter]
                    if not job.waiters and not job.finished:
                        job.cancel()

    def _run_cheapest(self) -> None:
        with self._lock:
            _, _, job, work = heapq.heappop(self._waiting)
        job.run(work)

    def _forget(self) -> None:
        """Drop the longest unused finished jobs over the limit."""
        finished = [key for key, job in self._by_key.items() if job.finished]
        for key in finished[: max(len(finished) - self._keep, 0)]:
            del self._by_key[key]


def _log_unforeseen(future: Future[None]) -> None:
    problem = future.exception()
    if problem is not None:
        log.error("A job ended with an unforeseen error.", exc_info=problem)
