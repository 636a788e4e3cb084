"""`python -m benchmarks`: one Markdown table of ours against its peers, in one run.

Exit code 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types
import torch

import xai_core
from benchmarks.harness.array_contest import TableAnswer, TableQuestion, measure_table, table_of
from benchmarks.harness.contest import MB, Answer, Bench, Question, core_count, first_run, measure, table
from benchmarks.imageset import extremes, model_run, tsne
from benchmarks.methods import (
    four_methods,
    grad_cam,
    integrated_gradients,
    kernel_shap,
    lime,
    occlusion,
    rise,
    score_cam,
    smooth_grad,
)
from benchmarks.tables import partial_dependence, shap_trees

QUESTIONS: Mapping[str, Callable[[Bench], Question]] = {
    "occlusion": occlusion.question,
    "lime": lime.question,
    "integrated_gradients": integrated_gradients.question,
    "grad_cam": grad_cam.question,
    "four_methods": four_methods.question,
    "rise": rise.question,
    "kernel_shap": kernel_shap.question,
    "smooth_grad": smooth_grad.question,
    "score_cam": score_cam.question,
}
TABLES: Mapping[str, Callable[[Bench], TableQuestion]] = {
    "partial_dependence": partial_dependence.question,
    "shap_boosted": shap_trees.boosted,
    "shap_forest": shap_trees.forest,
    "embedding_pass": model_run.question,
    "extremes": extremes.question,
}
MAPS: Mapping[str, Callable[[Bench], TableAnswer]] = {"tsne": tsne.answer}
"""What is judged by other numbers than a largest difference."""
NAMES = (*QUESTIONS, *TABLES, *MAPS)
MODEL, SAMPLE = "efficientnet_lite0", "coffee"
PACKAGES = ("torch", "captum", "openvino", "lime", "grad-cam", "scikit-learn", "shap", "openTSNE")


def _cpu() -> str:
    """The CPU's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def machine() -> str:
    """One line that names the machine, the versions and the date."""
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    today = datetime.now(tz=timezone.utc).date().isoformat()
    return (
        f"{_cpu()}, {core_count()} cores, {memory:.0f} GB, {torch.get_num_threads()} torch threads{load}; "
        f"{platform.system()}, Python {platform.python_version()}, {versions}; {today}"
    )


def report(answers: Sequence[Answer], tables: Sequence[TableAnswer], lines: Sequence[str]) -> str:
    """The whole text: a table over pictures and one over tables, what is to be said beneath them, and what was missed.
    """
    missed = [
        line
        for each in (*(answer.missed for answer in answers), *(answer.missed for answer in tables))
        for line in each
    ]
    notes = [
        *lines,
        "Seconds are medians; ratios are medians of the ratios within one round, in which everybody runs once.",
        *(note for answer in answers for note in answer.notes),
        *(f"MISSED: {line}." for line in missed),
    ]
    blocks = [table([row for answer in answers for row in answer.rows])] if answers else []
    blocks += [table_of([answer.row for answer in tables])] if tables else []
    return "\n".join([*(line for block in blocks for line in (block, "")), *(f"- {note}" for note in notes), ""])


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="rounds of each question (default 5)")
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=f"some of {', '.join(NAMES)}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the text here too")
    args = parser.parse_args(argv)
    if args.repeats < 1:
        parser.error(f"at least one round is needed; got {args.repeats}")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and say by the exit code whether everything to be reached was reached."""
    args, where, start = _arguments(argv), machine(), time.monotonic()
    process = psutil.Process()
    model = xai_core.load_model(MODEL)
    before = process.memory_info().rss
    bench = Bench(model, xai_core.SAMPLES.get(SAMPLE).load(), repeats=args.repeats)
    backend = bench.forward.backend
    held = (process.memory_info().rss - before) / MB
    asked = args.only or NAMES
    questions = [QUESTIONS[name](bench) for name in asked if name in QUESTIONS]
    firsts = [first_run(bench, question) for question in questions]
    answers = [measure(bench, question, first) for question, first in zip(questions, firsts, strict=True)]
    tables = [measure_table(bench, TABLES[name](bench)) for name in asked if name in TABLES]
    tables += [MAPS[name](bench) for name in asked if name in MAPS]
    lines = [
        f"Machine: {where}.",
        f"{MODEL} and the picture {SAMPLE}, {args.repeats} rounds, {time.monotonic() - start:.0f} s in all.",
        f"Our forward runs on {backend}, which holds {held:.0f} MB once for the model; extra MB are what a run takes above that.",
    ]
    text = report(answers, tables, lines)
    print(text)
    if args.out is not None:
        args.out.write_text(text, encoding="utf-8")
    return 1 if any(answer.missed for answer in answers) or any(answer.missed for answer in tables) else 0


if __name__ == "__main__":
    sys.exit(main())
