"""Models that can be read as they are: weights of a sum, questions of a tree, curves of a boosting machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xai_core.arrays import Float64
from xai_core.errors import NotApplicable
from xai_core.formatting import number
from xai_core.tabular.glassbox.shape_functions import Curve, Pair, Shapes, name_outcomes, read_shapes
from xai_core.tabular.glassbox.tree import Node, Tree, read_tree

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

__all__ = ["Curve", "Node", "Pair", "Shapes", "Tree", "Weights", "glass_box"]


@dataclass(frozen=True, eq=False)
class Weights:
    """A weighted sum: an outcome's intercept plus weights times the prepared values (`TabularModel.prepare`)."""

    outcomes: tuple[str, ...]
    """Meaning of the rows of `values`: one class of two, each class of more, or the target of a regression."""
    names: tuple[str, ...]
    """The prepared columns, M of them."""
    features: tuple[str, ...]
    """The table's feature behind each column."""
    values: Float64
    """Signed weights, (outcomes, M): positive speaks for the outcome."""
    intercepts: Float64
    """(outcomes,)."""
    units: Float64
    """Change of the feature that one weight is about, (M,): a standard deviation, or 1 for a yes-or-no column."""
    unit: str
    """Unit of the weights: log-odds, or the target's own unit."""
    note: str

    def order(self, outcome: int = -1) -> tuple[int, ...]:
        """Return the columns by the size of their weight for an outcome (a row of `values`), largest first."""
        return tuple(int(index) for index in np.argsort(-np.abs(self.values[outcome]), kind="stable"))

    def sentence(self, column: int, outcome: int = -1) -> str:
        """Return one weight in words: "income: each 1,200 more adds 0.8 to the log-odds of “granted”."."""
        weight, name = self.values[outcome, column], self.names[column]
        verb, preposition = ("adds", "to") if weight >= 0 else ("takes", "from")
        subject = name if name != self.features[column] else f"{name}: each {number(self.units[column])} more"
        label = self.outcomes[outcome]
        total = f"the log-odds of “{label}”" if self.unit == "log-odds" else f"the predicted {label}"
        return f"{subject} {verb} {number(abs(weight))} {preposition} {total}."


def glass_box(model: TabularModel) -> Weights | Tree | Shapes:
    """Return the model in a form that can be read.

    Raises: NotApplicable (the model cannot be read).

    >>> from xai_core.tabular import load_table, train
    >>> tree = glass_box(train(load_table("iris"), "decision_tree", {"depth": 2}))
    >>> tree.nodes[0].question
    'petal width (cm) ≤ 0.8?'
    """
    readers: dict[str, Callable[[TabularModel], Weights | Tree | Shapes]] = {
        "coef_": read_weights,
        "tree_": read_tree,
        "term_scores_": read_shapes,
    }
    for attribute, read in readers.items():
        if model.glass_box and hasattr(model.last_step, attribute):
            return read(model)
    raise NotApplicable(
        f"{model.title} is not a glass box, so it cannot be read directly. Explain it, or train one that can be read."
    )


def read_weights(model: TabularModel) -> Weights:
    """Return the weights of a linear model."""
    step = model.last_step
    prepared = model.prepare(model.table.frame.head(1))
    values = np.atleast_2d(np.asarray(step.coef_, dtype=np.float64))
    # The standard deviation that each number was divided by.
    scales = dict.fromkeys(prepared.names, 1.0)
    for name, transformer, columns in model.estimator[0].transformers_:
        if name == "numbers":
            scales |= dict(zip(columns, transformer[-1].scale_, strict=True))
    return Weights(
        outcomes=name_outcomes(model, len(values)),
        names=prepared.names,
        features=prepared.owners,
        values=values,
        intercepts=np.broadcast_to(np.asarray(step.intercept_, dtype=np.float64), (len(values),)).copy(),
        units=np.array([scales[name] for name in prepared.names]),
        unit="log-odds" if model.class_order else model.table.target_name,
        note="Numbers are standardised first: a weight says what one standard deviation more does, "
        "so weights can be compared.",
    )
