"""`python -m benchmarks.load.soak`: random visits for minutes on end.

Exit code 1 if memory goes on growing or a visit failed.

Visitors look at pages, compare, upload good and bad files, stop jobs and close tabs in the middle of one, all drawn by
a seeded generator. What they can ask for is limited, so that the store fills while the server warms up: what grows
afterwards is a leak.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import psutil  # type: ignore[import-untyped]  # ships no types

import xai_core
from benchmarks.harness.contest import MB, core_count
from benchmarks.load.pictures import pictures
from benchmarks.load.server import Server, serving, tidy_on_sigterm
from benchmarks.load.visits import VisitFailed, Visitor, visit

METHODS = (
    "grad_cam",
    "saliency",
    "occlusion",
    "integrated_gradients",
    "lime",
    "smooth_grad",
    "layer_cam",
    "gradient_x_input",
)
SAMPLES = ("coffee", "chelsea", "rocket", "camera", "flower", "china")
PAGES = ("", "compare", "explain", "methods", "status")
OWN, GUESTS = 8, 4
WARM_UP_MIN = 5.0
MOST_GROWTH = 0.05
PATIENCE_S = 300.0


@dataclass
class Guest:
    """One who comes again and again: the server, what they may give it, and their own generator."""

    address: str
    model: str
    files: Sequence[bytes]
    rng: random.Random

    def link(self, **more: object) -> dict[str, object]:
        return {"model": self.model, "sample": self.rng.choice(SAMPLES), **more}

    async def read(self) -> None:
        """Any page by its link."""
        async with visit(self.address, self.link(), self.rng.choice(PAGES)) as visitor:
            await visitor.until(lambda: visitor.page.full_runs > 0 and not visitor.page.running, "page")

    async def compare(self) -> None:
        """A few methods side by side."""
        names = ",".join(self.rng.sample(METHODS, self.rng.randint(2, 4)))
        async with visit(self.address, self.link(methods=names), "compare") as visitor:
            await _all_made(visitor, names.count(",") + 1)

    async def explain(self) -> None:
        """One method, then another picture by the menu."""
        async with visit(self.address, self.link(method=self.rng.choice(METHODS)), "explain") as visitor:
            await _all_made(visitor, 1)
            await visitor.settle(PATIENCE_S)
            await visitor.option("Sample", self.rng.randrange(len(SAMPLES)))
            await _all_made(visitor, 1)

    async def upload(self) -> None:
        """An own picture."""
        async with visit(self.address, self.link()) as visitor:
            await visitor.upload("upload_home_0", "own.png", self.rng.choice(self.files))
            await visitor.press("Explain my photo")
            await _all_made(visitor, 4)

    async def bad_file(self) -> None:
        """A file that is none: the page says so."""
        whole = bytearray(self.rng.choice(self.files))
        data = bytes(whole[: len(whole) // 2]) if self.rng.random() < 0.5 else self.rng.randbytes(5000)
        async with visit(self.address, self.link()) as visitor:
            await visitor.upload("upload_home_0", "<b>bad</b>.png", data)
            await visitor.until(lambda: bool(visitor.page.errors), "sentence about a bad file")

    async def stop(self) -> None:
        """A job stopped by its button, unless it was quicker."""
        async with visit(
            self.address, self.link(method="lime", lime_samples=1000, seed=self.rng.randrange(3)), "explain"
        ) as visitor:
            await visitor.until(
                lambda: visitor.page.find("stop_lime") is not None or _some_map(visitor), "button", PATIENCE_S
            )
            if visitor.page.find("stop_lime") is not None:
                await visitor.press("stop_lime")
                await visitor.until(lambda: _ended(visitor), "end of a stopped job", PATIENCE_S)

    async def leave(self) -> None:
        """A tab closed in the middle of a job."""
        async with visit(
            self.address, self.link(method="lime", lime_samples=1000, seed=self.rng.randrange(3)), "explain"
        ):
            await asyncio.sleep(self.rng.uniform(0.1, 2.0))

    async def come(self) -> str:
        """One visit of any kind. Its kind."""
        kinds: Sequence[tuple[Callable[[], Awaitable[None]], int]] = (
            (self.read, 4),
            (self.compare, 4),
            (self.explain, 3),
            (self.upload, 2),
            (self.bad_file, 2),
            (self.stop, 1),
            (self.leave, 1),
        )
        chosen = self.rng.choices([kind for kind, _ in kinds], [often for _, often in kinds])[0]
        await chosen()
        return getattr(chosen, "__name__", "visit")


def _ended(visitor: Visitor) -> bool:
    return bool(visitor.page.cards) and all(card["state"] in ("done", "cancelled") for card in visitor.page.cards)


def _some_map(visitor: Visitor) -> bool:
    return any(card["map"] is not None for card in visitor.page.cards)


async def _all_made(visitor: Visitor, count: int) -> None:
    cards = await visitor.maps(count, PATIENCE_S)
    failed = [f"{name} {card['state']}: {card['message']}" for name, card in cards.items() if card["map"] is None]
    if failed:
        raise VisitFailed("; ".join(failed))


@dataclass
class Course:
    """What happened so far: visits by kind, those that failed, and the server's resident memory every second, in MB."""

    visits: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def minute(self, number: int) -> float:
        """The median memory of one minute, the first being 0."""
        return median(self.memory[60 * number : 60 * (number + 1)] or self.memory[-60:])


async def _keep_coming(guest: Guest, name: str, until: float, course: Course) -> None:
    while time.monotonic() < until:
        try:
            course.visits[await guest.come()] += 1
        except (VisitFailed, OSError) as problem:
            course.problems.append(f"guest {name}, visit {sum(course.visits.values())}: {problem}")


async def _weigh(server: Server, until: float, course: Course) -> None:
    """Every second, with a line a minute."""
    process, start = psutil.Process(server.pid), time.monotonic()
    while time.monotonic() < until:
        course.memory.append(process.memory_info().rss / MB)
        if len(course.memory) % 60 == 0:
            number = len(course.memory) // 60
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(course.visits.items()))
            print(
                f"minute {number}: {course.minute(number - 1):.0f} MB; {kinds}; {len(course.problems)} failed",
                flush=True,
            )
        await asyncio.sleep(max(start + len(course.memory) - time.monotonic(), 0))


async def _visits(server: Server, model: str, minutes: float, seed: int) -> Course:
    course, until, files = Course(), time.monotonic() + 60 * minutes, pictures(OWN, seed)
    guests = [Guest(server.address, model, files, random.Random(f"{seed} {number}")) for number in range(GUESTS)]
    work = [_keep_coming(guest, str(number), until, course) for number, guest in enumerate(guests)]
    await asyncio.wait_for(asyncio.gather(_weigh(server, until, course), *work), 60 * minutes + PATIENCE_S)
    return course


def verdict(course: Course, minutes: float) -> tuple[bool, str]:
    """Whether all was well, and the sentence that says so: the last minute against the first after the warm-up."""
    warm = int(min(WARM_UP_MIN, minutes / 4))
    before, after = course.minute(warm), median(course.memory[-60:])
    growth = after / before - 1
    words = f"{before:.0f} MB in minute {warm + 1}, {after:.0f} MB in the last: {growth:+.1%} (to reach: under {MOST_GROWTH:.0%})"
    return (
        growth < MOST_GROWTH and not course.problems,
        f"{words}; {sum(course.visits.values())} visits, {len(course.problems)} failed",
    )


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, metavar="N", help="how long (default 20)")
    parser.add_argument(
        "--model", choices=[spec.name for spec in xai_core.MODELS.specs() if spec.bundled], default="efficientnet_lite0"
    )
    parser.add_argument("--seed", type=int, default=0, help="which visits are drawn (default 0)")
    args = parser.parse_args(argv)
    if not 0 < args.minutes <= 24 * 60:
        parser.error("the minutes are a number above 0, and at most a day's")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Visit, print, judge."""
    args = _arguments(argv)
    tidy_on_sigterm()
    with serving() as server:
        print(f"{GUESTS} guests for {args.minutes:g} minutes, {args.model}, {core_count()} cores", flush=True)
        course = asyncio.run(_visits(server, args.model, args.minutes, args.seed))
    well, words = verdict(course, args.minutes)
    print(f"{'ok' if well else 'MISSED'}: {words}")
    for problem in course.problems[:40]:
        print(f"- {problem}")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
