"""What a class does with Whybox, as visits: everybody compares four methods twice, somebody comes again, a quick map
beside long jobs.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.load.page import Card
from benchmarks.load.serial import Shown, Wanted
from benchmarks.load.visits import VisitFailed, Visitor, visit

CLASS = "Or ask about any other class"
FOUR = 4
LONG_JOBS = 10
LONG_SAMPLES = 1000
PATIENCE_S = 900.0


@dataclass(frozen=True)
class Subject:
    """The server, the model and the pictures as files, each with the two classes that are asked about."""

    address: str
    model: str
    files: Sequence[bytes]
    classes: Sequence[tuple[int, int]]


@dataclass
class Seen:
    """What visitors saw and how long they waited, in seconds. `problems` are sessions that failed."""

    first_s: list[float] = field(default_factory=list)
    all_s: list[float] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    wall_s: float = 0.0

    def add(self, visitor: Visitor, since: float, wanted: Wanted, cards: Mapping[str, Card]) -> None:
        """One look: the cards, one a method, and when their maps came."""
        self.shown += [Shown(replace(wanted, method=method), card) for method, card in cards.items()]
        if visitor.arrivals:
            self.first_s.append(min(visitor.arrivals.values()) - since)
            self.all_s.append(max(visitor.arrivals.values()) - since)


async def _guarded(work: Awaitable[None], who: str, seen: Seen) -> None:
    try:
        await work
    except (VisitFailed, OSError) as problem:
        seen.problems.append(f"{who}: {problem}")


async def _give_picture(visitor: Visitor, subject: Subject, place: int) -> float:
    """Upload a picture on the first page. When it was chosen."""
    await visitor.until(lambda: visitor.page.find("upload_home_0") is not None, "uploader")
    start = time.perf_counter()
    await visitor.upload("upload_home_0", f"picture-{place}.png", subject.files[place])
    return start


async def _compare(visitor: Visitor, subject: Subject, place: int, again: bool, seen: Seen) -> None:
    """Four methods of the picture in use: by its first guess after choosing it, by another class after choosing that.
    """
    start = time.perf_counter()
    if again:
        await visitor.option(CLASS, subject.classes[place][1])
        start = visitor.asked
    else:
        start = await _give_picture(visitor, subject, place)
        await visitor.press("Explain my photo")
    cards = await visitor.maps(FOUR, PATIENCE_S)
    seen.add(visitor, start, Wanted(place, subject.classes[place][again]), cards)
    await visitor.settle()


async def _pupil(subject: Subject, place: int, once: Seen, twice: Seen) -> None:
    async with visit(subject.address, {"model": subject.model}) as visitor:
        await _compare(visitor, subject, place, False, once)
        await _compare(visitor, subject, place, True, twice)


async def lesson(subject: Subject, visitors: int) -> tuple[Seen, Seen]:
    """Everybody comes in the same instant, chooses a picture of their own and compares it twice: the first and the
    second looks.
    """
    once, twice = Seen(), Seen()
    start = time.perf_counter()
    await asyncio.gather(
        *(_guarded(_pupil(subject, place, once, twice), f"visitor {place}", once) for place in range(visitors))
    )
    once.wall_s = time.perf_counter() - start
    return once, twice


async def latecomers(subject: Subject, places: Sequence[int]) -> tuple[Seen, Seen]:
    """One after another asks exactly what was asked before.

    First looks count from choosing the picture, second ones from the click.
    """
    once, twice = Seen(), Seen()
    for place in places:
        await _guarded(_pupil(subject, place, once, twice), f"visitor {place} again", once)
    return once, twice


async def _open_explain(visitor: Visitor, subject: Subject, place: int) -> None:
    await _give_picture(visitor, subject, place)
    await visitor.settle()
    await visitor.press("Open Explain")


async def _long(subject: Subject, place: int, begun: asyncio.Semaphore, over: asyncio.Event, seen: Seen) -> None:
    """LIME with many samples, and when it is done again with another seed: as long as it is not over a long job runs
    here.
    """
    query = {"model": subject.model, "method": "lime", "lime_samples": LONG_SAMPLES}
    try:
        async with visit(subject.address, query) as visitor:
            await _open_explain(visitor, subject, place)
            await visitor.until(lambda: visitor.fresh and bool(visitor.page.cards), "card", PATIENCE_S)
            begun.release()
            await _keep_busy(visitor, subject, place, over, seen)
    finally:
        begun.release()  # nobody waits for a job that failed to begin


async def _keep_busy(visitor: Visitor, subject: Subject, place: int, over: asyncio.Event, seen: Seen) -> None:
    """One long job after another, each with its own seed; the last is left in the middle, as by a closed tab."""
    target, params = subject.classes[place][0], (("samples", LONG_SAMPLES),)
    for seed in itertools.count():
        await visitor.until(lambda: over.is_set() or _ended(visitor), "end of a long job", PATIENCE_S)
        if not _ended(visitor):
            return
        cards = await visitor.maps(1)
        seen.add(visitor, visitor.asked, Wanted(place, target, seed, params), cards)
        await visitor.settle()
        if over.is_set():
            return
        await visitor.choose("Seed", double_value=float(seed + 1))


def _ended(visitor: Visitor) -> bool:
    return visitor.fresh and all(card["map"] is not None or card["state"] == "failed" for card in visitor.page.cards)


async def _quick(subject: Subject, place: int, asks: int, labels: int, seen: Seen) -> None:
    """Grad-CAM of one class after another, each seen before the next is asked for."""
    async with visit(subject.address, {"model": subject.model, "method": "grad_cam"}) as visitor:
        await _open_explain(visitor, subject, place)
        await visitor.maps(1, PATIENCE_S)
        await visitor.settle()
        others = [index for index in range(labels) if index != subject.classes[place][0]]
        for index in others[:asks]:
            await visitor.option(CLASS, index)
            cards = await visitor.maps(1, PATIENCE_S)
            seen.add(visitor, visitor.asked, Wanted(place, index), cards)
            await visitor.settle()


async def beside_long_jobs(
    subject: Subject, first: int, asks: int, labels: int, jobs: int = LONG_JOBS
) -> tuple[Seen, Seen]:
    """Grad-CAM again and again while long jobs run on other pictures, from the picture `first` on.

    What was seen of either.
    """
    quick, long, over, begun = Seen(), Seen(), asyncio.Event(), asyncio.Semaphore(0)
    running = [
        asyncio.create_task(_guarded(_long(subject, first + 1 + place, begun, over, long), f"long job {place}", long))
        for place in range(jobs)
    ]
    for _ in range(jobs):
        await asyncio.wait_for(begun.acquire(), PATIENCE_S)
    await _guarded(_quick(subject, first, asks, labels, quick), "Grad-CAM beside long jobs", quick)
    over.set()
    await asyncio.gather(*running)
    return quick, long
