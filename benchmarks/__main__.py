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
from benchmarks.harness.array_contest import TableAnswer, TableQuestion, format_contest_table, measure_table
from benchmarks.harness.contest import MB, Answer, Question, Workload, count_cores, format_table, measure, run_first
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
from xai_core.engine.backends.gradients import prepare_gradients

QUESTIONS: Mapping[str, Callable[[Workload], Question]] = {
    "occlusion": occlusion.build_question,
    "lime": lime.build_question,
    "integrated_gradients": integrated_gradients.build_question,
    "grad_cam": grad_cam.build_question,
    "four_methods": four_methods.build_question,
    "rise": rise.build_question,
    "kernel_shap": kernel_shap.build_question,
    "smooth_grad": smooth_grad.build_question,
    "score_cam": score_cam.build_question,
}
TABLES: Mapping[str, Callable[[Workload], TableQuestion]] = {
    "partial_dependence": partial_dependence.build_question,
    "shap_boosted": shap_trees.build_boosted_question,
    "shap_forest": shap_trees.build_forest_question,
    "embedding_pass": model_run.build_question,
    "extremes": extremes.build_question,
}
MAPS: Mapping[str, Callable[[Workload], TableAnswer]] = {"tsne": tsne.measure_maps}
"""Questions with other scores than a largest difference."""
NAMES = (*QUESTIONS, *TABLES, *MAPS)
MODEL, SAMPLE = "efficientnet_lite0", "coffee"
PACKAGES = ("torch", "captum", "openvino", "lime", "grad-cam", "scikit-learn", "shap", "openTSNE")


def _read_cpu_name() -> str:
    """Read the name of the CPU, from /proc where there is one."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    model_names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(model_names, "") or platform.processor() or platform.machine()


def describe_machine() -> str:
    """Describe the machine, the versions and the date in one line."""
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    today = datetime.now(tz=timezone.utc).date().isoformat()
    return (
        f"{_read_cpu_name()}, {count_cores()} cores, {memory:.0f} GB, {torch.get_num_threads()} torch threads{load}; "
        f"{platform.system()}, Python {platform.python_version()}, {versions}; {today}"
    )


def format_report(answers: Sequence[Answer], tables: Sequence[TableAnswer], lines: Sequence[str]) -> str:
    """Format the tables over pictures and over tabular data, the notes and the missed targets as Markdown."""
    misses = [
        line
        for item_misses in (*(answer.misses for answer in answers), *(answer.misses for answer in tables))
        for line in item_misses
    ]
    notes = [
        *lines,
        "Seconds are medians; ratios are medians of the ratios within one round, in which everybody runs once.",
        *(note for answer in answers for note in answer.notes),
        *(f"MISSED: {line}." for line in misses),
    ]
    blocks = [format_table([row for answer in answers for row in answer.rows])] if answers else []
    blocks += [format_contest_table([answer.row for answer in tables])] if tables else []
    return "\n".join([*(line for block in blocks for line in (block, "")), *(f"- {note}" for note in notes), ""])


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="rounds of each question (default 5)")
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=f"some of {', '.join(NAMES)}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the text here too")
    args = parser.parse_args(argv)
    if args.repeats < 1:
        parser.error(f"at least one round is needed; got {args.repeats}")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and return 1 if a target was missed."""
    args, environment, start = _parse_arguments(argv), describe_machine(), time.monotonic()
    process = psutil.Process()
    model = xai_core.load_model(MODEL)
    before = process.memory_info().rss
    workload = Workload(model, xai_core.SAMPLES.get(SAMPLE).load(), repeats=args.repeats)
    backend, gradients = workload.forward.backend, prepare_gradients(model)
    held_mb = (process.memory_info().rss - before) / MB
    names = args.only or NAMES
    questions = [QUESTIONS[name](workload) for name in names if name in QUESTIONS]
    firsts = [run_first(workload, question) for question in questions]
    answers = [measure(workload, question, first) for question, first in zip(questions, firsts, strict=True)]
    tables = [measure_table(workload, TABLES[name](workload)) for name in names if name in TABLES]
    tables += [MAPS[name](workload) for name in names if name in MAPS]
    lines = [
        f"Machine: {environment}.",
        f"{MODEL} and the picture {SAMPLE}, {args.repeats} rounds, {time.monotonic() - start:.0f} s in all.",
        (
            f"Our forward runs on {backend}, which holds {held_mb:.0f} MB once for the model; "
            "extra MB are what a run takes above that."
        ),
        *([gradients] if gradients else []),
    ]
    text = format_report(answers, tables, lines)
    print(text)
    if args.out is not None:
        args.out.write_text(text, encoding="utf-8")
    return 1 if any(answer.misses for answer in answers) or any(answer.misses for answer in tables) else 0


if __name__ == "__main__":
    sys.exit(main())
