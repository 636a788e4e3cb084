"""A visitor's own scikit-learn model, from a skops file: opened only where it is safe, taken only where it fits the table."""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.errors import ModelUnavailable
from xai_core.tabular.models.preprocessing import MODEL, PREPARE
from xai_core.tabular.models.skops_safety import BROKEN, opened, untrusted_types
from xai_core.tabular.models.table_model import TabularModel

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

__all__ = ["load_own_model", "untrusted_types"]


def load_own_model(data: bytes, table: Table) -> TabularModel:
    """The model in a skops file, if it is safe to rebuild and fits the table.

    Raises ModelUnavailable with the reason: no skops file, unknown types (all are named), other features, other outcomes.
    """
    estimator = opened(data)
    order = _class_order(estimator, table)
    fitting = _for_frames(estimator, table)
    train_rows, test_rows = table.split()
    model = TabularModel(
        name="own",
        title=f"Your own model ({type(_last(estimator)).__name__})",
        table=table,
        estimator=fitting,
        params=MappingProxyType({}),
        seed=0,
        train_rows=train_rows,
        test_rows=test_rows,
        cross_validation=(),
        glass_box=False,
        tree_based=_is_tree_of_numbers(fitting, table),
        differentiable=False,
        id=hashlib.sha256(table.sha256.encode() + data).hexdigest()[:24],
        class_order=order,
        notes=(
            "Nobody here knows which rows your model learnt from. If the held-out rows were among them, its scores are too good.",
        ),
    )
    _check_answers(model)
    return model


def _last(estimator: Any) -> Any:
    return estimator[-1] if hasattr(estimator, "steps") else estimator


def _for_frames(estimator: Any, table: Table) -> Any:
    """The estimator so that it takes the table's frames. Raises ModelUnavailable where it was made for other features."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        _check_count(estimator, table)
        step = ColumnTransformer([("numbers", "passthrough", list(table.features))], verbose_feature_names_out=False)
        return Pipeline([(PREPARE, step.fit(table.frame)), (MODEL, estimator)])
    wanted = [str(name) for name in names]
    if set(wanted) != set(table.features):
        raise ModelUnavailable(
            f"Your model was made for other features. {_difference(wanted, table.features)} Choose exactly its features."
        )
    if wanted == list(table.features):
        return estimator
    step = ColumnTransformer([("order", "passthrough", wanted)], verbose_feature_names_out=False).set_output(
        transform="pandas"
    )
    return Pipeline([("order", step.fit(table.frame)), (MODEL, estimator)])


def _difference(wanted: list[str], given: tuple[str, ...]) -> str:
    missing, more = [name for name in wanted if name not in given], [name for name in given if name not in wanted]
    said = [(missing, "The table lacks"), (more, "The model does not know")]
    return " ".join(
        f"{words} {', '.join(map(repr, names[:8]))}{', …' if len(names) > 8 else ''}." for names, words in said if names
    )


def _check_count(estimator: Any, table: Table) -> None:
    count = getattr(estimator, "n_features_in_", None)
    if count != len(table.columns):
        raise ModelUnavailable(
            f"Your model needs {count} features and the table has {len(table.columns)}. Choose exactly its features."
        )
    texts = [column.name for column in table.columns if column.kind == "category"]
    if texts:
        raise ModelUnavailable(
            f"Your model was made from numbers without names, but {texts[0]!r} holds text. Save a pipeline that was fitted on a data frame."
        )


def _class_order(estimator: Any, table: Table) -> tuple[int, ...]:
    """Which class each column of its probabilities is about; () for regression. Raises ModelUnavailable where they do not fit."""
    from sklearn.base import is_classifier, is_regressor

    if table.task == "regression":
        if not is_regressor(estimator):
            raise ModelUnavailable(
                f"The target {table.target_name!r} is a number, but your model sorts into outcomes. Choose another target."
            )
        return ()
    if not is_classifier(estimator) or not hasattr(estimator, "predict_proba"):
        raise ModelUnavailable(
            f"The target {table.target_name!r} has outcomes, so a model with predict_proba is needed. Yours has none."
        )
    labels = np.asarray(getattr(estimator, "classes_", ())).tolist()
    if not labels:
        raise ModelUnavailable("Your model was never fitted. Fit it, then save it again.")
    if set(map(str, labels)) <= set(table.classes):
        return tuple(table.classes.index(str(label)) for label in labels)
    if all(isinstance(label, int) and 0 <= label < len(table.classes) for label in labels):
        return tuple(int(label) for label in labels)
    raise ModelUnavailable(
        f"Your model knows the outcomes {', '.join(str(label)[:40] for label in labels[:8])}, the table has "
        f"{', '.join(table.classes[:8])}. Choose the target your model was made for."
    )


def _is_tree_of_numbers(estimator: Any, table: Table) -> bool:
    """Whether shap's TreeExplainer can take the model and the table's columns as they are."""
    from sklearn import ensemble, tree

    kinds = (
        *(
            tree.DecisionTreeClassifier,
            tree.DecisionTreeRegressor,
            ensemble.RandomForestClassifier,
            ensemble.RandomForestRegressor,
        ),
        *(ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor),
        *(ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor),
        *(ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor),
    )
    plain = PREPARE in getattr(estimator, "named_steps", {}) or not hasattr(estimator, "steps")
    return plain and isinstance(_last(estimator), kinds) and all(column.kind != "category" for column in table.columns)


def _check_answers(model: TabularModel) -> None:
    """Ask about a few rows: a model that was never fitted or was altered fails here, in words."""
    rows = model.table.frame.head(20)
    try:
        found = model.predict(rows)
    except BROKEN as error:
        reason = str(error).splitlines()[0][:200].rstrip(".") if str(error) else type(error).__name__
        raise ModelUnavailable(
            f"Your model cannot answer for rows of this table: {reason}. Check that it was fitted on such rows."
        ) from error
    if found.shape[0] != len(rows) or not np.all(np.isfinite(found)):
        raise ModelUnavailable(
            "Your model gives answers that are no numbers for rows of this table. Check that it was fitted on such rows."
        )
