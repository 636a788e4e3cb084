"""Scores of many rows with some columns set to other values: in large batches, or by a short cut where it gives the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.tabular._explained import Explained, Floats
from xai_core.tabular._tree_bits import TreeBits
from xai_core.tabular._variants import Variants, set_columns, variant_count

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.engine.jobs import Job

BATCH = 20_000
"""Rows a prediction: calls cost milliseconds whatever their size, and more rows than this no longer fit the processor's cache."""
BLOCK = 2_000
"""Rows at a time through the short cut."""


def scores_of(model: Explained, frame: pd.DataFrame, outcome: int | None, job: Job[Any] | None = None) -> Floats:
    """(N,) scores, in batches between which the job can be stopped."""
    parts = []
    for start in range(0, len(frame), BATCH):
        part = frame.iloc[start : start + BATCH]
        parts.append(model.score(part, outcome))
        tick(job, len(part))
    return np.concatenate(parts)


def variant_scores(
    model: Explained, frame: pd.DataFrame, variants: Variants, outcome: int | None, job: Job[Any] | None = None
) -> Iterator[tuple[slice, Floats]]:
    """For one block of rows after another: which rows, and their scores (rows, K) under every variant."""
    bits = TreeBits.of(model, frame, variants, outcome)
    size = variant_count(variants)
    if bits is None:
        yield from _by_prediction(model, frame, variants, outcome, job)
        return
    for start in range(0, len(frame), BLOCK):
        rows = slice(start, min(start + BLOCK, len(frame)))
        found = bits.scores(frame.iloc[rows])
        tick(job, found.shape[0] * size)
        yield rows, found


def _by_prediction(
    model: Explained, frame: pd.DataFrame, variants: Variants, outcome: int | None, job: Job[Any] | None
) -> Iterator[tuple[slice, Floats]]:
    size = variant_count(variants)
    for start in range(0, len(frame), BATCH):
        rows = slice(start, min(start + BATCH, len(frame)))
        block = frame.iloc[rows]
        step = max(BATCH // len(block), 1)
        parts = [_some(model, block, variants, slice(at, min(at + step, size)), outcome, job) for at in range(0, size, step)]
        yield rows, np.concatenate(parts, axis=1)


def _some(model: Explained, block: pd.DataFrame, variants: Variants, which: slice, outcome: int | None, job: Job[Any] | None) -> Floats:
    """(rows, variants asked) scores from one prediction."""
    asked = set_columns(block, {name: values[which] for name, values in variants.items()})
    found = model.score(asked, outcome).reshape(-1, len(block)).T
    tick(job, len(asked))
    return found


def tick(job: Job[Any] | None, evaluations: int) -> None:
    if job is not None:
        job.tick(evaluations)


def expect(job: Job[Any] | None, evaluations: int) -> None:
    if job is not None:
        job.expect(evaluations)
