"""Int64 as they are mixed with others, cell by cell or, where that is the same and quicker, behind the model's preparation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.tabular.data.row_encoder import RowEncoder, score_batches
from xai_core.tabular.models.table_model import TabularModel


@dataclass(frozen=True, eq=False)
class Mixing:
    """Int64 (N, columns) of which parts may be exchanged between them, feature by feature, and what the model says to such mixtures.

    Preparing takes milliseconds whatever the number of rows. Where each prepared column is made from one feature alone, a mixture of
    prepared rows is the prepared mixture, so that every row is prepared once and no mixture is.
    """

    rows: Float64
    features: int
    owners: npt.NDArray[np.intp]
    """(columns,) the number of the feature that each column belongs to."""
    batch: int
    ask: Callable[[Float64], Float64]
    job: Job[object]

    @classmethod
    def of(
        cls, model: TabularModel, codes: RowEncoder, coded: Float64, outcome: int | None, job: Job[object]
    ) -> Mixing:
        """For these coded rows, (N, features), and this outcome."""
        quick, features = model.prepared_score, len(codes.names)
        if quick is None:
            return cls(
                coded,
                features,
                np.arange(features),
                codes.batch_size,
                lambda rows: model.score(codes.decode(rows), outcome),
                job,
            )
        seen, _, owners = model.prepare(codes.decode(coded))
        places = np.array([codes.column_index(name) for name in owners])
        return cls(seen, features, places, codes.batch_size, lambda rows: quick(rows, outcome), job)

    def scores(self, rows: Float64) -> Float64:
        """The explained number of each mixture of (N, columns), (N,); asked in batches that are counted, and stopped on request."""
        return score_batches(self.ask, rows, self.batch, self.job)
