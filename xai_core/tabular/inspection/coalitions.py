"""Mixtures of rows, in which some features have the values of another row, and the model's scores of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.tabular.data.row_encoder import RowEncoder, score_batches
from xai_core.tabular.models.table_model import TabularModel


@dataclass(frozen=True, eq=False)
class CoalitionSampler:
    """Rows (N, columns) whose values may be exchanged feature by feature, and the scores of such mixtures.

    Preparing takes milliseconds whatever the number of rows. Where each prepared column is made from one feature alone,
    a mixture of prepared rows is the prepared mixture: every row is prepared once and no mixture is.
    """

    rows: Float64
    features: int
    owners: npt.NDArray[np.intp]
    """(columns,) number of the feature that each column belongs to."""
    batch: int
    score: Callable[[Float64], Float64]
    job: Job[Any]

    @classmethod
    def of(
        cls, model: TabularModel, codes: RowEncoder, coded: Float64, outcome: int | None, job: Job[Any]
    ) -> CoalitionSampler:
        """Build it for coded rows (N, features) and an outcome."""
        score_prepared, features = model.prepared_score, len(codes.names)
        # Mix the table's own cells where the model does not prepare each feature by itself.
        if score_prepared is None:
            owners = np.arange(features)
            return cls(
                coded, features, owners, codes.batch_size, lambda rows: model.score(codes.decode(rows), outcome), job
            )
        prepared, _, names = model.prepare(codes.decode(coded))
        # One feature may be prepared into several columns, which change together.
        owners = np.array([codes.column_index(name) for name in names])
        return cls(prepared, features, owners, codes.batch_size, lambda rows: score_prepared(rows, outcome), job)

    def scores(self, rows: Float64) -> Float64:
        """Return the score of each mixture of (N, columns), (N,), in batches that are counted and can be stopped."""
        return score_batches(self.score, rows, self.batch, self.job)
