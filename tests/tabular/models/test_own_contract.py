"""Every classifier and regressor of scikit-learn, as an own model, through all that the pages ask of a model.

Each ends in a right answer or in an XaiError; nothing else may reach a visitor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators
from skops.io.exceptions import UnsupportedTypeException

from xai_core import tabular
from xai_core.errors import XaiError
from xai_core.params import Int
from xai_core.tabular.data.table import Table
from xai_core.tabular.row import counterfactual, counterfactual_search

ROWS = 40
# Settings that make an estimator quick; each is used where the estimator has it.
QUICK = {
    "n_estimators": 3,
    "max_iter": 5,
    "cv": 2,
    "random_state": 0,
    "n_quantiles": 5,
    "max_trials": 5,
    "voting": "soft",
}
# Models that the page takes today. Others may be refused in words; a shorter list would be a loss.
TAKEN = frozenset(
    "AdaBoostClassifier AdaBoostRegressor ARDRegression BaggingClassifier BaggingRegressor BayesianRidge BernoulliNB "
    "CalibratedClassifierCV CategoricalNB DecisionTreeClassifier DecisionTreeRegressor DummyClassifier DummyRegressor "
    "ElasticNet ElasticNetCV ExtraTreeClassifier ExtraTreeRegressor ExtraTreesClassifier ExtraTreesRegressor "
    "GammaRegressor GaussianNB GradientBoostingClassifier GradientBoostingRegressor HistGradientBoostingClassifier "
    "HistGradientBoostingRegressor HuberRegressor Lars LarsCV Lasso LassoCV LassoLars LassoLarsCV LassoLarsIC "
    "LinearDiscriminantAnalysis LinearRegression LogisticRegression LogisticRegressionCV MLPClassifier MLPRegressor "
    "MultinomialNB OneVsRestClassifier OrthogonalMatchingPursuit PLSRegression PoissonRegressor QuantileRegressor "
    "RANSACRegressor RandomForestClassifier RandomForestRegressor Ridge RidgeCV "
    "StackingClassifier StackingRegressor TheilSenRegressor TransformedTargetRegressor TweedieRegressor "
    "VotingClassifier VotingRegressor".split()
)


class Case(NamedTuple):
    """A fitted model, the rows as pandas reads them, and the table of the same file."""

    model: Any
    frame: pd.DataFrame
    table: Table


@cache
def read_case_table(task: str) -> tuple[pd.DataFrame, Table]:
    """Return one file as pandas and as this project reads it: a number, yes or no, a category with "?"."""
    rng = np.random.default_rng(3)
    size, own = rng.integers(1, 30, ROWS), rng.random(ROWS) < 0.5
    town = rng.choice(["Rome", "Oslo", "?"], ROWS)
    target = size + 9 * own + 5 * (town == "Rome")
    answers = np.where(target > np.median(target), "Yes", "No") if task == "classifier" else target + 0.5
    frame = pd.DataFrame({"size": size, "own": np.where(own, "Yes", "No"), "town": town, "answer": answers})
    text = frame.to_csv(index=False)
    return frame, tabular.read_table(text.encode(), "case.csv").table("answer", ["size", "own", "town"])


def list_estimators() -> Iterator[Any]:
    for task in ("classifier", "regressor"):
        for name, kind in all_estimators(task):
            yield pytest.param(task, kind, id=name)


def build_estimator(kind: Any, task: str) -> Any:
    """Return a quick estimator of a class, around others where it needs some."""
    linear, tree = (
        (LogisticRegression(), DecisionTreeClassifier(random_state=0))
        if task == "classifier"
        else (Ridge(), DecisionTreeRegressor(random_state=0))
    )
    needs: tuple[dict[str, Any], ...] = (
        {},
        {"estimator": linear},
        {"estimators": [("linear", linear), ("tree", tree)]},
        {"estimator": linear, "param_grid": {}},
        {"estimator": linear, "param_distributions": {}, "n_iter": 1},
    )
    for need in needs:
        try:
            estimator = kind(**need)
        except TypeError:
            continue
        known = estimator.get_params(deep=False)
        return estimator.set_params(**{name: value for name, value in QUICK.items() if name in known})
    raise AssertionError(f"{kind.__name__} needs arguments that are not known here")


def fit_case(kind: Any, task: str) -> Case:
    frame, table = read_case_table(task)
    rows = frame.drop(columns="answer")
    blocks = make_column_transformer((OneHotEncoder(sparse_output=False), ["own", "town"]), remainder="passthrough")
    model = make_pipeline(blocks, build_estimator(kind, task))
    return Case(model.fit(rows, frame["answer"]), rows, table)


def explain_quickly(own: Any, row: pd.DataFrame, name: str) -> Any:
    """Explain a row with the smallest numbers that the method allows."""
    params = tabular.TABULAR_METHODS.get(name).params
    return tabular.explain_row(
        own, row, name, params={param.name: param.low for param in params if isinstance(param, Int)}
    )


def list_questions(own: Any) -> list[Callable[[], Any]]:
    """Return all that the pages ask of a model, as small as it gets."""
    table, row = own.table, own.table.take([0])
    target = 1 if table.task == "classification" else (0.0, float(np.median(table.target)))
    return [
        lambda: tabular.evaluate(own),
        lambda: tabular.partial_dependence(own, "size", grid=3),
        lambda: tabular.partial_dependence(own, "town", grid=3),
        lambda: tabular.partial_dependence_2d(own, ("size", "own"), grid=2),
        lambda: tabular.accumulated_local_effects(own, "size"),
        lambda: tabular.permutation_importance(own, repeats=1),
        lambda: tabular.interaction_strength(own, "size", sample=10),
        lambda: tabular.shap_summary(own, rows=2, background=3),
        lambda: tabular.group_scores(own, table, "own"),
        lambda: tabular.counterfactuals(own, row, target, count=1),
        *(
            partial(explain_quickly, own, row, name)
            for name in tabular.TABULAR_METHODS
            if tabular.TABULAR_METHODS.get(name).refusal(own) is None
        ),
    ]


def answer(ask: Callable[[], Any]) -> Any:
    """Return an answer, or the sentence of an XaiError; all other errors fail the test."""
    try:
        return ask()
    except XaiError as error:
        return str(error)


def fit_or_skip(kind: Any, task: str) -> tuple[Case, bytes]:
    try:
        case = fit_case(kind, task)
        return case, skops.io.dumps(case.model)
    except (ValueError, NotFittedError, AttributeError, IndexError, UnsupportedTypeException) as error:
        if kind.__name__ in TAKEN:
            raise
        pytest.skip(f"scikit-learn cannot fit it on such a table, or skops cannot store it: {type(error).__name__}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("task", "kind"), list_estimators())
def test_right_or_refused_in_words(task: str, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (counterfactual, counterfactual_search):
        monkeypatch.setattr(module, "BUDGET", 200)
    (model, frame, table), data = fit_or_skip(kind, task)
    own = answer(lambda: tabular.load_own_model(data, table))
    if isinstance(own, str):
        assert kind.__name__ not in TAKEN, own
        return

    def predict(rows: pd.DataFrame) -> Any:
        return model.predict_proba(rows) if task == "classifier" else model.predict(rows)

    np.testing.assert_allclose(own.predict(table.frame), predict(frame), rtol=1e-9, atol=1e-9)
    effect = tabular.partial_dependence(own, "own", grid=2)
    means = [predict(frame.assign(own=word)).mean(axis=0).ravel()[-1] for word in ("No", "Yes")]
    np.testing.assert_allclose(effect.average, means, rtol=1e-9, atol=1e-9)
    answers = [answer(ask) for ask in list_questions(own)]
    refusals = [words for words in answers if isinstance(words, str)]
    assert not refusals, refusals
