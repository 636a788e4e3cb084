"""Visits of a class: comparisons of four methods, repeated visits, and a fast method beside long jobs."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.load.page import Card
from benchmarks.load.serial import MapRequest, ShownCard
from benchmarks.load.visits import VisitFailed, Visitor, visit

CLASS = "Or ask about another class"
FOUR = 4
LONG_JOBS = 10
LONG_SAMPLES = 1000
TIMEOUT_S = 900.0


@dataclass(frozen=True)
class Subject:
    """The server, the model and the picture files, each with the two classes to explain."""

    address: str
    model: str
    files: Sequence[bytes]
    classes: Sequence[tuple[int, int]]


@dataclass
class Observations:
    """Cards and waiting times in seconds of several visits. `problems` are failed sessions."""

    first_s: list[float] = field(default_factory=list)
    all_s: list[float] = field(default_factory=list)
    shown: list[ShownCard] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    wall_s: float = 0.0

    def add(self, visitor: Visitor, since: float, request: MapRequest, cards: Mapping[str, Card]) -> None:
        """Add the cards of one comparison, by method, and the times at which their maps came."""
        self.shown += [ShownCard(replace(request, method=method), card) for method, card in cards.items()]
        if visitor.arrivals:
            self.first_s.append(min(visitor.arrivals.values()) - since)
            self.all_s.append(max(visitor.arrivals.values()) - since)


async def _record_failure(work: Awaitable[None], name: str, observations: Observations) -> None:
    try:
        await work
    except (VisitFailed, OSError) as problem:
        observations.problems.append(f"{name}: {problem}")


async def _give_picture(visitor: Visitor, subject: Subject, index: int, place: str = "home") -> float:
    """Upload a picture on the first page, or at the side of another one, and return the time of the choice."""
    uploader = f"upload_{place}_0"
    await visitor.wait_until(lambda: visitor.page.find(uploader) is not None, "uploader")
    start = time.perf_counter()
    await visitor.upload(uploader, f"picture-{index}.png", subject.files[index])
    return start


async def _compare(visitor: Visitor, subject: Subject, index: int, again: bool, observations: Observations) -> None:
    """Compare four methods for the first guess after an upload, or for another class if `again`."""
    start = time.perf_counter()
    if again:
        await visitor.select_option(CLASS, subject.classes[index][1])
        start = visitor.clicked_at
    else:
        start = await _give_picture(visitor, subject, index)
    cards = await visitor.wait_for_maps(FOUR, TIMEOUT_S)
    observations.add(visitor, start, MapRequest(index, subject.classes[index][again]), cards)
    await visitor.settle()


async def _compare_twice(subject: Subject, index: int, first_round: Observations, second_round: Observations) -> None:
    async with visit(subject.address, {"model": subject.model}) as visitor:
        await _compare(visitor, subject, index, False, first_round)
        await _compare(visitor, subject, index, True, second_round)


async def run_lesson(subject: Subject, visitors: int) -> tuple[Observations, Observations]:
    """Let all visitors upload a picture each at the same instant and compare it twice; return both rounds."""
    first_round, second_round = Observations(), Observations()
    start = time.perf_counter()
    await asyncio.gather(
        *(
            _record_failure(_compare_twice(subject, index, first_round, second_round), f"visitor {index}", first_round)
            for index in range(visitors)
        )
    )
    first_round.wall_s = time.perf_counter() - start
    return first_round, second_round


async def run_latecomers(subject: Subject, places: Sequence[int]) -> tuple[Observations, Observations]:
    """Repeat earlier comparisons one after another; return both rounds.

    Times of the first round count from choosing the picture, of the second from the click.
    """
    first_round, second_round = Observations(), Observations()
    for index in places:
        await _record_failure(
            _compare_twice(subject, index, first_round, second_round), f"visitor {index} again", first_round
        )
    return first_round, second_round


async def _run_long_jobs(
    subject: Subject, index: int, started: asyncio.Semaphore, stop: asyncio.Event, observations: Observations
) -> None:
    """Run LIME with many samples again and again, with another seed each, until `stop` is set."""
    query = {"model": subject.model, "method": "lime", "lime_samples": LONG_SAMPLES}
    try:
        async with visit(subject.address, query, "explain") as visitor:
            await _give_picture(visitor, subject, index, "sidebar")
            await visitor.wait_until(lambda: visitor.is_fresh and bool(visitor.page.cards), "card", TIMEOUT_S)
            started.release()
            await _keep_busy(visitor, subject, index, stop, observations)
    finally:
        # Nobody waits for a job that failed to begin.
        started.release()


async def _keep_busy(
    visitor: Visitor, subject: Subject, index: int, stop: asyncio.Event, observations: Observations
) -> None:
    """Start one long job after another, each with its own seed; leave the last as by a closed tab."""
    target, params = subject.classes[index][0], (("samples", LONG_SAMPLES),)
    for seed in itertools.count():
        await visitor.wait_until(lambda: stop.is_set() or _has_ended(visitor), "end of a long job", TIMEOUT_S)
        if not _has_ended(visitor):
            return
        cards = await visitor.wait_for_maps(1)
        observations.add(visitor, visitor.clicked_at, MapRequest(index, target, seed, params), cards)
        await visitor.settle()
        if stop.is_set():
            return
        await visitor.set_widget("Seed", double_value=float(seed + 1))


def _has_ended(visitor: Visitor) -> bool:
    return visitor.is_fresh and all(card["map"] is not None or card["state"] == "failed" for card in visitor.page.cards)


async def _run_quick_jobs(subject: Subject, index: int, asks: int, labels: int, observations: Observations) -> None:
    """Explain one class after another by Grad-CAM, each after the map of the last has come."""
    async with visit(subject.address, {"model": subject.model, "method": "grad_cam"}, "explain") as visitor:
        await _give_picture(visitor, subject, index, "sidebar")
        await visitor.wait_for_maps(1, TIMEOUT_S)
        await visitor.settle()
        labels_to_ask = [label for label in range(labels) if label != subject.classes[index][0]]
        for label in labels_to_ask[:asks]:
            await visitor.select_option(CLASS, label)
            cards = await visitor.wait_for_maps(1, TIMEOUT_S)
            observations.add(visitor, visitor.clicked_at, MapRequest(index, label), cards)
            await visitor.settle()


async def run_beside_long_jobs(
    subject: Subject, first: int, asks: int, labels: int, jobs: int = LONG_JOBS
) -> tuple[Observations, Observations]:
    """Run Grad-CAM on picture `first` while long jobs run on the pictures behind it; return both observations."""
    quick, long, stop, started = Observations(), Observations(), asyncio.Event(), asyncio.Semaphore(0)
    running = [
        asyncio.create_task(
            _record_failure(_run_long_jobs(subject, first + 1 + index, started, stop, long), f"long job {index}", long)
        )
        for index in range(jobs)
    ]
    for _ in range(jobs):
        await asyncio.wait_for(started.acquire(), TIMEOUT_S)
    await _record_failure(_run_quick_jobs(subject, first, asks, labels, quick), "Grad-CAM beside long jobs", quick)
    stop.set()
    await asyncio.gather(*running)
    return quick, long
