"""A visitor's own scikit-learn model from a skops file: opened only if safe, taken only if it fits the table."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.errors import ModelUnavailable
from xai_core.tabular.models.preprocessing import MODEL, PREPARE
from xai_core.tabular.models.skops_safety import BROKEN, load_skops, untrusted_types
from xai_core.tabular.models.table_model import TabularModel, find_last_step, is_tree_model

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

__all__ = ["load_own_model", "untrusted_types"]

# Rows predicted once, to refuse a model that cannot.
PROBE_ROWS = 20
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
    class_order = _match_classes(estimator, table)
    adapted = _adapt_to_frames(estimator, table)
    train_rows, test_rows = table.split()
    model = replace(
        TabularModel.of_estimator(adapted, table),
        name="own",
        title=f"Your own model ({type(find_last_step(estimator)).__name__})",
        train_rows=train_rows,
        test_rows=test_rows,
        tree_based=_is_tree_of_features(adapted, table),
        id=hashlib.sha256(table.sha256.encode() + data).hexdigest()[:24],
        class_order=class_order,
        notes=(_UNKNOWN_TRAINING,),
        mixes_prepared=True,
        takes_frames=True,
    )
    _check_predictions(model)
    return model


def _adapt_to_frames(estimator: Any, table: Table) -> Any:
    """Return the estimator so that it takes the table's frames.

    Raises:
        ModelUnavailable: it was made for other features.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        _check_feature_count(estimator, table)
        step = ColumnTransformer([("numbers", "passthrough", list(table.features))], verbose_feature_names_out=False)
        return Pipeline([(PREPARE, step.fit(table.frame)), (MODEL, estimator)])
    features = [str(name) for name in names]
    if set(features) != set(table.features):
        difference = _describe_difference(features, table.features)
        raise ModelUnavailable(f"Your model was made for other features. {difference} Choose exactly its features.")
    if features == list(table.features):
        return estimator
    step = ColumnTransformer([("order", "passthrough", features)], verbose_feature_names_out=False)
    step.set_output(transform="pandas")
    return Pipeline([("order", step.fit(table.frame)), (MODEL, estimator)])


def _describe_difference(model_features: list[str], table_features: tuple[str, ...]) -> str:
    missing = [name for name in model_features if name not in table_features]
    unknown = [name for name in table_features if name not in model_features]
    sentences = [("The table lacks", missing), ("The model does not know", unknown)]
    return " ".join(
        f"{words} {', '.join(map(repr, names[:8]))}{', …' if len(names) > 8 else ''}."
        for words, names in sentences
        if names
    )


def _check_feature_count(estimator: Any, table: Table) -> None:
    count = getattr(estimator, "n_features_in_", None)
    if count != len(table.columns):
        raise ModelUnavailable(
            f"Your model needs {count} features and the table has {len(table.columns)}. Choose exactly its features."
        )
    texts = [column.name for column in table.columns if column.kind == "category"]
    if texts:
        raise ModelUnavailable(
            f"Your model was made from numbers without names, but {texts[0]!r} holds text. "
            "Save a pipeline that was fitted on a data frame."
        )


def _match_classes(estimator: Any, table: Table) -> tuple[int, ...]:
    """Return the table's class of each column of the estimator's probabilities; () for regression.

    Raises:
        ModelUnavailable: they do not fit.
    """
    from sklearn.base import is_classifier, is_regressor

    target = f"The target {table.target_name!r}"
    if table.task == "regression":
        if not is_regressor(estimator):
            raise ModelUnavailable(f"{target} is a number, but your model sorts into outcomes. Choose another target.")
        return ()
    if not is_classifier(estimator) or not hasattr(estimator, "predict_proba"):
        raise ModelUnavailable(f"{target} has outcomes, so a model with predict_proba is needed. Yours has none.")
    labels = np.asarray(getattr(estimator, "classes_", ())).tolist()
    if not labels:
        raise ModelUnavailable("Your model was never fitted. Fit it, then save it again.")
    # Trained on the names of the outcomes, or on their numbers.
    if set(map(str, labels)) <= set(table.classes):
        return tuple(table.classes.index(str(label)) for label in labels)
    if all(isinstance(label, int) and 0 <= label < len(table.classes) for label in labels):
        return tuple(int(label) for label in labels)
    raise ModelUnavailable(
        f"Your model knows the outcomes {', '.join(str(label)[:40] for label in labels[:8])}, the table has "
        f"{', '.join(table.classes[:8])}. Choose the target your model was made for."
    )


def _is_tree_of_features(estimator: Any, table: Table) -> bool:
    """Return whether shap's TreeExplainer can take the model and the table's columns as they are."""
    from sklearn import ensemble

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
    """Predict a few rows: a model that was never fitted or was altered fails here, in words."""
    rows = model.table.frame.head(PROBE_ROWS)
    try:
        predictions = model.predict(rows)
    except BROKEN as error:
        reason = str(error).splitlines()[0][:200].rstrip(".") if str(error) else type(error).__name__
        raise ModelUnavailable(
            f"Your model cannot answer for rows of this table: {reason}. Check that it was fitted on such rows."
        ) from error
    if predictions.shape[0] != len(rows) or not np.all(np.isfinite(predictions)):
        raise ModelUnavailable(
            "Your model gives answers that are no numbers for rows of this table. "
            "Check that it was fitted on such rows."
        )
