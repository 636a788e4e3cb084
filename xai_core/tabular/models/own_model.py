"""A visitor's own scikit-learn model from a skops file: opened only if safe, taken only if it fits the table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn import ensemble
from sklearn.base import BaseEstimator, TransformerMixin, is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from xai_core.arrays import Int64
from xai_core.errors import ModelUnavailable
from xai_core.tabular.models.own.columns import build_forms, choose_readings, list_columns
from xai_core.tabular.models.own.demands import find_demands
from xai_core.tabular.models.own.forms import ColumnForms, ConstantForm
from xai_core.tabular.models.own.outcomes import match_outcomes
from xai_core.tabular.models.own.readings import DEFAULT
from xai_core.tabular.models.preprocessing import MODEL, PREPARE
from xai_core.tabular.models.skops_safety import DAMAGED, load_skops, untrusted_types
from xai_core.tabular.models.table_model import FAILURES, TabularModel, find_last_step, is_tree_model
from xai_core.tabular.reading.cells import tidy_name

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

__all__ = ["load_own_model", "untrusted_types"]

# Rows predicted once, to refuse a model that cannot.
PROBE_ROWS = 20
MAX_PROBE_CATEGORIES = 200
_UNKNOWN_TRAINING = (
    "Nobody here knows which rows your model learnt from. If the held-out rows were among them, its scores are too "
    "good."
)


def load_own_model(data: bytes, table: Table) -> TabularModel:
    """Return the model in a skops file.

    Raises:
        ModelUnavailable: no skops file, unknown types (all are named), other features, other outcomes.
    """
    estimator = load_skops(data)
    # A search is a wrapper of the best model that it found.
    estimator = getattr(estimator, "best_estimator_", estimator)
    try:
        class_order, outcome_notes = _match_classes(estimator, table)
        adapted, notes = _adapt_to_file(estimator, table)
    # Parts that are missing, or not what scikit-learn makes.
    except FAILURES as error:
        raise ModelUnavailable(DAMAGED) from error
    train_rows, test_rows = table.split()
    model = replace(
        TabularModel.of_estimator(adapted, table),
        name="own",
        title=f"Your own model ({type(find_last_step(estimator)).__name__})",
        train_rows=train_rows,
        test_rows=test_rows,
        tree_based=_is_tree_of_features(adapted, table),
        id=hashlib.sha256((table.sha256 + table.spelling).encode() + data).hexdigest()[:24],
        class_order=class_order,
        notes=(*outcome_notes, *notes, _UNKNOWN_TRAINING),
        mixes_prepared=True,
        takes_frames=True,
        is_own=True,
    )
    _check_predictions(model)
    return model


class FileForms(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """First step before an own model: frames of the table in the form in which the model was trained.

    `forms`: one for each feature of the model, in its order. `names`: its own names of them; () for an array.
    """

    def __init__(self, forms: Sequence[ColumnForms | ConstantForm], names: Sequence[str]) -> None:
        self.forms, self.names = forms, names

    def fit(self, _rows: Any, _target: Any = None) -> FileForms:
        return self

    def _is_ready(self) -> bool:
        return True

    # scikit-learn asks by this name.
    __sklearn_is_fitted__ = _is_ready

    def transform(self, frame: pd.DataFrame) -> Any:
        """Return the rows as the model takes them, a frame or an array, (N, features)."""
        columns = [form.convert(frame) for form in self.forms]
        if self.names:
            return pd.DataFrame(dict(zip(self.names, columns, strict=True)), index=frame.index)
        has_objects = any(column.dtype == object for column in columns)
        return np.column_stack([np.asarray(column, dtype=object if has_objects else np.float64) for column in columns])


def _adapt_to_file(estimator: Any, table: Table) -> tuple[Any, tuple[str, ...]]:
    """Return the estimator so that it takes the table's frames, and notes for the visitor.

    Raises:
        ModelUnavailable: it was made for other features, or for other values.
    """
    own_names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    if own_names:
        features = _match_names(own_names, table)
    else:
        _check_feature_count(estimator, table)
        features = list(table.features)
    columns = list_columns(table, find_demands(estimator, features))
    forms: dict[str, ColumnForms | ConstantForm] = {
        name: _read_constant(name, table) for name in _list_constants(features, table)
    }
    notes = (
        [f"Your model also gets what was left out here as the same in every row: {', '.join(map(repr, forms))}."]
        if forms
        else []
    )
    for column, reading in zip(columns, choose_readings(columns), strict=True):
        forms[column.column.name], words = build_forms(column, reading)
        notes += words
    is_plain = all(isinstance(form, ColumnForms) and form.stored is None for form in forms.values())
    if is_plain and own_names == list(table.features):
        return estimator, tuple(notes)
    # One of our own preparations, which the methods for trees can look through.
    if is_plain and not own_names and not any(column.kind == "category" for column in table.columns):
        step = ColumnTransformer([("numbers", "passthrough", features)], verbose_feature_names_out=False)
        return Pipeline([(PREPARE, step.fit(table.frame)), (MODEL, estimator)]), tuple(notes)
    adapter = FileForms([forms[name] for name in features], own_names)
    return Pipeline([("forms", adapter), (MODEL, estimator)]), tuple(notes)


def _match_names(own_names: Sequence[str], table: Table) -> list[str]:
    """Return the table's name of each of the model's features.

    Raises:
        ModelUnavailable: the model was made for other features.
    """
    features = [_find_name(name, table) for name in own_names]
    present = set(features) - set(_list_constants(features, table))
    if present != set(table.features) or len(set(features)) < len(features):
        difference = _describe_difference(features, table.features)
        raise ModelUnavailable(f"Your model was made for other features. {difference} Choose exactly its features.")
    return features


def _list_constants(features: Sequence[str], table: Table) -> list[str]:
    """Return the features that the table left out because they say the same in every row."""
    others = set(table.texts) - {*table.features, table.target_name}
    return [name for name in features if name in others]


def _read_constant(name: str, table: Table) -> ConstantForm:
    """Return what pandas reads in every row of a column.

    Raises:
        ModelUnavailable: it reads several values.
    """
    forms = DEFAULT.read(table.texts[name].texts.to_pylist()).tolist()
    if len(set(map(str, forms))) > 1:
        raise ModelUnavailable(
            f"Your model was made for other features. The column {name!r} was left out of the table, because its "
            "values are the same here. Choose another kind for it, or train without it."
        )
    return ConstantForm(forms[0])


def _find_name(name: str, table: Table) -> str:
    """Return the table's name of a column that pandas calls so: without blanks around it, or numbered."""
    unnamed = name.removeprefix("Unnamed: ")
    numbered = f"column {int(unnamed) + 1}" if unnamed != name and unnamed.isdecimal() else name
    return next(
        (known for known in (name, tidy_name(name), numbered) if known in {*table.features, *table.texts}), name
    )


def _describe_difference(model_features: list[str], table_features: tuple[str, ...]) -> str:
    missing = [name for name in model_features if name not in table_features]
    unknown = [name for name in table_features if name not in model_features]
    sentences = [("The table lacks", missing), ("The model does not know", unknown)]
    texts = [
        f"{words} {', '.join(map(repr, names[:8]))}{', …' if len(names) > 8 else ''}."
        for words, names in sentences
        if names
    ]
    dummies = [name for name in missing if any(name.startswith(f"{known}_") for known in unknown)]
    if dummies:
        texts.append(
            f"Columns such as {dummies[0]!r} come from pandas.get_dummies: use OneHotEncoder in a pipeline instead."
        )
    return " ".join(texts)


def _check_feature_count(estimator: Any, table: Table) -> None:
    count = getattr(estimator, "n_features_in_", None)
    if count != len(table.columns):
        raise ModelUnavailable(
            f"Your model needs {count} features and the table has {len(table.columns)}. Choose exactly its features."
        )


def _match_classes(estimator: Any, table: Table) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the table's class of each column of the estimator's probabilities, () for regression, and notes.

    Raises:
        ModelUnavailable: they do not fit.
    """
    target = f"The target {table.target_name!r}"
    if table.task == "regression":
        if not is_regressor(estimator):
            raise ModelUnavailable(f"{target} is a number, but your model sorts into outcomes. Choose another target.")
        return (), ()
    if not is_classifier(estimator) or not hasattr(estimator, "predict_proba"):
        raise ModelUnavailable(f"{target} has outcomes, so a model with predict_proba is needed. Yours has none.")
    labels = getattr(estimator, "classes_", ())
    if isinstance(labels, (list, tuple)) and labels:
        raise ModelUnavailable("Your model predicts several targets at once. Save one that was trained on one target.")
    if not len(labels):
        raise ModelUnavailable("Your model was never fitted. Fit it, then save it again.")
    return match_outcomes(np.asarray(labels).tolist(), table)


def _is_tree_of_features(estimator: Any, table: Table) -> bool:
    """Return whether shap's TreeExplainer can take the model and the table's columns as they are."""
    extra_trees = (ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor)
    boosted = (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor)
    last_step = find_last_step(estimator)
    # Of pipelines only our own preparation hands the features on as they are.
    reads_features = PREPARE in getattr(estimator, "named_steps", {}) or not hasattr(estimator, "steps")
    has_texts = any(column.kind == "category" for column in table.columns)
    return (
        reads_features and not has_texts and (is_tree_model(last_step) or isinstance(last_step, extra_trees + boosted))
    )


def _check_predictions(model: TabularModel) -> None:
    """Predict rows of every kind: a model that was never fitted, or that cannot take one, fails here, in words."""
    rows = model.table.take(_choose_probe(model.table))
    try:
        predictions = model.predict(rows)
    except ModelUnavailable as error:
        _explain_empty_cells(model, rows, error)
        raise
    if predictions.shape[0] != len(rows):
        raise ModelUnavailable("Your model predicts several targets at once. Save one that was trained on one target.")
    if not np.all(np.isfinite(predictions)):
        raise ModelUnavailable(
            "Your model gives answers that are not numbers for rows of this table. "
            "Check that it was fitted on such rows."
        )


def _explain_empty_cells(model: TabularModel, rows: pd.DataFrame, error: ModelUnavailable) -> None:
    """Raise ModelUnavailable by the names of columns if the model fails at empty cells alone."""
    is_full = rows.notna().all(axis=1).to_numpy()
    if is_full.all() or not is_full.any():
        return
    try:
        model.predict(rows[is_full])
    # The model fails at full rows too, so that the first error says why.
    except ModelUnavailable:
        return
    gaps = [f"{column.name!r} ({column.missing:,} rows)" for column in model.table.columns if column.missing]
    raise ModelUnavailable(
        f"Your model cannot take empty cells, and there are some in {', '.join(gaps[:5])}. "
        "Leave these rows out of the file, or train a pipeline that fills them (SimpleImputer)."
    ) from error


def _choose_probe(table: Table) -> Int64:
    """Return the first rows, and the first one of every category and of every empty cell, up to a limit."""
    rows = [np.arange(min(PROBE_ROWS, len(table)))]
    for column in table.columns:
        cells = table.frame[column.name]
        rows.append(np.flatnonzero(cells.isna())[:1])
        if column.kind == "category":
            rows.append(np.flatnonzero(~cells.duplicated())[:MAX_PROBE_CATEGORIES])
    return np.unique(np.concatenate(rows))
