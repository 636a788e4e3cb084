"""Scheduler: one queue for the whole process, served by a few workers with fair shares.

A worker runs one batch at a time on cores of its own (see cores.py), so no more runs at once than the cores can do.
Rows of different jobs for the same model share a batch. Order: start-time fair queueing by evaluations received (Goyal,
Vin & Cheng 1996), except that jobs with only a few evaluations left go first, and that every few batches the oldest
task goes whatever it needs: nobody starves.
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
from xai_core.engine.halving import NO_MEMORY, run_in_halves
from xai_core.engine.jobs import Job
from xai_core.errors import XaiError

log = logging.getLogger(__name__)

T = TypeVar("T")

# Jobs with no more evaluations left go first: a prediction, a Grad-CAM, the end of a long one.
QUICK_EVALUATIONS = 24
# Every so many batches the oldest task is served.
OLDEST_EVERY = 8
# Cost of one forward-and-backward pass, in forward passes on the compiled network.
GRADIENT_COST = 4
# Seconds between two checks of a waiting task whether its job was cancelled.
_POLL_S = 0.05
# Seconds over which the speed is averaged.
_SPEED_S = 10.0
# Placeholder of a result that has not come: None is a valid one.
_MISSING: Any = object()
_FAILED = (
    "The model failed while it was working on this, also after its engine was built anew. "
    "Nothing else is affected. Try again, or choose another model."
)


class Backend(Protocol):
    """Runner of a model's batches: one for each model in memory."""

    micro_batch: int

    def run(self, batch: torch.Tensor, /) -> torch.Tensor:
        """Return logits (N, classes) of prepared pictures (N, C, H, W). Called by several workers at once."""

    def rebuild(self) -> None:
        """Build the engine anew after it has failed."""

    def reduce_batch(self, size: int, /) -> None:
        """Take smaller batches from now on: one of `size` pictures did not fit into the device's memory."""


@dataclass(eq=False)
class Task(Generic[T]):
    """A queued request: rows for a backend, work for a worker's thread, or, without either, a slot for the caller."""

    scheduler: Scheduler
    job: Job[Any]
    number: int
    evaluations: int
    cost: float
    backend: Backend | None = None
    batch: torch.Tensor | None = None
    work: Callable[[], T] | None = None
    result: T = _MISSING
    error: BaseException | None = None
    exclusive: bool = False
    """True if nothing else ran or waited when the task started, so that it may use all cores."""
    ready: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def is_quick(self) -> bool:
        """True if the job has at most QUICK_EVALUATIONS left."""
        return self.job.total - self.job.done <= QUICK_EVALUATIONS

    @property
    def priority(self) -> tuple[bool, float, int]:
        """Sort key: the smallest goes first."""
        return not self.is_quick, self.job.virtual_time or 0.0, self.number

    @property
    def cores(self) -> int:
        """Cores that the task may use."""
        return cores.CORES if self.exclusive else cores.CORES_PER_WORKER

    def wait(self) -> T:
        """Return the logits (N, classes), or the result of the work.

        Raises:
            Cancelled: if the job is cancelled meanwhile.
            XaiError: if the model fails. Errors of the work itself are raised as they are.
        """
        self.wait_for_slot()
        if self.result is not _MISSING:
            return self.result
        if isinstance(self.error, torch.OutOfMemoryError):
            raise XaiError(NO_MEMORY) from self.error
        if self.work is not None and self.error is not None:
            raise self.error
        raise XaiError(_FAILED) from self.error

    def wait_for_slot(self) -> None:
        """Wait until a worker has served the task. Raises Cancelled."""
        while not self.ready.wait(_POLL_S):
            try:
                self.job.tick()
            except BaseException:
                self.cancel()
                raise

    def cancel(self) -> None:
        """Leave the queue; a batch that runs already runs to its end."""
        self.scheduler.remove(self)
        # A worker that has just taken the slot must not wait for a caller that is gone.
        self.released.set()


class Scheduler:
    """Queue of tasks and the threads that serve it."""

    def __init__(self, workers: int = cores.WORKERS) -> None:
        self.workers = workers
        self._changed = threading.Condition()
        self._queue: list[Task[Any]] = []
        self._numbers = itertools.count()
        self._clock = 0.0
        """Virtual time of the job served last: new jobs start there, so that old ones need not wait for them."""
        self._served = 0
        self._running = 0
        self._threads: list[threading.Thread] = []
        self._recent: deque[tuple[float, int]] = deque()
        """Time and cost of the tasks of the last seconds."""

    def submit(
        self, backend: Backend, batch: torch.Tensor, job: Job[Any] | None = None, cost: float = 1.0
    ) -> Task[torch.Tensor]:
        """Queue rows for a backend, at most its micro-batch for fair shares: prepared pictures (N, C, H, W) mostly.

        `cost`: of one row, in forward passes.
        """
        rows = len(batch)
        return self._add(Task(self, job or _urgent_job(), next(self._numbers), rows, rows * cost, backend, batch))

    def submit_work(
        self, work: Callable[[], T], job: Job[Any] | None = None, evaluations: int = 1, cost: float = GRADIENT_COST
    ) -> Task[T]:
        """Queue one micro-batch of work for a worker's own thread; it must not count on the caller's torch modes.

        `cost`: of one evaluation, in forward passes; the default is that of a gradient.
        """
        return self._add(
            Task(self, job or _urgent_job(), next(self._numbers), evaluations, evaluations * cost, work=work)
        )

    @contextmanager
    def slot(self, job: Job[Any] | None = None, evaluations: int = 1) -> Iterator[None]:
        """Reserve a worker's slot for one micro-batch of gradient work in the caller's own thread."""
        cost = float(evaluations * GRADIENT_COST)
        task: Task[None] = Task(self, job or _urgent_job(), next(self._numbers), evaluations, cost)
        self._add(task).wait_for_slot()
        try:
            with cores.limit(task.cores):
                yield
        finally:
            task.released.set()

    def remove(self, task: Task[Any]) -> None:
        """Take a task out of the queue if it still waits."""
        with self._changed:
            if task in self._queue:
                self._queue.remove(task)

    @property
    def waiting(self) -> int:
        """Tasks in the queue."""
        return len(self._queue)

    @property
    def is_idle(self) -> bool:
        """True if nothing runs and nothing waits."""
        return not self._queue and not self._running

    @property
    def speed(self) -> float:
        """Evaluations a second over the last seconds, gradients at their cost."""
        with self._changed:
            self._drop_old_costs(time.monotonic())
            return sum(cost for _, cost in self._recent) / _SPEED_S

    def _add(self, task: Task[T]) -> Task[T]:
        with self._changed:
            if task.job.virtual_time is None:
                task.job.virtual_time = self._clock
            self._queue.append(task)
            self._start_workers()
            self._changed.notify()
        return task

    def _start_workers(self) -> None:
        # After a fork no thread is alive.
        if len(self._threads) < self.workers or not all(thread.is_alive() for thread in self._threads):
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            for number in range(self.workers - len(self._threads)):
                self._threads.append(threading.Thread(target=self._serve, name=f"whybox-worker-{number}", daemon=True))
                self._threads[-1].start()

    def _serve(self) -> None:
        while True:
            tasks = self._take_tasks()
            _run_tasks(tasks)
            with self._changed:
                self._running -= 1
            for task in tasks:
                task.ready.set()
            # An idle worker must not keep the last model in memory.
            del task, tasks

    def _take_tasks(self) -> list[Task[Any]]:
        """Take the next task out of the queue, with others that fit into its batch."""
        with self._changed:
            while not self._queue:
                self._changed.wait()
            self._served += 1
            oldest = self._served % OLDEST_EVERY == 0
            first = self._queue[0] if oldest else min(self._queue, key=lambda task: task.priority)
            tasks = [first, *self._iter_companions(first)]
            for task in tasks:
                self._queue.remove(task)
                self._charge(task)
            first.exclusive = not self._queue and not self._running
            self._running += 1
            return tasks

    def _iter_companions(self, first: Task[Any]) -> Iterator[Task[Any]]:
        """Yield other tasks of the same model whose rows still fit into the batch of the first."""
        if first.backend is None:
            return
        free = first.backend.micro_batch - first.evaluations
        same_model = [task for task in self._queue if task.backend is first.backend and task is not first]
        for task in sorted(same_model, key=lambda task: task.priority):
            if task.evaluations <= free:
                free -= task.evaluations
                yield task

    def _charge(self, task: Task[Any]) -> None:
        now = time.monotonic()
        self._recent.append((now, int(task.cost)))
        self._drop_old_costs(now)
        virtual_time = task.job.virtual_time or 0.0
        # Quick jobs jump the queue, so they do not move the clock.
        if not task.is_quick:
            self._clock = max(self._clock, virtual_time)
        task.job.virtual_time = virtual_time + task.cost

    def _drop_old_costs(self, now: float) -> None:
        while self._recent and now - self._recent[0][0] > _SPEED_S:
            self._recent.popleft()


def _urgent_job() -> Job[Any]:
    """Return a job for a caller without one: short, and served before other short ones."""
    job: Job[Any] = Job()
    job.virtual_time = 0.0
    return job


def _run_tasks(tasks: list[Task[Any]]) -> None:
    first = tasks[0]
    if first.work is not None:
        first.error = _catch(partial(_run_work, first, first.work))
    elif first.backend is not None:
        _run_batch_or_rebuild(tasks, first.backend)
    else:
        # A slot: the caller does the work, and this worker waits for its end.
        first.ready.set()
        first.released.wait()


def _run_work(task: Task[T], work: Callable[[], T]) -> None:
    with cores.limit(task.cores):
        task.result = work()


def _run_batch_or_rebuild(tasks: list[Task[Any]], backend: Backend) -> None:
    """Run one batch for all tasks; if it fails, rebuild the engine and run each task alone."""
    if _catch_and_log(partial(_run_batch, tasks, backend)) is None:
        return
    rebuild_error = _catch_and_log(backend.rebuild)
    for task in tasks:
        task.error = rebuild_error or _catch_and_log(partial(_run_batch, [task], backend))


def _catch_and_log(work: Callable[[], None]) -> BaseException | None:
    """Return an error of the engine like `_catch`, and write it to the log."""
    problem = _catch(work)
    if problem is not None:
        log.error("The engine failed.", exc_info=problem)
    return problem


def _catch(work: Callable[[], None]) -> BaseException | None:
    """Return the error that the work raises: it must neither end the worker's thread nor reach other jobs."""
    try:
        work()
    except BaseException as problem:  # noqa: BLE001  # it is raised again where the task is waited for
        return problem
    return None


def _run_batch(tasks: list[Task[Any]], backend: Backend) -> None:
    batches = [task.batch for task in tasks if task.batch is not None]
    batch = torch.cat(batches) if len(batches) > 1 else batches[0]
    with cores.limit(tasks[0].cores):
        logits = run_in_halves(backend.run, batch, torch.cat, backend.reduce_batch)
    if len(logits) != len(batch):
        raise RuntimeError(f"{len(batch)} pictures were asked about, {len(logits)} answered")
    for task, part in zip(tasks, logits.split([len(rows) for rows in batches]), strict=True):
        task.result = part


# Scheduler of this process: forward and gradient batches of all jobs and all models.
SCHEDULER = Scheduler()
