"""`python -m benchmarks.load.thirty_visitors`: a whole class at once on a server of its own.

Exit code 1 if a map is wrong or a session failed.

Throughput is compared with the ideal: the same evaluations alone, in the best batches, measured in this run before the
server is started. Everything stays on this machine.
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
from benchmarks.harness.contest import Workload, count_cores
from benchmarks.load.classroom import (
    LONG_JOBS,
    LONG_SAMPLES,
    Observations,
    Subject,
    run_beside_long_jobs,
    run_latecomers,
    run_lesson,
)
from benchmarks.load.pictures import make_pictures
from benchmarks.load.serial import Verdict, check_maps
from benchmarks.load.server import HealthReport, exit_on_sigterm, run_server, watch_server

TIMEOUT_S = 2400.0
"""Limit of all visits together, s."""
FORWARDS, GRADIENTS, ROUNDS = 512, 64, 3
REPEATED, ALONE = 5, 3
"""Visitors that repeat earlier requests, and visitors that come alone."""


def log(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Limits:
    """Seconds per evaluation in the best batches."""

    forward_s: float
    gradient_s: float

    def ideal(self, verdict: Verdict) -> float:
        return verdict.forwards * self.forward_s + verdict.gradients * self.gradient_s


@dataclass(frozen=True)
class Lesson:
    """All observations while the server ran."""

    alone: Observations
    first_round: Observations
    second_round: Observations
    same_picture: Observations
    same_class: Observations
    quick: Observations
    long: Observations
    health: HealthReport
    cpu_s: float
    """CPU time of the visitors, which share the cores with the server."""

    @property
    def parts(self) -> Sequence[Observations]:
        return (
            self.alone,
            self.first_round,
            self.second_round,
            self.same_picture,
            self.same_class,
            self.quick,
            self.long,
        )

    @property
    def problems(self) -> list[str]:
        return [problem for part in self.parts for problem in part.problems]


@dataclass(frozen=True)
class Line:
    """One figure. `minimum` and `maximum` are its targets, if any."""

    title: str
    text: str
    value: float = 0.0
    maximum: float | None = None
    minimum: float | None = None

    @property
    def words(self) -> str:
        goal = (
            f"at most {self.maximum:g}"
            if self.maximum is not None
            else f"at least {self.minimum:g}"
            if self.minimum is not None
            else ""
        )
        met = (self.maximum is None or self.value <= self.maximum) and (
            self.minimum is None or self.value >= self.minimum
        )
        return f"{self.title:<58} {self.text:<34}" + (f" {goal}: {'ok' if met else 'MISSED'}" if goal else "")


def measure(model: xai_core.Classifier, picture: bytes) -> Limits:
    """Measure the seconds per forward, and forward and backward, in the best batches of this machine."""
    workload = Workload(model, xai_core.read_image(picture))
    forward, gradient = workload.forward_limit(FORWARDS), workload.gradient_limit(GRADIENTS)
    limits = Limits(
        median(forward.seconds() for _ in range(ROUNDS)) / FORWARDS,
        median(gradient.seconds() for _ in range(ROUNDS)) / GRADIENTS,
    )
    log(
        f"limits: {forward.words} {1000 * limits.forward_s:.2f} ms each, "
        f"{gradient.words} {1000 * limits.gradient_s:.2f} ms each"
    )
    return limits


def _predict_classes(model: xai_core.Classifier, files: Sequence[bytes]) -> list[tuple[int, int]]:
    """Predict the two most likely classes of each picture."""
    guesses = [xai_core.predict(model, xai_core.read_image(data), 2).classes for data in files]
    return [(first[0], second[0]) for first, second in guesses]


async def _run_visits(
    subject: Subject, visitors: int, asks: int, jobs: int, labels: int, health: HealthReport
) -> Lesson:
    """Run all parts.

    Pictures in order: one per visitor, those of Grad-CAM and the long jobs, those of the lone visitors.
    """
    cpu, first_alone = time.process_time(), visitors + 1 + jobs
    log("one visitor alone")
    # Not counted: any model but the usual one is loaded now.
    await run_latecomers(subject, [first_alone])
    alone, _ = await run_latecomers(subject, range(first_alone + 1, len(subject.files)))
    log(f"{visitors} visitors at once, four methods each, twice")
    first_round, second_round = await run_lesson(subject, visitors)
    log(f"took {first_round.wall_s:.1f} s; the same again, one after another")
    same_picture, same_class = await run_latecomers(subject, range(min(REPEATED, visitors)))
    log(f"Grad-CAM beside {jobs} LIME jobs of {LONG_SAMPLES} samples")
    quick, long = await run_beside_long_jobs(subject, visitors, asks, labels, jobs)
    return Lesson(
        alone, first_round, second_round, same_picture, same_class, quick, long, health, time.process_time() - cpu
    )


def run(
    model: xai_core.Classifier, visitors: int, asks: int = 40, jobs: int = LONG_JOBS, seed: int = 0
) -> tuple[Lesson, list[bytes]]:
    """Start a server, run all visits and return the observations and the picture files."""
    files = list(make_pictures(visitors + 1 + jobs + 1 + ALONE, seed))
    classes = _predict_classes(model, files)
    with run_server() as server:
        subject = Subject(server.address, model.name, files, classes)
        with watch_server(server) as health:
            lesson = asyncio.run(
                _run_with_timeout(_run_visits(subject, visitors, asks, jobs, len(model.labels), health))
            )
    return lesson, files


async def _run_with_timeout(visits: Coroutine[Any, Any, Lesson]) -> Lesson:
    return await asyncio.wait_for(visits, TIMEOUT_S)


def check(model: xai_core.Classifier, lesson: Lesson, files: Sequence[bytes]) -> tuple[Verdict, Verdict]:
    """Compare every map with the serial one: the lesson, whose evaluations are counted, and all other parts."""
    images = [xai_core.read_image(data) for data in files]
    log("comparing every map with the serial one")
    lesson_maps = [*lesson.first_round.shown, *lesson.second_round.shown]
    others = [
        shown
        for part in lesson.parts
        if part is not lesson.first_round and part is not lesson.second_round
        for shown in part.shown
    ]
    return check_maps(model, images, lesson_maps, log), check_maps(model, images, others, log)


def _format_percentiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return "nothing seen"
    p50, p95 = np.percentile(seconds, [50, 95])
    return f"p50 {p50:.2f} s, p95 {p95:.2f} s of {len(seconds)}"


def _p95(seconds: Sequence[float]) -> float:
    return float(np.percentile(seconds, 95)) if seconds else float("inf")


def report_lines(lesson: Lesson, limits: Limits, main_part: Verdict, others: Verdict) -> list[Line]:
    """Lines of the report, in order."""
    ideal, wall, wrong = limits.ideal(main_part), lesson.first_round.wall_s, len(main_part.wrong) + len(others.wrong)
    share = ideal / wall if wall else 0.0
    quick, long = lesson.quick.all_s, len(lesson.long.shown)
    repeated, alone = lesson.same_class.all_s, lesson.alone.first_s
    return [
        Line("throughput against the ideal", f"{share:.2f} ({ideal:.1f} s of {wall:.1f} s)", share, minimum=0.85),
        Line("first map, from the choice of the picture", _format_percentiles(lesson.first_round.first_s)),
        Line("all four maps, from the choice of the picture", _format_percentiles(lesson.first_round.all_s)),
        Line("first map, from the click on another class", _format_percentiles(lesson.second_round.first_s)),
        Line("all four maps, from the click on another class", _format_percentiles(lesson.second_round.all_s)),
        Line("first map of a visitor alone", _format_percentiles(alone), _p95(alone), maximum=1.0),
        Line("all four maps of a visitor alone", _format_percentiles(lesson.alone.all_s)),
        Line("all four maps, the same picture again", _format_percentiles(lesson.same_picture.all_s)),
        Line("all four maps, the same class again", _format_percentiles(repeated), _p95(repeated), maximum=0.3),
        Line(
            f"Grad-CAM beside long jobs ({long} of them ended meanwhile)",
            _format_percentiles(quick),
            _p95(quick),
            maximum=1.5,
        ),
        Line("worst health check", lesson.health.words, lesson.health.worst_s, maximum=0.5),
        Line("peak memory of the server, GB", f"{lesson.health.peak / 1e9:.2f}", lesson.health.peak / 1e9, maximum=3.0),
        Line("wrong maps", f"{wrong} of {main_part.maps + others.maps}", wrong, maximum=0),
        Line("largest difference of a map", f"{max(main_part.worst, others.worst):.1e} of its largest value"),
        Line("sessions that failed", str(len(lesson.problems)), len(lesson.problems), maximum=0),
    ]


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
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
    """Measure, load, compare and print; return 1 if a map is wrong or a session failed."""
    args = _parse_arguments(argv)
    exit_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="whybox-serial-") as folder:
        os.environ["WHYBOX_DATA"] = (
            # A serial map must be made here, and not be found among those of an earlier run.
            folder
        )
        model = xai_core.warm(args.model)
        limits = measure(model, make_pictures(1, args.seed)[0])
        lesson, files = run(model, args.visitors, args.asks, args.jobs, args.seed)
        verdicts = check(model, lesson, files)
    print(f"{args.visitors} visitors, {args.model}, {count_cores()} cores")
    for line in report_lines(lesson, limits, *verdicts):
        print(line.words)
    print(f"The visitors took {lesson.cpu_s:.1f} s of CPU, the watcher {lesson.health.own_cpu_s:.1f} s.")
    for problem in [*lesson.problems, *(wrong for part in verdicts for wrong in part.wrong)][:40]:
        print(f"- {problem}")
    return 1 if lesson.problems or any(part.wrong for part in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
