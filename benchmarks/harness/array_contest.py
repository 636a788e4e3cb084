"""Contests that yield an array: ours and a peer in turns, and the largest difference of their values."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.harness.contest import Workload, peak_memory
from benchmarks.harness.limits import measure_seconds
from xai_core.arrays import Float


@dataclass(frozen=True)
class TableQuestion:
    """One comparison of two computations of the same array, with its targets."""

    title: str
    size: str
    """Of the task, in words."""
    ours: Callable[[], Float]
    peer: str
    theirs: Callable[[], Float]
    max_ratio: float | None = None
    max_s: float | None = None
    max_difference: float = 1e-10


@dataclass(frozen=True)
class TableRow:
    """One line of the table."""

    question: str
    peer: str
    size: str
    ours_s: float
    peer_s: float
    ratio: float
    ours_mb: float
    peer_mb: float
    difference: float


@dataclass(frozen=True)
class TableAnswer:
    """The row of one question and its missed targets."""

    row: TableRow
    misses: tuple[str, ...] = ()


_HEADINGS = {
    "question": "Question",
    "peer": "Peer",
    "size": "size",
    "ours_s": "ours, s",
    "peer_s": "peer, s",
    "ratio": "ours / peer",
    "ours_mb": "ours, extra MB",
    "peer_mb": "peer, extra MB",
    "difference": "largest difference",
}
_DIGITS = {"ours_s": ".3f", "peer_s": ".3f", "ratio": ".2f", "ours_mb": ".0f", "peer_mb": ".0f", "difference": ".0e"}


def measure_table(workload: Workload, question: TableQuestion) -> TableAnswer:
    """Measure memory, then `repeats` rounds of both; the ratio is the median of the ratios per round."""
    memory = []
    for run in (question.ours, question.theirs):
        # Nothing is paid for the first time within a measurement.
        run()
        with peak_memory() as taken:
            run()
        memory.append(taken.extra_mb)
    pairs = []
    for turn in range(workload.repeats):
        workload.log(f"{question.title}: round {turn + 1} of {workload.repeats}")
        gc.collect()
        pairs.append((measure_seconds(question.ours), measure_seconds(question.theirs)))
    row = TableRow(
        question=question.title,
        peer=question.peer,
        size=question.size,
        ours_s=median(ours for ours, _ in pairs),
        peer_s=median(theirs for _, theirs in pairs),
        ratio=median(ours / theirs for ours, theirs in pairs),
        ours_mb=memory[0],
        peer_mb=memory[1],
        difference=float(np.abs(question.ours() - question.theirs()).max()),
    )
    return TableAnswer(row, _list_misses(row, question))


def _list_misses(row: TableRow, question: TableQuestion) -> tuple[str, ...]:
    """List the missed targets, one sentence each."""
    limits = {"ratio": question.max_ratio, "ours_s": question.max_s, "difference": question.max_difference}
    return tuple(
        f"{row.question} against {row.peer}: {_HEADINGS[name]} is {getattr(row, name):.4g}, "
        f"to reach: at most {maximum:g}"
        for name, maximum in limits.items()
        if maximum is not None and not getattr(row, name) <= maximum
    )


def format_contest_table(rows: Sequence[TableRow]) -> str:
    """Format the rows as a Markdown table."""
    lines = [[f"{getattr(row, name):{_DIGITS.get(name, '')}}" for name in _HEADINGS] for row in rows]
    rule = ["---" if name in ("question", "peer", "size") else "---:" for name in _HEADINGS]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(_HEADINGS.values()), rule, *lines])
