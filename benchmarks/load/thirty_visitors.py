"""`python -m benchmarks.load.thirty_visitors`: a whole class at once on a server of its own.

Exit code 1 if a map is wrong or a session failed.

Throughput is held against the ideal: the same evaluations and nothing else, in the best batches, measured in this run
before the server is started. Everything stays on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

import xai_core
from benchmarks.harness.contest import Bench, core_count
from benchmarks.load.classroom import LONG_JOBS, LONG_SAMPLES, Seen, Subject, beside_long_jobs, latecomers, lesson
from benchmarks.load.pictures import pictures
from benchmarks.load.serial import Verdict, judge
from benchmarks.load.server import Watched, serving, tidy_on_sigterm, watching

LIMIT_S = 2400.0
"""The visits end after this long, whatever happens."""
FORWARDS, GRADIENTS, ROUNDS = 512, 64, 3
REPEATED, ALONE = 5, 3
"""How many ask again what was asked before, and how many come while nobody else is there."""


def say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Limits:
    """Seconds an evaluation in the best batches."""

    forward_s: float
    gradient_s: float

    def ideal(self, verdict: Verdict) -> float:
        return verdict.forwards * self.forward_s + verdict.gradients * self.gradient_s


@dataclass(frozen=True)
class Lesson:
    """Everything that was seen while the server ran."""

    alone: Seen
    once: Seen
    twice: Seen
    same_picture: Seen
    same_class: Seen
    quick: Seen
    long: Seen
    watched: Watched
    cpu_s: float
    """What the visitors themselves took of the cores that they share with the server."""

    @property
    def parts(self) -> Sequence[Seen]:
        return self.alone, self.once, self.twice, self.same_picture, self.same_class, self.quick, self.long

    @property
    def problems(self) -> list[str]:
        return [problem for part in self.parts for problem in part.problems]


@dataclass(frozen=True)
class Line:
    """One figure. `least` and `most` are what has to be reached, if anything."""

    title: str
    text: str
    value: float = 0.0
    most: float | None = None
    least: float | None = None

    @property
    def words(self) -> str:
        goal = (
            f"at most {self.most:g}"
            if self.most is not None
            else f"at least {self.least:g}"
            if self.least is not None
            else ""
        )
        met = (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)
        return f"{self.title:<58} {self.text:<34}" + (f" {goal}: {'ok' if met else 'MISSED'}" if goal else "")


def measure(model: xai_core.Classifier, picture: bytes) -> Limits:
    """The best batched forward, and forward and backward, of this machine now."""
    bench = Bench(model, xai_core.read_image(picture))
    forward, gradient = bench.forward_limit(FORWARDS), bench.gradient_limit(GRADIENTS)
    found = Limits(
        median(forward.seconds() for _ in range(ROUNDS)) / FORWARDS,
        median(gradient.seconds() for _ in range(ROUNDS)) / GRADIENTS,
    )
    say(
        f"limits: {forward.words} {1000 * found.forward_s:.2f} ms each, {gradient.words} {1000 * found.gradient_s:.2f} ms each"
    )
    return found


def _classes(model: xai_core.Classifier, files: Sequence[bytes]) -> list[tuple[int, int]]:
    """The model's first two guesses of each picture."""
    guesses = [xai_core.predict(model, xai_core.read_image(data), 2).classes for data in files]
    return [(first[0], second[0]) for first, second in guesses]


async def _visits(subject: Subject, visitors: int, asks: int, jobs: int, labels: int, watched: Watched) -> Lesson:
    """All parts.

    The pictures: one for each visitor, then those of Grad-CAM and the long jobs, then the lone visitors'.
    """
    cpu, first_alone = time.process_time(), visitors + 1 + jobs
    say("one visitor alone")
    await latecomers(subject, [first_alone])  # not counted: any model but the usual one is loaded now
    alone, _ = await latecomers(subject, range(first_alone + 1, len(subject.files)))
    say(f"{visitors} visitors at once, four methods each, twice")
    once, twice = await lesson(subject, visitors)
    say(f"took {once.wall_s:.1f} s; the same again, one after another")
    same_picture, same_class = await latecomers(subject, range(min(REPEATED, visitors)))
    say(f"Grad-CAM beside {jobs} LIME jobs of {LONG_SAMPLES} samples")
    quick, long = await beside_long_jobs(subject, visitors, asks, labels, jobs)
    return Lesson(alone, once, twice, same_picture, same_class, quick, long, watched, time.process_time() - cpu)


def run(
    model: xai_core.Classifier, visitors: int, asks: int = 40, jobs: int = LONG_JOBS, seed: int = 0
) -> tuple[Lesson, list[bytes]]:
    """A server of its own, loaded: what its visitors saw, and their pictures."""
    files = list(pictures(visitors + 1 + jobs + 1 + ALONE, seed))
    classes = _classes(model, files)
    with serving() as server:
        subject = Subject(server.address, model.name, files, classes)
        with watching(server) as watched:
            seen = asyncio.run(_limited(_visits(subject, visitors, asks, jobs, len(model.labels), watched)))
    return seen, files


async def _limited(visits: Coroutine[Any, Any, Lesson]) -> Lesson:
    return await asyncio.wait_for(visits, LIMIT_S)


def check(model: xai_core.Classifier, seen: Lesson, files: Sequence[bytes]) -> tuple[Verdict, Verdict]:
    """Every map against the serial one: those of the lesson itself, whose work is counted, and all the others."""
    images = [xai_core.read_image(data) for data in files]
    say("comparing every map with the serial one")
    lesson_maps = [*seen.once.shown, *seen.twice.shown]
    others = [shown for part in seen.parts if part is not seen.once and part is not seen.twice for shown in part.shown]
    return judge(model, images, lesson_maps, say), judge(model, images, others, say)


def _percentiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return "nothing seen"
    p50, p95 = np.percentile(seconds, [50, 95])
    return f"p50 {p50:.2f} s, p95 {p95:.2f} s of {len(seconds)}"


def _p95(seconds: Sequence[float]) -> float:
    return float(np.percentile(seconds, 95)) if seconds else float("inf")


def lines(seen: Lesson, limits: Limits, main_part: Verdict, others: Verdict) -> list[Line]:
    """The figures, in the order of the issue."""
    ideal, wall, wrong = limits.ideal(main_part), seen.once.wall_s, len(main_part.wrong) + len(others.wrong)
    share = ideal / wall if wall else 0.0
    quick, long = seen.quick.all_s, len(seen.long.shown)
    repeated, alone = seen.same_class.all_s, seen.alone.first_s
    return [
        Line("throughput against the ideal", f"{share:.2f} ({ideal:.1f} s of {wall:.1f} s)", share, least=0.85),
        Line("first map, from the choice of the picture", _percentiles(seen.once.first_s)),
        Line("all four maps, from the choice of the picture", _percentiles(seen.once.all_s)),
        Line("first map, from the click on another class", _percentiles(seen.twice.first_s)),
        Line("all four maps, from the click on another class", _percentiles(seen.twice.all_s)),
        Line("first map of a visitor alone", _percentiles(alone), _p95(alone), most=1.0),
        Line("all four maps of a visitor alone", _percentiles(seen.alone.all_s)),
        Line("all four maps, the same picture again", _percentiles(seen.same_picture.all_s)),
        Line("all four maps, the same class again", _percentiles(repeated), _p95(repeated), most=0.3),
        Line(f"Grad-CAM beside long jobs ({long} of them ended meanwhile)", _percentiles(quick), _p95(quick), most=1.5),
        Line("worst health check", seen.watched.words, seen.watched.worst_s, most=0.5),
        Line("peak memory of the server, GB", f"{seen.watched.peak / 1e9:.2f}", seen.watched.peak / 1e9, most=3.0),
        Line("wrong maps", f"{wrong} of {main_part.maps + others.maps}", wrong, most=0),
        Line("largest difference of a map", f"{max(main_part.worst, others.worst):.1e} of its largest value"),
        Line("sessions that failed", str(len(seen.problems)), len(seen.problems), most=0),
    ]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.thirty_visitors", description=__doc__)
    parser.add_argument("--visitors", type=int, default=30, metavar="N", help="how many come at once (default 30)")
    parser.add_argument(
        "--model", choices=[spec.name for spec in xai_core.MODELS.specs() if spec.bundled], default="efficientnet_lite0"
    )
    parser.add_argument(
        "--asks", type=int, default=40, metavar="N", help="how often Grad-CAM is asked beside long jobs (default 40)"
    )
    parser.add_argument(
        "--jobs", type=int, default=LONG_JOBS, metavar="N", help=f"long jobs at a time (default {LONG_JOBS})"
    )
    parser.add_argument("--seed", type=int, default=0, help="which pictures are made (default 0)")
    args = parser.parse_args(argv)
    if args.visitors < 1 or args.asks < 1 or args.jobs < 1:
        parser.error("visitors, asks and jobs are whole numbers from 1")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, load, compare, print."""
    args = _arguments(argv)
    tidy_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="whybox-serial-") as folder:
        os.environ["WHYBOX_DATA"] = (
            folder  # a serial map must be made here, and not be found among those of an earlier run
        )
        model = xai_core.warm(args.model)
        limits = measure(model, pictures(1, args.seed)[0])
        seen, files = run(model, args.visitors, args.asks, args.jobs, args.seed)
        found = check(model, seen, files)
    print(f"{args.visitors} visitors, {args.model}, {core_count()} cores")
    for line in lines(seen, limits, *found):
        print(line.words)
    print(f"The visitors took {seen.cpu_s:.1f} s of CPU, the watcher {seen.watched.own_cpu_s:.1f} s.")
    for problem in [*seen.problems, *(wrong for part in found for wrong in part.wrong)][:40]:
        print(f"- {problem}")
    return 1 if seen.problems or any(part.wrong for part in found) else 0


if __name__ == "__main__":
    sys.exit(main())
