"""A fitted model of a table: its predictions, the score to explain, and rows as its last step gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xai_core.arrays import Float64, Int64
from xai_core.errors import InvalidParam, ModelUnavailable, NotApplicable
from xai_core.params import Value
from xai_core.tabular.data.table import Table
from xai_core.tabular.models.preprocessing import PreparedRows, is_preparation, prepare_rows

if TYPE_CHECKING:
    from torch import nn

# Errors of an estimator that was altered, or that meets rows unlike those it was fitted on.
FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
# Scores (N,) of an outcome from rows as the last step of a pipeline gets them, (N, outputs).
PreparedScore = Callable[[Float64, "int | None"], Float64]


@dataclass(frozen=True, eq=False)
class TabularModel:
    """A fitted scikit-learn estimator with its table; the estimator takes frames like `table.frame`."""

    name: str
    title: str
    table: Table
    estimator: Any
    params: Mapping[str, Value]
    seed: int
    train_rows: Int64
    """Numbers of the table's rows it was trained on."""
    test_rows: Int64
    """Numbers of the rows held out from training."""
    cross_validation: tuple[float, ...]
    """Accuracy or R² of each fold of the training rows; empty for an own model."""
    glass_box: bool
    tree_based: bool
    """True where shap's TreeExplainer can take the estimator's last step."""
    differentiable: bool
    id: str
    """Hash of the table, the name, the parameters and the seed."""
    class_order: tuple[int, ...] = ()
    """The table's class of each column of the estimator's probabilities; () for regression."""
    notes: tuple[str, ...] = ()
    """Sentences for the visitor: rows left out, empty cells filled."""
    mixes_prepared: bool = True
    """False for a bare estimator, whose rows are mixed before its own preparation."""
    is_own: bool = False
    """True for a visitor's own model, whose failures are told in a sentence."""
    seconds: float | None = None
    """Time of training, cross-validation included; None for an own model."""
    takes_frames: bool = True
    """False for a bare estimator that was fitted on arrays without column names."""

    @classmethod
    def of_estimator(cls, estimator: Any, table: Table) -> TabularModel:
        """Wrap a fitted scikit-learn estimator; its training rows are not known, so all rows count as both kinds.

        Raises:
            InvalidParam: `estimator` cannot predict.
        """
        if not hasattr(estimator, "predict"):
            got = type(estimator).__name__
            raise InvalidParam(f"The model must be trained here or be a fitted scikit-learn estimator. Got {got!r}.")
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
            # Not for the last step of a pipeline: only without one are its columns the features.
            tree_based=is_tree_model(estimator),
            differentiable=False,
            id="",
            class_order=tuple(range(len(table.classes))),
            mixes_prepared=False,
            takes_frames=hasattr(estimator, "feature_names_in_"),
        )

    def inputs(self, frame: pd.DataFrame) -> Any:
        """Return the rows as the estimator was given them: with column names where it remembers some."""
        return frame if self.takes_frames else frame.to_numpy()

    def predict(self, frame: pd.DataFrame) -> Float64:
        """Return probabilities (N, classes) in the order of `table.classes`, or values (N,) of a regression."""
        return self._predict_with(self.estimator, self.inputs(frame))

    def predict_labels(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the classes, (N,) int64, or values, (N,) float64, that the estimator itself decides for."""
        with self._translate_failures():
            labels = np.asarray(self.estimator.predict(self.inputs(frame)))
        if self.table.task == "regression":
            return np.asarray(labels, dtype=np.float64).ravel()
        classes = np.asarray(self.class_order)
        # The estimator's labels are sorted and need not be the class numbers.
        indices: np.ndarray = classes[np.searchsorted(getattr(self.estimator, "classes_", classes), labels)]
        return indices

    @contextmanager
    def _translate_failures(self) -> Iterator[None]:
        """Turn what an own model raises into a sentence; all others are used as they were made."""
        try:
            yield
        except FAILURES as error:
            if not self.is_own:
                raise
            reason = str(error).splitlines()[0][:200].rstrip(".") if str(error) else type(error).__name__
            raise ModelUnavailable(
                f"Your model cannot answer for these rows: {reason}. Check that it was fitted on such rows."
            ) from error

    def _predict_with(self, step: Any, rows: Any) -> Float64:
        with self._translate_failures():
            return self._ask(step, rows)

    def _ask(self, step: Any, rows: Any) -> Float64:
        """Return the predictions of the estimator, or of its last step for prepared rows."""
        if self.table.task == "regression":
            values: Float64 = np.asarray(step.predict(rows), dtype=np.float64).ravel()
            return values
        probabilities = np.zeros((len(rows), len(self.table.classes)))
        # A class without training rows has probability 0.
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
        """`score` for rows as `prepare` returns them, where each output is made from one feature alone; else None.

        Preparing takes milliseconds whatever the number of rows, so rows that differ in few features are best mixed
        from prepared ones.
        """
        if not self.mixes_prepared or not is_preparation(self.estimator):
            return None
        return lambda values, outcome: self._select_outcome(self._predict_with(self.last_step, values), outcome)

    def prepare(self, frame: pd.DataFrame) -> PreparedRows:
        """Return the rows as the last step gets them: values (N, outputs), their names, the feature each was made from.

        Raises:
            NotApplicable: the model reads the table's own columns and some of them are texts, or is an own pipeline.
        """
        if is_preparation(self.estimator):
            return prepare_rows(self.estimator, frame)
        if hasattr(self.estimator, "steps") or any(column.kind == "category" for column in self.table.columns):
            raise NotApplicable(f"{self.title} has no columns of numbers of its own that could be looked at.")
        return PreparedRows(frame.to_numpy(dtype=np.float64), self.table.features, self.table.features)

    @property
    def last_step(self) -> Any:
        """The estimator behind the preparation, which takes `prepare(frame).values`."""
        return find_last_step(self.estimator)

    @property
    def module(self) -> nn.Module:
        """The torch network in eval mode: float32 rows (N, outputs) to logits (N, classes) or values (N, 1).

        Raises:
            NotApplicable: the model is no torch network.
        """
        if not self.differentiable:
            raise NotApplicable(
                f"{self.title} has no gradients. Train the PyTorch network to use methods that need them."
            )
        module: nn.Module = self.last_step.module_
        return module


def find_last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, or the estimator itself."""
    return estimator[-1] if hasattr(estimator, "steps") else estimator


def is_tree_model(estimator: Any) -> bool:
    """Return whether an estimator is a decision tree, a random forest or histogram boosting of scikit-learn."""
    from sklearn import ensemble, tree

    forests = (ensemble.RandomForestClassifier, ensemble.RandomForestRegressor)
    boosted = (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor)
    return isinstance(estimator, (tree.BaseDecisionTree, *forests, *boosted))


def resolve_model(model: Any, table: Table | None) -> tuple[TabularModel, Table]:
    """Return a model and the table to explain it on: its own unless another is given.

    Raises:
        InvalidParam: a bare estimator without a table, or something that cannot predict.
    """
    if isinstance(model, TabularModel):
        return model, table or model.table
    if table is None and hasattr(model, "predict"):
        raise InvalidParam("A bare estimator belongs to no table: say which with table=….")
    return TabularModel.of_estimator(model, table), table  # type: ignore[arg-type, return-value]
