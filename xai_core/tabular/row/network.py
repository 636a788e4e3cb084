"""A torch network behind a table model as its row methods see it, and the spec that these methods share.

They share out the difference between the row's score and that of rows to start from over the columns that the network
sees; the columns made from one feature are added up. Starting from many real rows (Erion et al. 2021, arXiv:1906.10670)
makes the contributions comparable with SHAP and needs no "empty" row, which tables do not have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from xai_core.arrays import Float64
from xai_core.errors import NotApplicable
from xai_core.params import Choice, Int
from xai_core.tabular.row.method import TABULAR_METHODS, RawContributions, RowMethod, RowRequest

if TYPE_CHECKING:
    import torch

    from xai_core.tabular.models.table_model import TabularModel

# Gap of the sum, as a share of the score's change, up to which no more steps are taken.
TOLERANCE = 0.005
START = Choice(
    name="start",
    title="Start from",
    help="What this row is compared with. An average row may be one that could not exist.",
    default="rows",
    options={"rows": "Real rows, one after the other", "average": "One average row"},
)
BACKGROUND = Int(
    name="background",
    title="Rows to compare with",
    help="Drawn from the rows the model learnt from.",
    default=100,
    low=10,
    high=500,
    advanced=True,
)


class Network:
    """The prepared row and the prepared rows to start from, and the explained number as a function of such rows."""

    def __init__(self, request: RowRequest) -> None:
        import torch

        from xai_core.models.isolation import isolate

        model = request.model
        # In float64: sums of many gradients must come out to the tolerance.
        self.module = isolate(model.module).double()
        rows = np.vstack([request.coded_row, request.draw_background(request.integer("background"))])
        prepared = model.prepare(request.codes.decode(rows))
        row, starts = np.split(np.asarray(prepared.values, dtype=np.float64), [1])
        if request.choice("start") == "average":
            starts = starts.mean(axis=0, keepdims=True)
        self.starts = torch.from_numpy(starts.copy())
        self.x = torch.from_numpy(row.copy()).expand_as(self.starts)
        self.owners = [request.codes.column_index(owner) for owner in prepared.owners]
        self.features = len(request.codes.names)
        self.output = _find_output(model, request.outcome)

    def score(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the explained number of prepared rows (N, columns), (N,)."""
        outputs: torch.Tensor = self.module(rows)
        return outputs[:, 0] if self.output is None else outputs.softmax(dim=1)[:, self.output]

    @property
    def base(self) -> float:
        """The mean score of the rows to start from."""
        return float(self.score(self.starts).mean())

    def sum_by_feature(self, contributions: torch.Tensor) -> Float64:
        """Return contributions (starts, columns) averaged over the starts and added up by feature, (features,)."""
        weights = contributions.mean(dim=0).numpy()
        return np.bincount(self.owners, weights=weights, minlength=self.features).astype(np.float64)


def _find_output(model: TabularModel, outcome: int | None) -> int | None:
    """Return the index of the explained output; None for a network of one number."""
    if outcome is None:
        return None
    if outcome not in model.class_order:
        name = model.table.classes[outcome]
        raise NotApplicable(f"This network met no row of {name} when it learnt, so it has nothing to say of it.")
    return model.class_order.index(outcome)


def _refuse(model: TabularModel) -> str | None:
    if model.differentiable:
        return None
    advice = "Train the PyTorch network to use this, or take shap or lime."
    return f"{model.title} has no gradients that could be followed. {advice}"


def register_network_method(
    name: str,
    run: Callable[[RowRequest], RawContributions],
    *,
    title: str,
    technical: str,
    rank: int,
    caution: str,
    paper: str,
) -> None:
    """Declare a method for torch networks."""
    TABULAR_METHODS.add(
        RowMethod(
            name=name,
            title=title,
            technical=technical,
            rank=rank,
            question="How much did each feature move the answer, seen from inside the network?",
            sentence="Start at the usual answer and add every bar, those to the left taking away: "
            "you arrive at this row's answer.",
            caution=caution,
            paper=paper,
            run=run,
            additive=True,
            refusal=_refuse,
            params=(START, BACKGROUND),
        )
    )
