"""What the global explanations ask of a model, and how a bare scikit-learn estimator of a notebook comes to offer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from xai_core.errors import InvalidParam, UnknownName

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.builtin import Table

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
PreparedScore = Callable[[Floats, "int | None"], Floats]
"""Scores (N,) of an outcome from rows as the last step of a pipeline sees them, (N, outputs)."""


class Explained(Protocol):
    """A fitted model over a table, as far as explanations look into it. `TabularModel` is one."""

    @property
    def estimator(self) -> Any: ...
    @property
    def tree_based(self) -> bool: ...
    @property
    def train_rows(self) -> Rows: ...
    @property
    def test_rows(self) -> Rows: ...
    def score(self, frame: pd.DataFrame, outcome: int | None = None) -> Floats: ...
    def transformed(self, frame: pd.DataFrame) -> tuple[Floats, Sequence[str], Sequence[str]]: ...
    @property
    def prepared_score(self) -> PreparedScore | None: ...


def explained(model: Any, table: Table) -> Explained:
    """The model itself where it can be asked already, else a fitted scikit-learn estimator or pipeline made so. Raises InvalidParam."""
    if hasattr(model, "score") and hasattr(model, "transformed") and hasattr(model, "estimator"):
        return model  # type: ignore[no-any-return]  # the protocol, by its names
    if not hasattr(model, "predict"):
        raise InvalidParam(
            f"The model must be trained here or be a fitted scikit-learn estimator. Got {type(model).__name__!r}."
        )
    return BareEstimator(model, table)


@dataclass(frozen=True, eq=False)
class BareEstimator:
    """A fitted scikit-learn estimator with the table it speaks about. Which rows it learned from is not known, so all count as both."""

    estimator: Any
    table: Table

    @cached_property
    def tree_based(self) -> bool:
        """True for scikit-learn's own trees without a pipeline around them: only there the columns are the features."""
        from sklearn import ensemble, tree

        boosted = (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor)
        forests = (ensemble.RandomForestClassifier, ensemble.RandomForestRegressor)
        return isinstance(self.estimator, (*boosted, *forests, tree.BaseDecisionTree))

    @property
    def train_rows(self) -> Rows:
        return np.arange(len(self.table.frame))

    @property
    def test_rows(self) -> Rows:
        return self.train_rows

    def score(self, frame: pd.DataFrame, outcome: int | None = None) -> Floats:
        """(N,) probability of the outcome, or the predicted value of a regression."""
        data = self.inputs(frame)
        index = outcome_index(self.table, outcome)
        if index is None:
            return np.asarray(self.estimator.predict(data), dtype=np.float64).ravel()
        found: Floats = np.asarray(self.estimator.predict_proba(data), dtype=np.float64)[:, index]
        return found

    @property
    def prepared_score(self) -> None:
        """None: what its own pipeline does is not known."""

    def transformed(self, frame: pd.DataFrame) -> tuple[Floats, Sequence[str], Sequence[str]]:
        names = tuple(map(str, frame.columns))
        return frame.to_numpy(dtype=np.float64), names, names

    def inputs(self, frame: pd.DataFrame) -> Any:
        """The rows as the estimator was given them: with column names where it remembers some."""
        return frame if hasattr(self.estimator, "feature_names_in_") else frame.to_numpy()


def last_step(model: Explained) -> Any:
    """The model behind the preparation."""
    return model.estimator[-1] if hasattr(model.estimator, "steps") else model.estimator


def class_order(model: Explained, table: Table) -> tuple[int, ...]:
    """The class that each column of the estimator's probabilities is about: the table's order, unless the model says otherwise."""
    return getattr(model, "class_order", ()) or tuple(range(len(table.classes)))


def outcome_index(table: Table, outcome: int | None) -> int | None:
    """The class that is explained: the given one, else the last (the second of two); None for a regression. Raises InvalidParam."""
    if table.task == "regression":
        return None
    if outcome is None:
        return len(table.classes) - 1
    if isinstance(outcome, bool) or not isinstance(outcome, (int, np.integer)) or not 0 <= outcome < len(table.classes):
        raise InvalidParam(
            f"The outcome must be a class number from 0 to {len(table.classes) - 1}. Got {str(outcome)[:60]!r}."
        )
    return int(outcome)


def outcome_words(table: Table, outcome: int | None) -> str:
    """What the explained number is: "probability of yes", or the target's name."""
    index = outcome_index(table, outcome)
    return table.target_name if index is None else f"probability of {table.classes[index]}"


def column_known(table: Table, feature: str) -> str:
    """The feature's name. Raises UnknownName with the nearest ones for one that the table does not have."""
    names = [column.name for column in table.columns]
    if feature not in names:
        raise UnknownName.of("feature", feature, names)
    return feature


def two_features(table: Table, features: tuple[str, str]) -> tuple[str, str]:
    """Two different features of the table. Raises UnknownName and InvalidParam."""
    first, second = (column_known(table, name) for name in features)
    if first == second:
        raise InvalidParam(f"Choose two different features. Got {first!r} twice.")
    return first, second
