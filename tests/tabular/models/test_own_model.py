"""Own models: those that are safe and fit give their own numbers; all others are refused in words and never run."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_array

from tests.tabular.mixed_table import mixed_table
from xai_core.errors import ModelUnavailable
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.data.table import Table
from xai_core.tabular.inspection.shap_summary import shap_summary
from xai_core.tabular.models import own_model, skops_safety
from xai_core.tabular.models.own_model import load_own_model
from xai_core.tabular.models.skops_safety import check_content

IRIS = load_table("iris")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.filterwarnings("ignore:lbfgs failed"),
]


def dump(model: Any) -> bytes:
    data = skops.io.dumps(model)
    assert isinstance(data, bytes)
    return data


def fit(model: Any, table: Table = IRIS, names: bool = True) -> Any:
    return model.fit(table.frame if names else table.frame.to_numpy(), table.target)


# Models that are taken


@pytest.mark.parametrize("names", [True, False], ids=["frame", "array"])
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        DecisionTreeClassifier(max_depth=3),
        RandomForestClassifier(5),
        GradientBoostingClassifier(n_estimators=3),
        HistGradientBoostingClassifier(max_iter=3),
        MLPClassifier(max_iter=5),
    ],
    ids=lambda model: type(model).__name__,
)
def test_gives_its_own_numbers(model: Any, names: bool) -> None:
    fit(model, names=names)
    own = load_own_model(dump(model), IRIS)
    np.testing.assert_array_equal(
        own.predict(IRIS.frame), model.predict_proba(IRIS.frame if names else IRIS.frame.to_numpy())
    )
    assert own.title == f"Your own model ({type(model[-1] if hasattr(model, 'steps') else model).__name__})"
    assert own.notes and not own.cross_validation
    assert own.tree_based == (not hasattr(model, "steps") and not isinstance(model, MLPClassifier))
    if own.tree_based:
        np.testing.assert_array_equal(own.prepare(IRIS.frame).values, IRIS.frame.to_numpy())


def test_text_columns_and_outcomes_by_name() -> None:
    # scikit-learn sorts the classes the other way round.
    table = replace(mixed_table(), classes=("yes", "no"))
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["district"]), ("passthrough", ["age"])), LogisticRegression()
    )
    model.fit(table.frame, np.array(table.classes)[table.target])
    own = load_own_model(dump(model), table)
    np.testing.assert_array_equal(
        own.score(table.frame, 1), model.predict_proba(table.frame)[:, list(model.classes_).index("no")]
    )
    assert not own.tree_based


@pytest.mark.parametrize("start", [None, "zero", LogisticRegression()], ids=str)
def test_boosting_that_shap_cannot_read(start: Any) -> None:
    own = load_own_model(dump(fit(GradientBoostingClassifier(n_estimators=2, init=start))), IRIS)
    summary = shap_summary(own, rows=[0, 80], background=5)
    assert summary.method == "permutations"
    np.testing.assert_allclose(summary.base + summary.values.sum(axis=1), own.score(IRIS.frame)[[0, 80]], atol=1e-9)


def test_features_in_another_order() -> None:
    reversed_frame = IRIS.frame[IRIS.frame.columns[::-1]]
    model = LogisticRegression().fit(reversed_frame, IRIS.target)
    np.testing.assert_array_equal(
        load_own_model(dump(model), IRIS).predict(IRIS.frame), model.predict_proba(reversed_frame)
    )


def test_regression() -> None:
    diabetes = load_table("diabetes")
    numbers = diabetes.frame.drop(columns="sex").to_numpy()
    model = make_pipeline(make_column_transformer((StandardScaler(), ["age", "body mass index"])), LinearRegression())
    model.fit(diabetes.frame, diabetes.target)
    np.testing.assert_array_equal(
        load_own_model(dump(model), diabetes).predict(diabetes.frame), model.predict(diabetes.frame)
    )
    with pytest.raises(ModelUnavailable, match="needs 9 features and the table has 10"):
        load_own_model(dump(LinearRegression().fit(numbers, diabetes.target)), diabetes)


# Models that do not fit


def read_refusal(model: Any, table: Table = IRIS) -> str:
    """Return the sentence with which a model is refused."""
    with pytest.raises(ModelUnavailable) as error:
        load_own_model(dump(model), table)
    return str(error.value)


def test_other_features_are_named() -> None:
    message = read_refusal(fit(LogisticRegression(), load_table("wine")))
    assert "The table lacks 'alcohol'" in message and "The model does not know 'sepal length (cm)'" in message


def test_other_outcomes_are_named() -> None:
    message = read_refusal(LogisticRegression().fit(IRIS.frame, np.array(["rose", "tulip", "lily"])[IRIS.target]))
    assert "lily, rose, tulip" in message and "setosa" in message
    assert "9" in read_refusal(LogisticRegression().fit(IRIS.frame, IRIS.target + 7))


def test_wrong_kind_of_model() -> None:
    assert "predict_proba" in read_refusal(fit(LinearRegression()))
    assert "predict_proba" in read_refusal(fit(RidgeClassifier()))
    assert "predict_proba" in read_refusal(fit(StandardScaler()))
    diabetes = load_table("diabetes")
    assert "is a number" in read_refusal(
        LogisticRegression().fit(diabetes.frame.drop(columns="sex"), diabetes.target > 100), diabetes
    )
    assert "no scikit-learn model" in read_refusal({"a": [1, 2]})


def test_a_model_that_was_never_fitted() -> None:
    assert "never fitted" in read_refusal(LogisticRegression())


def test_text_in_a_table_for_a_model_of_numbers() -> None:
    table = mixed_table()
    model = LogisticRegression().fit(np.random.default_rng(0).normal(size=(160, 5)), table.target)
    assert "'district' holds text" in read_refusal(model, table)


# Files that are not safe


class Stranger(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    def fit(self, rows: Any, target: Any) -> Stranger:
        self.classes_ = np.unique(target)
        return self

    def predict_proba(self, rows: Any) -> Any:
        raise AssertionError("a stranger's code was run")


def test_unknown_types_are_named_and_not_built() -> None:
    assert f"{Stranger.__module__}.Stranger" in read_refusal(fit(Stranger()))
    assert f"{Stranger.__module__}.Stranger" in read_refusal(
        make_pipeline(StandardScaler(), Stranger()).fit(IRIS.frame, IRIS.target)
    )


class Bomb:
    """An object whose unpickling fails the test."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", pickle.dumps(Bomb()), dump(fit(LogisticRegression()))[:-200], b"PK\x05\x06" + bytes(18)],
    ids=["empty", "text", "pickle", "cut", "empty zip"],
)
def test_no_skops_file(data: bytes) -> None:
    with pytest.raises(ModelUnavailable, match="not a skops file"):
        load_own_model(data, IRIS)


def edit_archive(data: bytes, name: str, change: Any) -> bytes:
    """Return the archive with a change to the content of the files whose name ends so."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            new.writestr(entry, change(content) if entry.endswith(name) else content)
    return packed.getvalue()


def test_schema_that_says_anything() -> None:
    data = dump(fit(LogisticRegression()))

    def edit_schema(**values: Any) -> bytes:
        return edit_archive(data, "schema.json", lambda content: json.dumps(json.loads(content) | values).encode())

    for values in (
        {"__module__": "os", "__class__": "system"},
        {"__loader__": "NoSuchNode"},
        {"content": 3},
        {"protocol": "x"},
    ):
        with pytest.raises(ModelUnavailable):
            load_own_model(edit_schema(**values), IRIS)
    with pytest.raises(ModelUnavailable):
        load_own_model(edit_archive(data, "schema.json", lambda content: b"[" * 100_000), IRIS)


def edit_node(data: bytes, field: str, node: int, value: int) -> bytes:
    """Return the archive with one number of its first tree changed."""

    def change(content: bytes) -> bytes:
        array = np.load(io.BytesIO(content))
        if array.dtype.names and field in array.dtype.names:
            array[field][node] = value
        out = io.BytesIO()
        np.save(out, array)
        return out.getvalue()

    return edit_archive(data, ".npy", change)


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        (DecisionTreeClassifier(max_depth=3), "left_child", 10**6),
        (DecisionTreeClassifier(max_depth=3), "right_child", 0),
        (DecisionTreeClassifier(max_depth=3), "right_child", -5),
        (DecisionTreeClassifier(max_depth=3), "feature", 4),
        (RandomForestClassifier(3), "feature", -7),
        (RandomForestClassifier(3), "left_child", 10**6),
        (GradientBoostingClassifier(n_estimators=2), "left_child", 10**6),
        (HistGradientBoostingClassifier(max_iter=2), "left", 10**6),
        (HistGradientBoostingClassifier(max_iter=2), "feature_idx", 99),
        (HistGradientBoostingClassifier(max_iter=2), "is_categorical", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseEstimator) else str(value),
)
def test_a_tree_that_points_outside_is_never_asked(
    model: Any, field: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dump(fit(model))
    # Packing it anew is not the reason of the refusal.
    load_own_model(edit_node(data, "no such field", 0, value), IRIS)
    monkeypatch.setattr(own_model, "_check_predictions", lambda _: pytest.fail("it was asked"))
    with pytest.raises(ModelUnavailable, match="points outside itself"):
        load_own_model(edit_node(data, field, 0, value), IRIS)


def fit_categories() -> Any:
    """Return boosting that splits by categories, behind its own preparation."""
    frame = IRIS.frame.iloc[:, :2].round(0)
    return HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(frame, IRIS.target)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model._predictors[0][0].nodes.__setitem__("bitset_idx", 99),
        lambda model: setattr(model._predictors[0][0], "raw_left_cat_bitsets", np.zeros((9, 7), dtype=np.uint32)),
        lambda model: setattr(model._bin_mapper, "is_categorical_", np.zeros(2, dtype=bool)),
        lambda model: setattr(model._bin_mapper, "is_categorical_", np.ones(1, dtype=bool)),
        lambda model: model._preprocessor.transformers_.append(("remainder", "passthrough", [0, 1])),
        lambda model: model._preprocessor.transformers_[0][2].__setitem__(0, False),
        lambda model: model._preprocessor.transformers_.pop(0),
    ],
)
def test_categories_that_point_outside(change: Any) -> None:
    model = fit_categories()
    check_content(model)
    assert model._predictors[0][0].nodes["is_categorical"].any(), "it splits by no category"
    change(model)
    with pytest.raises(ModelUnavailable, match="points outside itself"):
        check_content(model)


@pytest.mark.parametrize("function", [os.system, partial(print), partial(check_array, "x")])
def test_functions_that_are_not_numpys(function: Any) -> None:
    model = make_pipeline(FunctionTransformer(), LogisticRegression()).fit(IRIS.frame, IRIS.target)
    check_content(model.set_params(functiontransformer__func=np.log1p))
    with pytest.raises(ModelUnavailable, match=r"NumPy only, such as np\.log1p"):
        check_content(model.set_params(functiontransformer__func=function))


def test_trees_of_more_features_than_their_forest() -> None:
    forest = fit(RandomForestClassifier(3))
    forest.n_features_in_ = 2
    with pytest.raises(ModelUnavailable, match="points outside itself"):
        check_content(forest)


def test_more_columns_of_trees_than_outcomes() -> None:
    model = fit(GradientBoostingClassifier(n_estimators=2))
    model.n_trees_per_iteration_ = 1
    with pytest.raises(ModelUnavailable, match="points outside itself"):
        check_content(model)


def test_families_that_cannot_be_checked() -> None:
    assert "SVC cannot be checked" in read_refusal(fit(SVC()))
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(algorithm="brute"))
    assert "KNeighborsClassifier cannot be checked" in read_refusal(fit(model))


def test_parts_that_are_missing_or_odd() -> None:
    model = fit(LogisticRegression())
    del model.coef_
    assert "cannot answer" in read_refusal(model)
    model = fit(LogisticRegression())
    model.coef_ = np.full_like(model.coef_, np.nan)
    assert "not numbers" in read_refusal(model)


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("schema.json", bytes(2 * 2**20))
    monkeypatch.setattr(skops_safety, "MAX_BYTES", 2**20)
    assert len(packed.getvalue()) < 2**16
    with pytest.raises(ModelUnavailable, match=r"up to 1 MB unpacked\. Got 2 MB"):
        load_own_model(packed.getvalue(), IRIS)
