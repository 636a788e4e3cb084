"""Job: progress in evaluations, seconds left, and cancel within one batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, Literal, Protocol, TypeVar

from xai_core.errors import Cancelled, XaiError

T = TypeVar("T")
State = Literal["waiting", "working", "done", "failed", "cancelled"]

# Jobs of at most so many forward passes have workers of their own beside the long ones.
QUICK_COST = 64.0
# Share of the work, and seconds, from which the speed is known well enough to tell the time left.
MIN_SHARE, MIN_ESTIMATE_S = 0.04, 0.5
_UNFORESEEN = "This failed for an unforeseen reason. Nothing else is affected; the details are in the server's log."
_STOPPED = "Stopped. Start it again whenever you like."


class Queue(Protocol):
    """The pool a job was started in, as far as the job needs it."""

    name: str

    def place(self, job: Job[Any], /) -> int | None:
        """Return the job's position in the queue, from 1."""


class Job(Generic[T]):
    """A piece of work: methods call `expect` and `tick`; pages read `state`, `fraction`, `seconds_left`.

    >>> job = Job()
    >>> job.expect(4)
    >>> job.tick(1)
    >>> job.done, job.total
    (1, 4)
    """

    def __init__(self, key: Hashable = None, cost: float = 0.0, memory: int = 0) -> None:
        """`cost` in forward passes, `memory` in bytes that the job may hold while it works."""
        self.key = key
        self.cost = cost
        self.memory = memory
        self.total = 0
        self.done = 0
        self.virtual_time: float | None = None
        """Evaluations received from the scheduler, counted from the scheduler's clock at the job's first task."""
        self.sessions: dict[str, float] = {}
        """Sessions that wait for the job, each with the time of its last touch."""
        self.last_touch = time.monotonic()
        self.timeout = float("inf")
        """Seconds without a touch of any session after which the job stops."""
        self.pool: Queue | None = None
        self.preview: Any = None
        """Unfinished result that a page may show, dropped at the end; the work replaces it whenever it likes."""
        self.is_preview_wanted = False
        self.result: T | None = None
        self.error: XaiError | None = None
        self.state: State = "waiting"
        self._first_tick: tuple[float, int] | None = None
        """Time and evaluations of the first tick that had some."""
        self._end: float | None = None
        """Earliest end that has been told, on the monotonic clock."""
        self._stop = threading.Event()
        self._finished = threading.Event()

    @classmethod
    def from_result(cls, key: Hashable, result: T) -> Job[T]:
        """Return a finished job for a result that exists already."""
        job = cls(key)
        job.result, job.state = result, "done"
        job._finished.set()
        return job

    def expect(self, total: int) -> None:
        """Set the number of evaluations to come in all; call again when the work turns out longer."""
        self.total = max(total, self.done)

    def tick(self, evaluations: int = 0) -> None:
        """Count evaluations done.

        Raises:
            Cancelled: if `cancel` was called or no session has touched the job for `timeout` seconds.
        """
        self.done += evaluations
        if self.done and self._first_tick is None:
            self._first_tick = time.monotonic(), self.done
        # A copy, since other threads add and remove sessions meanwhile.
        touches = list(self.sessions.values())
        if touches and time.monotonic() - max(touches) > self.timeout:
            self._stop.set()
        if self._stop.is_set():
            raise Cancelled(_STOPPED)

    def touch(self, session_id: str) -> None:
        """Note that a session waits for the job and is still there."""
        self.sessions[session_id] = self.last_touch = time.monotonic()

    def request_preview(self) -> Any:
        """Return the latest preview, and let the work make a newer one: none is made that nobody waits for."""
        self.is_preview_wanted = True
        return self.preview

    def show_preview(self, preview: Any) -> None:
        """Put a preview in the place of the last one."""
        self.preview, self.is_preview_wanted = preview, False

    def cancel(self) -> None:
        """Stop the work: at once if it has not begun, else at its next tick."""
        self._stop.set()
        if self.state == "waiting":
            self.state, self.error = "cancelled", Cancelled(_STOPPED)
            self._finished.set()

    @property
    def is_quick(self) -> bool:
        """True if the cost is at most QUICK_COST."""
        return self.cost <= QUICK_COST

    @property
    def is_stopping(self) -> bool:
        """True from the call of `cancel` on, or from the timeout on."""
        return self._stop.is_set()

    @property
    def is_finished(self) -> bool:
        """True once the job is done, failed or cancelled."""
        return self._finished.is_set()

    @property
    def place(self) -> int | None:
        """Position in the queue, from 1; None if the job does not wait in one."""
        return None if self.pool is None else self.pool.place(self)

    @property
    def fraction(self) -> float:
        """Share of the work done, 0 to 1."""
        if self.is_finished:
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the speed since the first evaluations, which only shrinks; None before it is known.

        The time before them is left out: a model may have been compiled.
        """
        if self.state != "working" or not self.total or self._first_tick is None:
            return None
        began, done = self._first_tick
        now, steps = time.monotonic(), self.done - done
        if steps < MIN_SHARE * self.total or now - began < MIN_ESTIMATE_S:
            return None if self._end is None else max(self._end - now, 0.0)
        end = now + (now - began) * max(self.total - self.done, 0) / steps
        self._end = end if self._end is None else min(end, self._end)
        return max(self._end - now, 0.0)

    def wait(self, timeout: float | None = None) -> T:
        """Return the result. Raises the work's own error, or TimeoutError after `timeout` seconds."""
        if not self._finished.wait(timeout):
            raise TimeoutError(f"not finished after {timeout} s")
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # T may itself be optional

    def run(self, work: Callable[[Job[T]], T]) -> None:
        """Do the work in this thread and keep its result or error; an unforeseen error is raised as well."""
        state: State = "failed"
        error: XaiError | None = XaiError(_UNFORESEEN)
        try:
            self.state = "working"
            self.tick()
            self.result = work(self)
            state, error = "done", None
        except Cancelled as cancellation:
            state, error = "cancelled", cancellation
        except XaiError as problem:
            error = problem
        finally:
            self.error, self.state, self.preview = error, state, None
            self._finished.set()


class PartJob(Job[Any]):
    """One piece of work within a longer job: its steps are its own, but a cancel of the whole stops it too."""

    def __init__(self, whole: Job[Any]) -> None:
        super().__init__()
        self._whole = whole

    def tick(self, evaluations: int = 0) -> None:
        super().tick(evaluations)
        self._whole.tick()
