"""Contestants over a table instead of a picture: ours and a peer in turns, and how far their numbers are apart."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.harness.contest import Bench, Floats, peak_memory
from benchmarks.harness.limits import seconds_of


@dataclass(frozen=True)
class TableQuestion:
    """One comparison: both give the same array, and what has to be reached."""

    title: str
    size: str
    """Of the task, in words."""
    ours: Callable[[], Floats]
    peer: str
    theirs: Callable[[], Floats]
    most_ratio: float | None = None
    most_s: float | None = None
    most_difference: float = 1e-10


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
    """The row of one question and what was missed."""

    row: TableRow
    missed: tuple[str, ...] = ()


_HEADS = {
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


def measure_table(bench: Bench, question: TableQuestion) -> TableAnswer:
    """Memory first, then `repeats` rounds of both; the ratio is the median of the rounds' ratios."""
    memory = []
    for run in (question.ours, question.theirs):
        run()  # nothing is paid for the first time within a measurement
        with peak_memory() as taken:
            run()
        memory.append(taken.extra_mb)
    pairs = []
    for turn in range(bench.repeats):
        bench.say(f"{question.title}: round {turn + 1} of {bench.repeats}")
        gc.collect()
        pairs.append((seconds_of(question.ours), seconds_of(question.theirs)))
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
    return TableAnswer(row, _missed(row, question))


def _missed(row: TableRow, question: TableQuestion) -> tuple[str, ...]:
    """A sentence for everything that was not reached."""
    limits = {"ratio": question.most_ratio, "ours_s": question.most_s, "difference": question.most_difference}
    return tuple(
        f"{row.question} against {row.peer}: {_HEADS[name]} is {getattr(row, name):.4g}, to reach: at most {most:g}"
        for name, most in limits.items()
        if most is not None and not getattr(row, name) <= most
    )


def table_of(rows: Sequence[TableRow]) -> str:
    """The rows as a Markdown table, numbers to the right."""
    lines = [[f"{getattr(row, name):{_DIGITS.get(name, '')}}" for name in _HEADS] for row in rows]
    rule = ["---" if name in ("question", "peer", "size") else "---:" for name in _HEADS]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(_HEADS.values()), rule, *lines])
