"""Scores of many rows with some columns set to other values: in large batches, or by QuickScorer for boosted trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.errors import NotApplicable
from xai_core.tabular.inspection.quickscorer import QuickScorer, encode_forest

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.engine.jobs import Job
    from xai_core.tabular.models.table_model import TabularModel

# Column name to (K,) values: the k-th variant sets every one of these columns to its k-th value, in all rows.
Variants = Mapping[str, npt.NDArray[Any]]
# Rows a prediction: calls cost milliseconds whatever their size; more rows no longer fit the processor's cache.
BATCH = 20_000
# Rows at a time through QuickScorer.
BLOCK = 2_000
PROBE_ROWS, PROBE_VARIANTS = 16, 4
# Largest difference of QuickScorer to the model's own score on the probe, as a share of the largest score there.
TOLERANCE = 1e-11
NO_ROWS: Int64 = np.zeros(0, dtype=np.int64)


def predict_scores(model: TabularModel, frame: pd.DataFrame, outcome: int | None, job: Job[Any]) -> Float64:
    """Return the scores of the rows, (N,), in batches between which the job can be stopped."""
    parts = []
    for start in range(0, len(frame), BATCH):
        part = frame.iloc[start : start + BATCH]
        parts.append(model.score(part, outcome))
        job.tick(len(part))
    return np.concatenate(parts)


def average_scores(
    model: TabularModel,
    frame: pd.DataFrame,
    variants: Variants,
    outcome: int | None,
    job: Job[Any],
    shown: Int64 = NO_ROWS,
) -> tuple[Float64, Float64]:
    """Return the mean score over all rows, (K,), and the scores of the rows numbered `shown`, (n, K).

    All rows' scores are never held at once. The frame's index holds the row numbers.
    """
    count = len(next(iter(variants.values())))
    total, lines = np.zeros(count), np.empty((len(shown), count))
    for block, scores in iter_scores(model, frame, variants, outcome, job):
        total += scores.sum(axis=0)
        numbers = block.index.to_numpy()
        inside = np.isin(shown, numbers)
        # Row numbers need not be in order.
        order = np.argsort(numbers, kind="stable")
        lines[inside] = scores[order[np.searchsorted(numbers, shown[inside], sorter=order)]]
    return total / len(frame), lines


def iter_scores(
    model: TabularModel, frame: pd.DataFrame, variants: Variants, outcome: int | None, job: Job[Any]
) -> Iterator[tuple[pd.DataFrame, Float64]]:
    """Yield one block of rows after another with its scores under every variant, (rows, K)."""
    # The short cut holds a block's leaves for all trees: its blocks are smaller.
    scorer = build_quick_scorer(model, frame, variants, outcome)
    size = BATCH if scorer is None else BLOCK
    for start in range(0, len(frame), size):
        block = frame.iloc[start : start + size]
        if scorer is None:
            yield block, predict_variants(model, block, variants, outcome, job)
        else:
            scores = scorer.scores(block)
            job.tick(scores.size)
            yield block, scores


def build_quick_scorer(
    model: TabularModel, frame: pd.DataFrame, variants: Variants, outcome: int | None
) -> QuickScorer | None:
    """Return a QuickScorer, or None where the model has no such trees or it misses the model's own scores.

    It is tried on rows and variants spread over the whole frame and grid.
    """
    forest = encode_forest(model.last_step)
    if forest is None:
        return None
    single = set_columns(frame.iloc[:1], variants)
    count = len(single)
    rows = frame.iloc[np.linspace(0, len(frame) - 1, min(PROBE_ROWS, len(frame))).astype(int)]
    chosen = np.linspace(0, count - 1, min(PROBE_VARIANTS, count)).astype(int)
    copies = set_columns(rows, {name: values[chosen] for name, values in variants.items()})
    expected = model.score(copies, outcome).reshape(len(chosen), len(rows)).T
    try:
        prepared = model.prepare(single)
    # Somebody's own pipeline.
    except NotApplicable:
        return None
    varied = {column: prepared.values[:, column] for column, owner in enumerate(prepared.owners) if owner in variants}
    scorer = QuickScorer(model, forest, varied, count, outcome)
    gap = np.abs(scorer.scores(rows)[:, chosen] - expected).max()
    return scorer if gap <= TOLERANCE * max(np.abs(expected).max(), 1e-12) else None


def predict_variants(
    model: TabularModel, block: pd.DataFrame, variants: Variants, outcome: int | None, job: Job[Any]
) -> Float64:
    """Return the scores of the block under every variant by prediction, (rows, K)."""
    count = len(next(iter(variants.values())))
    score = _build_variant_score(model, block, variants, outcome)
    step = max(BATCH // len(block), 1)
    parts = []
    for start in range(0, count, step):
        parts.append(score(slice(start, min(start + step, count))))
        job.tick(parts[-1].size)
    return np.concatenate(parts, axis=1)


def _build_variant_score(
    model: TabularModel, block: pd.DataFrame, variants: Variants, outcome: int | None
) -> Callable[[slice], Float64]:
    """Return a function from k of the variants to scores (rows, k).

    Rows and values are prepared only once where the model prepares each feature by itself.
    """
    single = set_columns(block.iloc[:1], variants)

    def score_copies(chosen: slice) -> Float64:
        copies = set_columns(block, {name: values[chosen] for name, values in variants.items()})
        return model.score(copies, outcome).reshape(-1, len(block)).T

    score_prepared = model.prepared_score
    if score_prepared is None:
        return score_copies
    values = model.prepare(single).values
    prepared, _, owners = model.prepare(block)
    varied = np.flatnonzero([owner in variants for owner in owners])

    def score_mixtures(chosen: slice) -> Float64:
        count = len(values[chosen])
        # A row's variants follow each other: trees then take the same turns again and again.
        rows = np.repeat(prepared, count, axis=0)
        rows[:, varied] = np.tile(values[chosen][:, varied], (len(prepared), 1))
        return score_prepared(rows, outcome).reshape(len(prepared), count)

    return score_mixtures


def set_columns(block: pd.DataFrame, variants: Variants) -> pd.DataFrame:
    """Return the block once for every variant with the variant's values in its columns, (K · rows) rows."""
    import pandas as pd

    count = len(next(iter(variants.values())))
    copies = block.take(np.tile(np.arange(len(block)), count))
    # Repeated row numbers would make the assignments below align.
    copies.index = pd.RangeIndex(len(copies))
    for name, values in variants.items():
        copies[name] = pd.Series(np.repeat(values, len(block)), dtype=block.dtypes[name])
    return copies
