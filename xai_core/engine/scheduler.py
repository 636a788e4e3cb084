"""One line for the whole process before a few lanes, and whose turn it is: shared forward batches and gradient work, by fair shares.

A lane works on one batch at a time with cores of its own (see cores.py), so no more is ever under way than the cores can do. Rows of
different jobs that ask the same model travel in one batch. Whose turn it is goes by evaluations received (start-time fair queueing:
Goyal, Vin & Cheng 1996), except that whoever needs only a few more goes before everybody else, and every few turns the one who has
waited longest goes whatever it needs: nobody starves.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import torch

from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.errors import XaiError

log = logging.getLogger(__name__)

T = TypeVar("T")

QUICK = 24
"""A job with no more evaluations left than this goes first: a prediction, a Grad-CAM, the end of a long one."""
OLDEST_EVERY = 8
"""Every so many turns the ticket that has waited longest is served."""
GRADIENT_COST = 4
"""What one forward-and-backward pass counts, in forward passes on the compiled network."""
_LOOK_S = 0.05
"""How often a waiting job looks whether it was stopped."""
_SPEED_S = 10.0
_NOT_YET: Any = object()
"""Stands for an answer that has not come: work may well give None."""
_FAILED = (
    "The model failed while it was working on this, also after its engine was built anew. "
    "Nothing else is affected. Try again, or choose another model."
)


class Backend(Protocol):
    """What runs batches: one for each model in memory."""

    micro_batch: int

    def run(self, batch: torch.Tensor, /) -> torch.Tensor:
        """Logits (N, classes) for prepared pictures (N, C, H, W). Called by several lanes at once."""

    def rebuild(self) -> None:
        """Make what runs batches anew, after it has failed."""


@dataclass(eq=False)
class Task(Generic[T]):
    """A place in the line: rows to be answered by a backend, work to be done in a lane, or, without either, the lane for oneself."""

    scheduler: Scheduler
    job: Job[Any] | None
    number: int
    evaluations: int
    cost: float
    backend: Backend | None = None
    batch: torch.Tensor | None = None
    work: Callable[[], T] | None = None
    found: T = _NOT_YET
    error: BaseException | None = None
    alone: bool = False
    """True if nothing else was under way or waited when its turn came, so that it may use all cores."""
    ready: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def quick(self) -> bool:
        return self.job is None or self.job.total - self.job.done <= QUICK

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Who goes first: the smallest."""
        return not self.quick, (self.job.virtual_time or 0.0) if self.job else 0.0, self.number

    @property
    def cores(self) -> int:
        return cores.CORES if self.alone else cores.CORES_PER_WORKER

    def wait(self) -> T:
        """The logits (N, classes), or what the work gave.

        Raises Cancelled when the job is stopped meanwhile, XaiError when the model fails, and what the work itself raised.
        """
        self._stand_in_line()
        if self.found is _NOT_YET:
            raise self.error if self.work is not None and self.error is not None else XaiError(_FAILED) from self.error
        return self.found

    def _stand_in_line(self) -> None:
        while not self.ready.wait(_LOOK_S):
            if self.job is not None:
                try:
                    self.job.tick()
                except BaseException:
                    self.cancel()
                    raise

    def cancel(self) -> None:
        """Leave the line; what is already running runs to its end unheard."""
        self.scheduler.drop(self)
        self.released.set()


class Scheduler:
    """The line, and the lanes that serve it: a thread each."""

    def __init__(self, lanes: int = cores.WORKERS) -> None:
        self.lanes = lanes
        self._changed = threading.Condition()
        self._line: list[Task[Any]] = []
        self._numbers = itertools.count()
        self._clock = 0.0
        """The share of the job served last: where new jobs start, so that an old one need not wait until they have caught up."""
        self._turn = 0
        self._threads: list[threading.Thread] = []
        self._under_way = 0
        self._served: deque[tuple[float, int]] = deque()

    def submit(self, backend: Backend, batch: torch.Tensor, job: Job[Any] | None = None) -> Task[torch.Tensor]:
        """Queue prepared pictures (N, C, H, W), N at most the backend's micro-batch if others are to get their turn."""
        return self._enter(Task(self, job, next(self._numbers), len(batch), float(len(batch)), backend, batch))

    def submit_work(
        self, work: Callable[[], T], job: Job[Any] | None = None, evaluations: int = 1, cost: float = GRADIENT_COST
    ) -> Task[T]:
        """Queue one micro-batch of work, which a lane's own thread does; it must not count on the caller's torch modes.

        `cost`: what an evaluation counts, in forward passes; as it stands that of a gradient.
        """
        return self._enter(Task(self, job, next(self._numbers), evaluations, evaluations * cost, work=work))

    @contextmanager
    def slot(self, job: Job[Any] | None = None, evaluations: int = 1) -> Iterator[None]:
        """A lane for oneself, for one micro-batch of gradient work in the caller's own thread."""
        task: Task[None] = Task(self, job, next(self._numbers), evaluations, float(evaluations * GRADIENT_COST))
        self._enter(task)._stand_in_line()
        try:
            with cores.limit(task.cores):
                yield
        finally:
            task.released.set()

    def drop(self, task: Task[Any]) -> None:
        with self._changed:
            if task in self._line:
                self._line.remove(task)

    @property
    def waiting(self) -> int:
        return len(self._line)

    @property
    def speed(self) -> float:
        """Evaluations a second over the last seconds, gradients counted as what they cost."""
        with self._changed:
            self._forget_old(time.monotonic())
            return sum(cost for _, cost in self._served) / _SPEED_S

    def _enter(self, task: Task[T]) -> Task[T]:
        with self._changed:
            if task.job is not None and task.job.virtual_time is None:
                task.job.virtual_time = self._clock
            self._line.append(task)
            self._open_lanes()
            self._changed.notify()
        return task

    def _open_lanes(self) -> None:
        # After a fork none is alive.
        if len(self._threads) < self.lanes or not all(thread.is_alive() for thread in self._threads):
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            for number in range(self.lanes - len(self._threads)):
                self._threads.append(threading.Thread(target=self._serve, name=f"whybox-lane-{number}", daemon=True))
                self._threads[-1].start()

    def _serve(self) -> None:
        while True:
            tasks = self._next()
            _serve_one(tasks)
            with self._changed:
                self._under_way -= 1
            for task in tasks:
                task.ready.set()
            del task, tasks  # an idle lane must not keep the last model in memory

    def _next(self) -> list[Task[Any]]:
        """Take the next ticket out of the line, with others that fit into its batch."""
        with self._changed:
            while not self._line:
                self._changed.wait()
            self._turn += 1
            oldest = self._turn % OLDEST_EVERY == 0
            first = self._line[0] if oldest else min(self._line, key=lambda task: task.rank)
            taken = [first, *self._joining(first)]
            for task in taken:
                self._line.remove(task)
                self._charge(task)
            first.alone = not self._line and not self._under_way
            self._under_way += 1
            return taken

    def _joining(self, first: Task[Any]) -> Iterator[Task[Any]]:
        """Who else's rows still fit into the batch of the first."""
        if first.backend is None:
            return
        room = first.backend.micro_batch - first.cost
        for task in sorted((each for each in self._line if each.backend is first.backend), key=lambda each: each.rank):
            if task is not first and task.cost <= room:
                room -= task.cost
                yield task

    def _charge(self, task: Task[Any]) -> None:
        now = time.monotonic()
        self._served.append((now, int(task.cost)))
        self._forget_old(now)
        if task.job is not None:
            share = task.job.virtual_time or 0.0
            if not task.quick:
                self._clock = max(self._clock, share)
            task.job.virtual_time = share + task.cost

    def _forget_old(self, now: float) -> None:
        while self._served and now - self._served[0][0] > _SPEED_S:
            self._served.popleft()


def _serve_one(tasks: list[Task[Any]]) -> None:
    first = tasks[0]
    if first.work is not None:
        first.error = _caught(partial(_do, first, first.work))
    elif first.backend is not None:
        _answer(tasks, first.backend)
    else:
        first.ready.set()
        first.released.wait()


def _do(task: Task[T], work: Callable[[], T]) -> None:
    with cores.limit(task.cores):
        task.found = work()


def _answer(tasks: list[Task[Any]], backend: Backend) -> None:
    """Run one batch for all; if that fails, build the engine anew and try again; if that fails too, each alone."""
    if _tried(partial(_run, tasks, backend)) is None:
        return
    broken = _tried(backend.rebuild)
    for task in tasks:
        task.error = broken or _tried(partial(_run, [task], backend))


def _tried(work: Callable[[], None]) -> BaseException | None:
    """What the engine raised, which is also written to the log."""
    problem = _caught(work)
    if problem is not None:
        log.error("The engine failed.", exc_info=problem)
    return problem


def _caught(work: Callable[[], None]) -> BaseException | None:
    """What the work raised. Whatever it is, it must neither end the lane's thread nor reach jobs that are not to blame."""
    try:
        work()
    except BaseException as problem:  # noqa: BLE001  # it is handed on, to be raised where somebody waits
        return problem
    return None


def _run(tasks: list[Task[Any]], backend: Backend) -> None:
    batches = [task.batch for task in tasks if task.batch is not None]
    batch = torch.cat(batches) if len(batches) > 1 else batches[0]
    with cores.limit(tasks[0].cores):
        logits = backend.run(batch)
    if len(logits) != len(batch):
        raise RuntimeError(f"{len(batch)} pictures were asked about, {len(logits)} answered")
    for task, part in zip(tasks, logits.split([len(each) for each in batches]), strict=True):
        task.found = part


SCHEDULER = Scheduler()
"""The line of this process: forward and gradient batches of all jobs and all models."""
