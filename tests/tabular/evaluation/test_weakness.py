"""Banner of a model that has learnt nothing: planted noise gets it, a planted signal does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

from xai_core.tabular import Scores, Table, TabularModel, evaluate, table_from
from xai_core.tabular.evaluation.weakness import describe_weak_classes, describe_weak_values
from xai_core.tabular.models.train import train

ROWS = 400
RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(RNG.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
SIGNAL = FRAME["a"].to_numpy() * 2 + FRAME["b"].to_numpy()
NOISE = RNG.normal(size=ROWS)


def score(target: np.ndarray, kind: str = "linear") -> Scores:
    return evaluate(train(build_table(target), kind))


def build_table(target: np.ndarray) -> Table:
    """Return a table of a regression, or of no and yes for a target of booleans."""
    return table_from(FRAME, target, classes=("no", "yes") if target.dtype == bool else ())


@pytest.mark.parametrize("kind", ["linear", "decision_tree"])
def test_a_regression_on_noise_and_on_a_signal(kind):
    weak = score(NOISE, kind)
    assert weak.values["r2"] < 0.05
    assert "learnt next to nothing" in weak.weakness and "R²" in weak.weakness
    strong = score(SIGNAL, kind)
    assert strong.values["r2"] > 0.5 and strong.weakness == ""


def test_a_classification_on_noise_and_on_a_signal():
    weak = score(NOISE > -1)
    assert weak.values["accuracy"] <= weak.baseline
    assert "no better than guessing" in weak.weakness and "“yes”" in weak.weakness
    assert score(SIGNAL > 0).weakness == ""


@pytest.mark.parametrize("estimator", [DummyRegressor(), DummyRegressor(strategy="constant", constant=9.0)])
def test_guessing_itself_is_told_for_a_regression(estimator):
    table = build_table(SIGNAL)
    scores = evaluate(TabularModel.of_estimator(estimator.fit(table.frame, table.target), table))
    assert ("is better" in scores.weakness) == (scores.values["r2"] < 0) and scores.weakness


def test_guessing_itself_is_told_for_classes_but_not_where_there_is_only_one_to_find():
    table = build_table(SIGNAL > -2)
    model = TabularModel.of_estimator(DummyClassifier().fit(table.frame, table.target), table)
    assert evaluate(model).weakness
    alike = np.flatnonzero(table.target == table.target[0])
    object.__setattr__(model, "test_rows", alike)
    assert evaluate(model).weakness == "", "rows that are all alike cannot tell"


@pytest.mark.parametrize(("r2", "is_weak"), [(-0.5, True), (0.0, True), (0.049, True), (0.05, False), (np.nan, False)])
def test_the_border_of_r2(r2, is_weak):
    assert bool(describe_weak_values("price", r2)) == is_weak


@pytest.mark.parametrize(
    ("accuracy", "area", "words"),
    [(0.7, 0.5, "explains chance"), (0.69, 0.85, "ROC AUC 0.85"), (0.71, 0.5, ""), (0.6, np.nan, "explains chance")],
)
def test_the_border_of_accuracy(accuracy, area, words):
    sentence = describe_weak_classes("no", {"accuracy": accuracy, "roc_auc": area}, 0.7)
    assert (words in sentence) if words else sentence == ""
