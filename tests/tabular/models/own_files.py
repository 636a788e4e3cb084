"""Files of customers, pipelines as people build them, and the round trip from pandas to an own model and back."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier

from xai_core import tabular
from xai_core.errors import ModelUnavailable
from xai_core.tabular import TabularModel

ROWS = 120
TEXTS = ["sex", "plan"]


def draw(values: Sequence[str], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.array(values, dtype=object), ROWS)


def write_csv(columns: Mapping[str, Sequence[Any] | np.ndarray], separator: str = ",") -> str:
    """Return a CSV file of cells as they are, so that the test decides about blanks and quotes."""
    rows = zip(*columns.values(), strict=True)
    return "\n".join(separator.join(map(str, row)) for row in [tuple(columns), *rows]) + "\n"


def customers(**others: np.ndarray) -> str:
    """Return a file with two texts, two numbers and an outcome of yes and no."""
    rng = np.random.default_rng(1)
    columns: dict[str, np.ndarray] = {
        "sex": draw(["Male", "Female"], 2),
        "plan": draw(["One year", "Two years", "?"], 3),
        "months": rng.integers(1, 70, ROWS),
        "bill": rng.random(ROWS).round(3),
        "left": draw(["Yes", "No"], 4),
    }
    return write_csv(columns | others)


def load(
    csv: str,
    model: Any,
    *,
    options: Mapping[str, Any] | None = None,
    change: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows,
    encode: Callable[[Any], Any] = lambda target: target,
    as_array: bool = False,
    **choices: Any,
) -> tuple[TabularModel, np.ndarray]:
    """Train as people do, on the last column of the file; return the model here, and its own predictions."""
    frame = pd.read_csv(io.StringIO(csv), **(options or {}))
    rows, target = change(frame.iloc[:, :-1]), encode(frame.iloc[:, -1])
    given = rows.to_numpy() if as_array else rows
    model.fit(given, target)
    names = [str(name).strip() for name in frame]
    table = tabular.read_table(csv.encode()).table(names[-1], names[:-1], **choices)
    own = tabular.load_own_model(skops.io.dumps(model), table)
    if not is_classifier(model):
        return own, model.predict(given)
    expected = np.zeros((len(rows), len(table.classes)))
    expected[:, list(own.class_order)] = model.predict_proba(given)
    return own, expected


def check(csv: str, model: Any, **how: Any) -> TabularModel:
    own, expected = load(csv, model, **how)
    assert np.ptp(expected) > 1e-3, "the case is trivial"
    np.testing.assert_allclose(own.predict(own.table.frame), expected, rtol=1e-9, atol=1e-9)
    return own


def refuse(csv: str, model: Any, **how: Any) -> str:
    with pytest.raises(ModelUnavailable) as error:
        load(csv, model, **how)
    return str(error.value)


def one_hot(**settings: Any) -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore", **settings)


def fill(strategy: str = "most_frequent", **settings: Any) -> SimpleImputer:
    return SimpleImputer(strategy=strategy, **settings)


def encode_texts(encoder: Any = None) -> Any:
    return make_column_transformer((encoder or one_hot(), TEXTS), remainder="passthrough")


def linear() -> LogisticRegression:
    return LogisticRegression(max_iter=300)


PIPELINES: dict[str, Callable[[], Any]] = {
    "names": lambda: make_pipeline(encode_texts(), linear()),
    "unknown is an error": lambda: make_pipeline(encode_texts(OneHotEncoder()), linear()),
    "positions": lambda: make_pipeline(
        make_column_transformer((one_hot(), [0, -3]), remainder="passthrough"), linear()
    ),
    "slice": lambda: make_pipeline(make_column_transformer((one_hot(), slice("sex", "plan"))), linear()),
    "mask": lambda: make_pipeline(make_column_transformer((one_hot(), [True, True, False, False])), linear()),
    "selector": lambda: make_pipeline(
        ColumnTransformer(
            [
                ("texts", one_hot(), make_column_selector(dtype_exclude=np.number)),
                ("numbers", StandardScaler(), make_column_selector(dtype_include="number")),
            ]
        ),
        linear(),
    ),
    "imputers": lambda: make_pipeline(
        make_column_transformer(
            (make_pipeline(fill(), one_hot()), TEXTS),
            (make_pipeline(fill("median"), StandardScaler()), ["months", "bill"]),
        ),
        linear(),
    ),
    "constant": lambda: make_pipeline(
        encode_texts(make_pipeline(fill("constant", fill_value="none"), one_hot())), linear()
    ),
    "nested": lambda: make_pipeline(
        make_column_transformer(
            (make_column_transformer((one_hot(), ["sex"]), (OrdinalEncoder(), ["plan"])), TEXTS),
            remainder=StandardScaler(),
        ),
        linear(),
    ),
    "one after the other": lambda: make_pipeline(
        encode_texts(fill()), make_column_transformer((one_hot(), [0, 1]), remainder="passthrough"), linear()
    ),
    "frames between": lambda: make_pipeline(
        make_column_transformer((fill(), TEXTS), remainder="passthrough", verbose_feature_names_out=False),
        make_column_transformer((one_hot(sparse_output=False), TEXTS), remainder="passthrough"),
        linear(),
    ).set_output(transform="pandas"),
    "union": lambda: make_pipeline(
        FeatureUnion([("a", encode_texts()), ("b", make_column_transformer((StandardScaler(), ["bill"])))]), linear()
    ),
    "ordinal": lambda: make_pipeline(
        encode_texts(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
        RandomForestClassifier(5, random_state=0),
    ),
    "target": lambda: make_pipeline(encode_texts(TargetEncoder(random_state=0)), linear()),
    "log": lambda: make_pipeline(
        make_column_transformer((one_hot(), TEXTS), (FunctionTransformer(np.log1p), ["months"])), linear()
    ),
    "calibrated": lambda: CalibratedClassifierCV(make_pipeline(encode_texts(), linear()), cv=2),
    "voting": lambda: VotingClassifier(
        [
            ("a", make_pipeline(encode_texts(), linear())),
            ("b", make_pipeline(encode_texts(), DecisionTreeClassifier())),
        ],
        voting="soft",
    ),
    "stacking": lambda: StackingClassifier([("a", make_pipeline(encode_texts(), linear()))], cv=2),
    "bagging": lambda: make_pipeline(encode_texts(one_hot(sparse_output=False)), BaggingClassifier(n_estimators=2)),
    "search": lambda: GridSearchCV(
        make_pipeline(encode_texts(), linear()), {"logisticregression__C": [0.1, 1]}, cv=2, scoring="roc_auc"
    ),
    "selection": lambda: make_pipeline(encode_texts(), SelectKBest(k=3), linear()),
    "boosting by name": lambda: HistGradientBoostingClassifier(max_iter=3, categorical_features=TEXTS),
    "boosting by position": lambda: HistGradientBoostingClassifier(max_iter=3, categorical_features=[0, 1]),
}
