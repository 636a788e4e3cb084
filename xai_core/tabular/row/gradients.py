"""Integrated Gradients and DeepLIFT for a row of a table, on networks of torch.

Sundararajan et al. 2017, arXiv:1703.01365; Shrikumar et al. 2017, arXiv:1704.02685 (`xai_core.rules.deep_lift`). Both share out
the difference between this row's answer and that of rows to start from, in the score's own unit, over the columns that the network sees;
the columns made from one feature are added up. Starting from many real rows (Erion et al. 2021, arXiv:1906.10670) makes the shares
comparable with SHAP and needs no "empty" row, which tables do not have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from xai_core.arrays import Float64
from xai_core.errors import NotApplicable
from xai_core.params import Choice, Int
from xai_core.tabular.data.row_encoder import MAX_BATCH_CELLS, MAX_BATCH_ROWS
from xai_core.tabular.row.method import RawRow, RowMethod, RowRequest

if TYPE_CHECKING:
    import torch

    from xai_core.tabular.models.table_model import TabularModel

FIRST_STEPS, MOST_STEPS = 64, 512
TOLERANCE = 0.005
"""Of the change of the score: what the shares may miss before more steps are taken."""


class Network:
    """The row and the rows to start from as the network sees them, and the explained number as a function of such rows."""

    def __init__(self, request: RowRequest) -> None:
        import torch

        from xai_core.models.isolation import isolate

        model = request.model
        self.module = isolate(model.module).double()
        rows = np.vstack([request.start, request.background(request.integer("background"))])
        seen = model.prepare(request.codes.decode(rows))
        x, starts = np.split(np.asarray(seen.values, dtype=np.float64), [1])
        if request.choice("start") == "average":
            starts = starts.mean(axis=0, keepdims=True)
        self.starts = torch.from_numpy(starts.copy())
        self.x = torch.from_numpy(x.copy()).expand_as(self.starts)
        self.owners = [request.codes.column_index(owner) for owner in seen.owners]
        self.features = len(request.codes.names)
        self.output = _output(model, request.outcome)

    def score(self, rows: torch.Tensor) -> torch.Tensor:
        """The explained number of prepared rows (N, columns): (N,)."""
        answers: torch.Tensor = self.module(rows)
        return answers[:, 0] if self.output is None else answers.softmax(dim=1)[:, self.output]

    @property
    def base(self) -> float:
        return float(self.score(self.starts).mean())

    def by_feature(self, shares: torch.Tensor) -> Float64:
        """Shares (starts, columns) as one number a feature, (features,): the mean over the starts, columns of one feature added up."""
        return np.bincount(self.owners, weights=shares.mean(dim=0).numpy(), minlength=self.features).astype(np.float64)


def _output(model: TabularModel, outcome: int | None) -> int | None:
    """Which output of the network is explained; None for a network of one number."""
    if outcome is None:
        return None
    if outcome not in model.class_order:
        raise NotApplicable(
            f"This network met no row of {model.table.classes[outcome]} when it learned, so it has nothing to say of it."
        )
    return model.class_order.index(outcome)


def integrated_gradients(request: RowRequest) -> RawRow:
    """Share of each feature in score - base, by the gradients on straight ways from the rows to start from."""
    network, steps = Network(request), FIRST_STEPS
    base, change = network.base, request.score - network.base
    while True:
        request.job.expect(request.job.done + steps * len(network.x))
        values = network.by_feature(_along(network, steps, request.job.tick))
        missed = abs(float(values.sum()) - change)
        if missed <= TOLERANCE * max(abs(change), request.smallest) or steps >= MOST_STEPS:
            return RawRow(values, base, details={"steps": float(steps), "background_rows": float(len(network.starts))})
        steps = min(4 * steps, MOST_STEPS)


def _along(network: Network, steps: int, tick: Callable[[int], None]) -> torch.Tensor:
    """Gradients times ways, (starts, columns), meaned over evenly spaced points, several at once: a call costs more than its rows.

    A network of rectifiers bends at once where a rule for smooth functions counts on it not to: on the tables built in, points of
    Gauss and Legendre miss two to four times as much, and shifting every way's points against the others' wins nothing.
    """
    import torch

    way, total = network.x - network.starts, torch.zeros_like(network.starts)
    places = (torch.arange(steps, dtype=way.dtype) + 0.5) / steps
    for some in places.split(max(1, min(MAX_BATCH_ROWS, MAX_BATCH_CELLS // way.shape[1]) // len(way))):
        here = (network.starts + way * some[:, None, None]).requires_grad_(True)
        with torch.enable_grad():
            (gradients,) = torch.autograd.grad(network.score(here.flatten(0, 1)).sum(), here)
        total += gradients.sum(dim=0)
        tick(len(some) * len(way))
    return total * way / steps


def deep_lift(request: RowRequest) -> RawRow:
    """Share of each feature in score - base, followed back step by step through the network."""
    from xai_core.rules.deep_lift import DeepLift

    network = Network(request)
    request.job.expect(2 * len(network.x))
    found = DeepLift(TOLERANCE, 64, request.job.tick).lift(network.score, network.x, network.starts)
    request.job.tick(2 * len(network.x))
    shares = (found.multipliers * (network.x - network.starts)).detach()
    return RawRow(network.by_feature(shares), network.base, details={"background_rows": float(len(network.starts))})


def _refusal(model: TabularModel) -> str | None:
    if model.differentiable:
        return None
    return f"{model.title} has no gradients that could be followed. Train the PyTorch network to use this, or take shap or lime."


def _declare(
    name: str, title: str, technical: str, caution: str, paper: str, run: Callable[[RowRequest], RawRow]
) -> RowMethod:
    return RowMethod(
        name=name,
        title=title,
        technical=technical,
        question="How much did each feature move the answer, seen from inside the network?",
        sentence="Start at the usual answer and add every bar, those to the left taking away: you arrive at this row's answer.",
        caution=caution,
        paper=paper,
        run=run,
        additive=True,
        refusal=_refusal,
        params=(
            Choice(
                name="start",
                title="Start from",
                help="What this row is compared with. An average row may be one that could not exist.",
                default="rows",
                options={"rows": "Real rows, one after the other", "average": "One average row"},
            ),
            Int(
                name="background",
                title="Rows to compare with",
                help="Drawn from the rows the model learned from.",
                default=100,
                low=10,
                high=500,
                advanced=True,
            ),
        ),
    )


INTEGRATED_GRADIENTS = _declare(
    "integrated_gradients",
    "Shares along the way",
    "Integrated Gradients",
    "On the way from another row to this one it asks the network about mixtures of the two, which may not exist.",
    "Sundararajan et al. 2017, arXiv:1703.01365",
    integrated_gradients,
)
DEEP_LIFT = _declare(
    "deep_lift",
    "Shares, step by step",
    "DeepLIFT",
    "Two networks that give the same answers can get different bars, because it looks at their steps.",
    "Shrikumar et al. 2017, arXiv:1704.02685",
    deep_lift,
)
