"""Models that need no explanation, shown as they are: the weights of a sum, the questions of a tree, the curves of a boosting machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Float64
from xai_core.errors import NotApplicable
from xai_core.tabular.glassbox.shape_functions import Curve, Pair, Shapes, read_shapes
from xai_core.tabular.glassbox.tree import Node, Tree, read_tree

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

__all__ = ["Curve", "Node", "Pair", "Shapes", "Tree", "Weights", "glass_box"]


@dataclass(frozen=True, eq=False)
class Weights:
    """A weighted sum. The sum of an outcome is its intercept plus weights times the prepared values (`TabularModel.prepare`)."""

    outcomes: tuple[str, ...]
    """What the rows of `values` add up to: one class of two, each class of more, or the target of a regression."""
    names: tuple[str, ...]
    """The prepared columns, M of them."""
    features: tuple[str, ...]
    """The table's feature behind each column."""
    values: Float64
    """Signed weights, (outcomes, M): positive speaks for the outcome."""
    intercepts: Float64
    """(outcomes,)."""
    units: Float64
    """How much of a feature one weight is about, (M,): a standard deviation of a number, 1 of a yes-or-no column."""
    unit: str
    """What weights are measured in: log-odds, or the target's own unit."""
    note: str

    def order(self, outcome: int = -1) -> tuple[int, ...]:
        """Columns by the size of their weight for an outcome (a row of `values`), largest first."""
        return tuple(int(index) for index in np.argsort(-np.abs(self.values[outcome]), kind="stable"))

    def sentence(self, column: int, outcome: int = -1) -> str:
        """What one weight says: "income: each 1,200 more adds 0.8 to the log-odds of “granted”."."""
        weight, name = self.values[outcome, column], self.names[column]
        does = "adds" if weight >= 0 else "takes"
        towards = "to" if weight >= 0 else "from"
        each = name if name != self.features[column] else f"{name}: each {self.units[column]:,.3g} more"
        return f"{each} {does} {abs(weight):.3g} {towards} {_quantity(self.unit, self.outcomes[outcome])}."


def _quantity(unit: str, outcome: str) -> str:
    return f"the log-odds of “{outcome}”" if unit == "log-odds" else f"the predicted {outcome}"


def glass_box(model: TabularModel) -> Weights | Tree | Shapes:
    """The model as it is. Raises NotApplicable for a model that cannot be read."""
    step = model.last_step
    readers: dict[str, Callable[[TabularModel], Weights | Tree | Shapes]] = {
        "coef_": _read_weights,
        "tree_": read_tree,
        "term_scores_": read_shapes,
    }
    for attribute, reader in readers.items():
        if model.glass_box and hasattr(step, attribute):
            return reader(model)
    raise NotApplicable(
        f"{model.title} is no glass box: nobody can read it as it is. Explain it, or train one that can be read."
    )


def _read_weights(model: TabularModel) -> Weights:
    step: Any = model.last_step
    seen = model.prepare(model.table.frame.head(1))
    values = np.atleast_2d(np.asarray(step.coef_, dtype=np.float64))
    classes = [model.table.classes[index] for index in model.class_order]
    outcomes = (model.table.target_name,) if not classes else tuple(classes if len(values) > 1 else classes[-1:])
    return Weights(
        outcomes=outcomes,
        names=seen.names,
        features=seen.owners,
        values=values,
        intercepts=np.broadcast_to(np.asarray(step.intercept_, dtype=np.float64), (len(values),)).copy(),
        units=_units(model, seen.names),
        unit="log-odds" if classes else model.table.target_name,
        note="Numbers are standardised first: a weight says what one standard deviation more does, so weights can be compared.",
    )


def _units(model: TabularModel, names: tuple[str, ...]) -> Float64:
    """The standard deviation that each number was divided by; 1 for the yes-or-no columns."""
    scales = dict.fromkeys(names, 1.0)
    for name, step, columns in model.estimator[0].transformers_:
        if name == "numbers":
            scales |= dict(zip(columns, step[-1].scale_, strict=True))
    return np.array([scales[name] for name in names])
