"""A fitted model of a table: predictions, the score to explain, rows as the last step gets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xai_core.arrays import Float64, Int64
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.params import Value
from xai_core.tabular.data.table import Table
from xai_core.tabular.models.preprocessing import Prepared, is_preparation, prepared

if TYPE_CHECKING:
    from torch import nn

PreparedScore = Callable[[Float64, "int | None"], Float64]
"""Scores (N,) of an outcome from rows as the last step of a pipeline gets them, (N, outputs)."""


@dataclass(frozen=True, eq=False)
class TabularModel:
    """A fitted scikit-learn estimator with the table it belongs to. `estimator` takes frames like `table.frame`; nobody fits it again."""

    name: str
    title: str
    table: Table
    estimator: Any
    params: Mapping[str, Value]
    seed: int
    train_rows: Int64
    """Numbers of the table's rows it learnt from."""
    test_rows: Int64
    """Numbers of the rows held out, which it has never seen."""
    cross_validation: tuple[float, ...]
    """Accuracy or R² of each fold of the training rows; empty for an own model."""
    glass_box: bool
    tree_based: bool
    differentiable: bool
    id: str
    """Hash of the table, the name, the parameters and the seed."""
    class_order: tuple[int, ...] = ()
    """The class that each column of the estimator's probabilities is about; () for regression."""
    notes: tuple[str, ...] = ()
    """What a visitor should know: rows left out, empty cells filled."""

    takes_frames: bool = True
    """False for a bare estimator that was fitted on arrays without column names."""

    @classmethod
    def of_estimator(cls, estimator: Any, table: Table) -> TabularModel:
        """Wrap a fitted scikit-learn estimator; the rows it learned from are not known, so all count as both.

        Raises:
            InvalidParam: `estimator` cannot predict.
        """
        from sklearn import ensemble, tree

        if not hasattr(estimator, "predict"):
            raise InvalidParam(
                f"The model must be trained here or be a fitted scikit-learn estimator. Got {type(estimator).__name__!r}."
            )
        boosted = (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor)
        forests = (ensemble.RandomForestClassifier, ensemble.RandomForestRegressor)
        every_row = np.arange(len(table))
        return cls(
            name="estimator",
            title=type(estimator).__name__,
            table=table,
            estimator=estimator,
            params=MappingProxyType({}),
            seed=0,
            train_rows=every_row,
            test_rows=every_row,
            cross_validation=(),
            glass_box=False,
            # Only without a pipeline around them are the columns the features.
            tree_based=isinstance(estimator, (*boosted, *forests, tree.BaseDecisionTree)),
            differentiable=False,
            id="",
            class_order=tuple(range(len(table.classes))),
            takes_frames=hasattr(estimator, "feature_names_in_"),
        )

    def inputs(self, frame: pd.DataFrame) -> Any:
        """Return the rows as the estimator was given them: with column names where it remembers some."""
        return frame if self.takes_frames else frame.to_numpy()

    def predict(self, frame: pd.DataFrame) -> Float64:
        """Return probabilities (N, classes) in the order of `table.classes`, or values (N,) of a regression."""
        return self._ask(self.estimator, self.inputs(frame))

    def _ask(self, step: Any, rows: Any) -> Float64:
        """Return the predictions of the estimator, or of its last step for prepared rows."""
        if self.table.task == "regression":
            values: Float64 = np.asarray(step.predict(rows), dtype=np.float64).ravel()
            return values
        probabilities = np.zeros((len(rows), len(self.table.classes)))
        # A class that the model never met has probability 0.
        probabilities[:, self.class_order] = np.asarray(step.predict_proba(rows), dtype=np.float64)
        return probabilities

    def score(self, frame: pd.DataFrame, outcome: int | None = None) -> Float64:
        """Return the explained number, (N,): the probability of class `outcome` (None: the last), or the value."""
        return self._select_outcome(self.predict(frame), outcome)

    def _select_outcome(self, predictions: Float64, outcome: int | None) -> Float64:
        index = self.table.outcome_index(outcome)
        return predictions if index is None else predictions[:, index]

    @property
    def prepared_score(self) -> PreparedScore | None:
        """`score` for rows as `transformed` has them, where each output is made from one feature alone; else None.

        Preparing takes milliseconds whatever the number of rows, so rows that differ in few features are best mixed
        from prepared ones.
        """
        if not is_preparation(self.estimator):
            return None
        return lambda values, outcome: self._select_outcome(self._ask(self.last_step, values), outcome)

    def prepare(self, frame: pd.DataFrame) -> Prepared:
        """Return the rows as the last step gets them: values (N, outputs), their names, the feature each was made from.

        Raises:
            NotApplicable: the model reads the table's own columns and some of them are texts, or is an own pipeline.
        """
        if is_preparation(self.estimator):
            return prepared(self.estimator, frame)
        if hasattr(self.estimator, "steps") or any(column.kind == "category" for column in self.table.columns):
            raise NotApplicable(f"{self.title} has no columns of numbers of its own that could be looked at.")
        names = tuple(column.name for column in self.table.columns)
        return Prepared(frame.to_numpy(dtype=np.float64), names, names)

    @property
    def last_step(self) -> Any:
        """The estimator behind the preparation, which takes `transformed(frame).values`."""
        return self.estimator[-1] if hasattr(self.estimator, "steps") else self.estimator

    @property
    def module(self) -> nn.Module:
        """The torch network, in eval mode: float32 rows (N, outputs) of `transformed` to logits (N, classes) or values (N, 1).

        Raises NotApplicable for a model that is no torch network.
        """
        if not self.differentiable:
            raise NotApplicable(
                f"{self.title} has no gradients. Train the PyTorch network to use methods that need them."
            )
        module: nn.Module = self.last_step.module_
        return module


def resolve_model(model: Any, table: Table | None) -> tuple[TabularModel, Table]:
    """Return a model and the table to look at it through: its own unless another is given.

    Raises:
        InvalidParam: a bare estimator without a table, or something that cannot predict.
    """
    if isinstance(model, TabularModel):
        return model, table or model.table
    if table is None and hasattr(model, "predict"):
        raise InvalidParam("A bare estimator belongs to no table: say which with table=….")
    return TabularModel.of_estimator(model, table), table  # type: ignore[arg-type, return-value]
