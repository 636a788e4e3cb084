"""One batch at a time for the whole process, and whose it is: shared forward batches, and turns for gradient work, by fair shares.

A batch uses all cores, so two side by side only get slower. Rows of different jobs that ask the same model travel in one batch. Whose
turn it is goes by evaluations received (start-time fair queueing: Goyal, Vin & Cheng 1996), except that whoever needs only a few more
goes before everybody else, and every few turns the one who has waited longest goes whatever it needs: nobody starves.
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
from typing import Any, Protocol

import torch

from xai_core.engine.jobs import Job
from xai_core.errors import XaiError

log = logging.getLogger(__name__)

QUICK = 24
"""A job with no more evaluations left than this goes first: a prediction, a Grad-CAM, the end of a long one."""
OLDEST_EVERY = 8
"""Every so many turns the ticket that has waited longest is served."""
GRADIENT_COST = 4
"""What one forward-and-backward pass counts, in forward passes on the compiled network."""
_LOOK_S = 0.05
"""How often a waiting job looks whether it was stopped."""
_SPEED_S = 10.0
_FAILED = (
    "The model failed while it was working on this, also after its engine was built anew. "
    "Nothing else is affected. Try again, or choose another model."
)


class Backend(Protocol):
    """What runs batches: one for each model in memory."""

    micro_batch: int

    def run(self, batch: torch.Tensor, /) -> torch.Tensor:
        """Logits (N, classes) for prepared pictures (N, C, H, W)."""

    def rebuild(self) -> None:
        """Make what runs batches anew, after it has failed."""


@dataclass(eq=False)
class Ticket:
    """A place in the line: rows to be answered by a backend, or, without one, the right to use the cores oneself."""

    scheduler: Scheduler
    job: Job[Any] | None
    number: int
    cost: float
    backend: Backend | None = None
    batch: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    error: BaseException | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def quick(self) -> bool:
        return self.job is None or self.job.total - self.job.done <= QUICK

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Who goes first: the smallest."""
        return not self.quick, (self.job.share or 0.0) if self.job else 0.0, self.number

    def wait(self) -> torch.Tensor:
        """The logits (N, classes). Raises Cancelled when the job is stopped meanwhile, and XaiError when the model fails."""
        self._stand_in_line()
        if self.logits is None:
            raise XaiError(_FAILED) from self.error
        return self.logits

    def _stand_in_line(self) -> None:
        while not self.ready.wait(_LOOK_S):
            if self.job is not None:
                try:
                    self.job.tick()
                except BaseException:
                    self.withdraw()
                    raise

    def withdraw(self) -> None:
        """Leave the line; what is already running runs to its end unheard."""
        self.scheduler.drop(self)
        self.released.set()


class Scheduler:
    """The line and the thread that serves it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: list[Ticket] = []
        self._numbers = itertools.count()
        self._clock = 0.0
        """The share of the job served last: where new jobs start, so that an old one need not wait until they have caught up."""
        self._turn = 0
        self._thread: threading.Thread | None = None
        self._served: deque[tuple[float, int]] = deque()

    def submit(self, backend: Backend, batch: torch.Tensor, job: Job[Any] | None = None) -> Ticket:
        """Queue prepared pictures (N, C, H, W), N at most the backend's micro-batch if others are to get their turn."""
        return self._enter(Ticket(self, job, next(self._numbers), float(len(batch)), backend, batch))

    @contextmanager
    def turn(self, job: Job[Any] | None = None, evaluations: int = 1) -> Iterator[None]:
        """The cores for oneself, for one micro-batch of gradient work in the caller's own thread."""
        ticket = self._enter(Ticket(self, job, next(self._numbers), float(evaluations * GRADIENT_COST)))
        ticket._stand_in_line()
        try:
            yield
        finally:
            ticket.released.set()

    def drop(self, ticket: Ticket) -> None:
        with self._changed:
            if ticket in self._line:
                self._line.remove(ticket)

    @property
    def waiting(self) -> int:
        return len(self._line)

    @property
    def speed(self) -> float:
        """Evaluations a second over the last seconds, gradients counted as what they cost."""
        with self._changed:
            self._forget_old(time.monotonic())
            return sum(cost for _, cost in self._served) / _SPEED_S

    def _enter(self, ticket: Ticket) -> Ticket:
        with self._changed:
            if ticket.job is not None and ticket.job.share is None:
                ticket.job.share = self._clock
            self._line.append(ticket)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="whybox-engine", daemon=True)
                self._thread.start()
            self._changed.notify()
        return ticket

    def _serve(self) -> None:
        while True:
            tickets = self._next()
            if tickets[0].backend is None:
                tickets[0].ready.set()
                tickets[0].released.wait()
            else:
                _answer(tickets)
                for ticket in tickets:
                    ticket.ready.set()
                del ticket
            del tickets  # an idle engine must not keep the last model in memory

    def _next(self) -> list[Ticket]:
        """Take the next ticket out of the line, with others that fit into its batch."""
        with self._changed:
            while not self._line:
                self._changed.wait()
            self._turn += 1
            oldest = self._turn % OLDEST_EVERY == 0
            first = self._line[0] if oldest else min(self._line, key=lambda ticket: ticket.rank)
            taken = [first]
            if first.backend is not None:
                room = first.backend.micro_batch - first.cost
                for ticket in sorted((each for each in self._line if each.backend is first.backend), key=lambda each: each.rank):
                    if ticket is not first and ticket.cost <= room:
                        taken.append(ticket)
                        room -= ticket.cost
            for ticket in taken:
                self._line.remove(ticket)
                self._charge(ticket)
            return taken

    def _charge(self, ticket: Ticket) -> None:
        now = time.monotonic()
        self._served.append((now, int(ticket.cost)))
        self._forget_old(now)
        if ticket.job is not None:
            share = ticket.job.share or 0.0
            if not ticket.quick:
                self._clock = max(self._clock, share)
            ticket.job.share = share + ticket.cost

    def _forget_old(self, now: float) -> None:
        while self._served and now - self._served[0][0] > _SPEED_S:
            self._served.popleft()


def _answer(tickets: list[Ticket]) -> None:
    """Run one batch for all; if that fails, build the engine anew and try again; if that fails too, each alone."""
    if _tried(partial(_run, tickets)) is None:
        return
    broken = _tried(tickets[0].backend.rebuild) if tickets[0].backend else None
    for ticket in tickets:
        ticket.error = broken or _tried(partial(_run, [ticket]))


def _tried(work: Callable[[], None]) -> BaseException | None:
    """What the work raised. Whatever it is, it must neither end the engine's thread nor reach jobs that are not to blame."""
    try:
        work()
    except BaseException as problem:
        log.exception("The engine failed.")
        return problem
    return None


def _run(tickets: list[Ticket]) -> None:
    backend, batches = tickets[0].backend, [ticket.batch for ticket in tickets if ticket.batch is not None]
    if backend is None:
        return
    batch = torch.cat(batches) if len(batches) > 1 else batches[0]
    logits = backend.run(batch)
    if len(logits) != len(batch):
        raise RuntimeError(f"{len(batch)} pictures were asked about, {len(logits)} answered")
    for ticket, part in zip(tickets, logits.split([len(each) for each in batches]), strict=True):
        ticket.logits = part


SCHEDULER = Scheduler()
"""The line of this process: forward and gradient batches of all jobs and all models."""
