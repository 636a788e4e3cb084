"""Scores of many rows with some columns set to other values: in large batches, or by a short cut where it gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Float64
from xai_core.tabular.inspection.quickscorer import TreeBits
from xai_core.tabular.inspection.variants import Variants, set_columns, variant_count
from xai_core.tabular.models.table_model import TabularModel

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.engine.jobs import Job

BATCH = 20_000
"""Int64 a prediction: calls cost milliseconds whatever their size, and more rows than this no longer fit the processor's cache."""
BLOCK = 2_000
"""Int64 at a time through the short cut."""


def scores_of(model: TabularModel, frame: pd.DataFrame, outcome: int | None, job: Job[Any]) -> Float64:
    """(N,) scores, in batches between which the job can be stopped."""
    parts = []
    for start in range(0, len(frame), BATCH):
        part = frame.iloc[start : start + BATCH]
        parts.append(model.score(part, outcome))
        job.tick(len(part))
    return np.concatenate(parts)


def variant_scores(
    model: TabularModel, frame: pd.DataFrame, variants: Variants, outcome: int | None, job: Job[Any]
) -> Iterator[tuple[slice, Float64]]:
    """For one block of rows after another: which rows, and their scores (rows, K) under every variant."""
    bits = TreeBits.of(model, frame, variants, outcome)
    size = variant_count(variants)
    if bits is None:
        yield from _by_prediction(model, frame, variants, outcome, job)
        return
    for start in range(0, len(frame), BLOCK):
        rows = slice(start, min(start + BLOCK, len(frame)))
        found = bits.scores(frame.iloc[rows])
        job.tick(found.shape[0] * size)
        yield rows, found


def _by_prediction(
    model: TabularModel, frame: pd.DataFrame, variants: Variants, outcome: int | None, job: Job[Any]
) -> Iterator[tuple[slice, Float64]]:
    size = variant_count(variants)
    for start in range(0, len(frame), BATCH):
        rows = slice(start, min(start + BATCH, len(frame)))
        block = frame.iloc[rows]
        score = _mixed_score(model, block, variants, outcome) or _plain_score(model, block, variants, outcome)
        step = max(BATCH // len(block), 1)
        parts = []
        for at in range(0, size, step):
            parts.append(score(slice(at, min(at + step, size))))
            job.tick(parts[-1].size)
        yield rows, np.concatenate(parts, axis=1)


def _plain_score(
    model: TabularModel, block: pd.DataFrame, variants: Variants, outcome: int | None
) -> Callable[[slice], Float64]:
    """(rows, k) scores of the whole block under k of the variants."""

    def plain(some: slice) -> Float64:
        asked = set_columns(block, {name: values[some] for name, values in variants.items()})
        return model.score(asked, outcome).reshape(-1, len(block)).T

    return plain


def _mixed_score(
    model: TabularModel, block: pd.DataFrame, variants: Variants, outcome: int | None
) -> Callable[[slice], Float64] | None:
    """The same, from rows and values that are prepared only once. None where the model does not prepare each feature by itself."""
    score = model.prepared_score
    if score is None:
        return None
    seen, _, owners = model.prepare(block)
    values = model.prepare(set_columns(block.iloc[:1], variants))[0]
    varied = np.flatnonzero([owner in variants for owner in owners])

    def mixed(some: slice) -> Float64:
        count = len(values[some])
        # A row's variants follow each other: trees then take the same turns again and again.
        rows = np.repeat(seen, count, axis=0)
        rows[:, varied] = np.tile(values[some][:, varied], (len(seen), 1))
        return score(rows, outcome).reshape(len(seen), count)

    return mixed
