"""`python -m benchmarks.load.soak`: random visits for minutes on end.

Exit code 1 if memory keeps growing or a visit failed.

Visitors open pages, compare, upload good and bad files, stop jobs and close tabs during one, all drawn by a seeded
generator. The possible requests are limited, so that the store fills during the warm-up: later growth is a leak.
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
from benchmarks.harness.contest import MB, count_cores
from benchmarks.load.pictures import make_pictures
from benchmarks.load.server import Server, exit_on_sigterm, run_server
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
PICTURES, GUESTS = 8, 4
WARM_UP_MIN = 5.0
MAX_GROWTH = 0.05
TIMEOUT_S = 300.0


@dataclass
class Guest:
    """A repeated visitor: the server, the files to upload and a generator of its own."""

    address: str
    model: str
    files: Sequence[bytes]
    rng: random.Random

    def build_query(self, **more: object) -> dict[str, object]:
        return {"model": self.model, "sample": self.rng.choice(SAMPLES), **more}

    async def read(self) -> None:
        """Open any page by its link."""
        async with visit(self.address, self.build_query(), self.rng.choice(PAGES)) as visitor:
            await visitor.wait_until(lambda: visitor.page.full_runs > 0 and not visitor.page.running, "page")

    async def compare(self) -> None:
        """Compare a few methods."""
        names = ",".join(self.rng.sample(METHODS, self.rng.randint(2, 4)))
        async with visit(self.address, self.build_query(methods=names), "compare") as visitor:
            await _wait_for_maps(visitor, names.count(",") + 1)

    async def explain(self) -> None:
        """Run one method, then choose another picture by the menu."""
        async with visit(self.address, self.build_query(method=self.rng.choice(METHODS)), "explain") as visitor:
            await _wait_for_maps(visitor, 1)
            await visitor.settle(TIMEOUT_S)
            await visitor.select_option("Sample", self.rng.randrange(len(SAMPLES)))
            await _wait_for_maps(visitor, 1)

    async def upload(self) -> None:
        """Upload a picture and explain it."""
        async with visit(self.address, self.build_query()) as visitor:
            await visitor.upload("upload_home_0", "own.png", self.rng.choice(self.files))
            await _wait_for_maps(visitor, 4)

    async def bad_file(self) -> None:
        """Upload a file that is no picture and wait for the error."""
        whole = bytearray(self.rng.choice(self.files))
        data = bytes(whole[: len(whole) // 2]) if self.rng.random() < 0.5 else self.rng.randbytes(5000)
        async with visit(self.address, self.build_query()) as visitor:
            await visitor.upload("upload_home_0", "<b>bad</b>.png", data)
            await visitor.wait_until(lambda: bool(visitor.page.errors), "sentence about a bad file")

    async def stop(self) -> None:
        """Stop a job by its button, unless it ends first."""
        async with visit(
            self.address, self.build_query(method="lime", lime_samples=1000, seed=self.rng.randrange(3)), "explain"
        ) as visitor:
            await visitor.wait_until(
                lambda: visitor.page.find("stop_lime") is not None or _has_map(visitor), "button", TIMEOUT_S
            )
            if visitor.page.find("stop_lime") is not None:
                await visitor.press("stop_lime")
                await visitor.wait_until(lambda: _has_ended(visitor), "end of a stopped job", TIMEOUT_S)

    async def leave(self) -> None:
        """Close a tab during a job."""
        async with visit(
            self.address, self.build_query(method="lime", lime_samples=1000, seed=self.rng.randrange(3)), "explain"
        ):
            await asyncio.sleep(self.rng.uniform(0.1, 2.0))

    async def run_visit(self) -> str:
        """Make one visit of a random kind and return the kind."""
        kinds: Sequence[tuple[Callable[[], Awaitable[None]], int]] = (
            (self.read, 4),
            (self.compare, 4),
            (self.explain, 3),
            (self.upload, 2),
            (self.bad_file, 2),
            (self.stop, 1),
            (self.leave, 1),
        )
        visit_page = self.rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        await visit_page()
        return getattr(visit_page, "__name__", "visit")


def _has_ended(visitor: Visitor) -> bool:
    return bool(visitor.page.cards) and all(card["state"] in ("done", "cancelled") for card in visitor.page.cards)


def _has_map(visitor: Visitor) -> bool:
    return any(card["map"] is not None for card in visitor.page.cards)


async def _wait_for_maps(visitor: Visitor, count: int) -> None:
    cards = await visitor.wait_for_maps(count, TIMEOUT_S)
    failed = [f"{name} {card['state']}: {card['message']}" for name, card in cards.items() if card["map"] is None]
    if failed:
        raise VisitFailed("; ".join(failed))


@dataclass
class SoakRun:
    """Visits by kind, failed visits and the server's resident memory every second, in MB."""

    visits: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def minute_median(self, number: int) -> float:
        """Return the median memory of one minute in MB, the first being 0."""
        return median(self.memory[60 * number : 60 * (number + 1)] or self.memory[-60:])


async def _repeat_visits(guest: Guest, name: str, deadline: float, soak_run: SoakRun) -> None:
    while time.monotonic() < deadline:
        try:
            soak_run.visits[await guest.run_visit()] += 1
        except (VisitFailed, OSError) as problem:
            soak_run.problems.append(f"guest {name}, visit {sum(soak_run.visits.values())}: {problem}")


async def _sample_memory(server: Server, deadline: float, soak_run: SoakRun) -> None:
    """Sample memory every second and print a line every minute."""
    process, start = psutil.Process(server.pid), time.monotonic()
    while time.monotonic() < deadline:
        soak_run.memory.append(process.memory_info().rss / MB)
        if len(soak_run.memory) % 60 == 0:
            number = len(soak_run.memory) // 60
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(soak_run.visits.items()))
            print(
                f"minute {number}: {soak_run.minute_median(number - 1):.0f} MB; {kinds}; "
                f"{len(soak_run.problems)} failed",
                flush=True,
            )
        await asyncio.sleep(max(start + len(soak_run.memory) - time.monotonic(), 0))


async def _run_visits(server: Server, model: str, minutes: float, seed: int) -> SoakRun:
    soak_run, deadline, files = SoakRun(), time.monotonic() + 60 * minutes, make_pictures(PICTURES, seed)
    guests = [Guest(server.address, model, files, random.Random(f"{seed} {number}")) for number in range(GUESTS)]
    work = [_repeat_visits(guest, str(number), deadline, soak_run) for number, guest in enumerate(guests)]
    await asyncio.wait_for(asyncio.gather(_sample_memory(server, deadline, soak_run), *work), 60 * minutes + TIMEOUT_S)
    return soak_run


def judge_run(soak_run: SoakRun, minutes: float) -> tuple[bool, str]:
    """Compare the last minute with the first after the warm-up; return success and a sentence."""
    warm = int(min(WARM_UP_MIN, minutes / 4))
    before, after = soak_run.minute_median(warm), median(soak_run.memory[-60:])
    growth = after / before - 1
    words = (
        f"{before:.0f} MB in minute {warm + 1}, {after:.0f} MB in the last: {growth:+.1%} "
        f"(to reach: under {MAX_GROWTH:.0%})"
    )
    return (
        growth < MAX_GROWTH and not soak_run.problems,
        f"{words}; {sum(soak_run.visits.values())} visits, {len(soak_run.problems)} failed",
    )


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
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
    """Run the visits, print the result and return 1 if memory grew or a visit failed."""
    args = _parse_arguments(argv)
    exit_on_sigterm()
    with run_server() as server:
        print(f"{GUESTS} guests for {args.minutes:g} minutes, {args.model}, {count_cores()} cores", flush=True)
        soak_run = asyncio.run(_run_visits(server, args.model, args.minutes, args.seed))
    passed, words = judge_run(soak_run, args.minutes)
    print(f"{'ok' if passed else 'MISSED'}: {words}")
    for problem in soak_run.problems[:40]:
        print(f"- {problem}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
