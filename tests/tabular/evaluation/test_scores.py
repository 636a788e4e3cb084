"""Scores equal scikit-learn's, and every one has a sentence that holds its number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from tests.tabular.mixed_table import mixed_table
from xai_core.errors import InvalidTable
from xai_core.formatting import percent
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.evaluation.scores import Scores, evaluate
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import train


@pytest.fixture(scope="module")
def two() -> TabularModel:
    return train(mixed_table(rows=400), "linear")


@pytest.fixture(scope="module")
def three() -> TabularModel:
    return train(mixed_table(classes=3), "decision_tree", {"depth": 2})


@pytest.fixture(scope="module")
def values() -> TabularModel:
    return train(load_table("diabetes"), "linear")


def truth_and_predictions(model: TabularModel) -> tuple[np.ndarray, np.ndarray]:
    return model.table.target[model.test_rows], model.predict(model.table.take(model.test_rows))


def test_two_classes_equal_scikit_learn(two: TabularModel) -> None:
    truth, result = truth_and_predictions(two)
    predicted = result.argmax(axis=1)
    scores = evaluate(two)
    assert (predicted != truth).sum() > 0, "a perfect model would test nothing"
    assert scores.values["accuracy"] == metrics.accuracy_score(truth, predicted)
    assert scores.values["precision"] == metrics.precision_score(truth, predicted)
    assert scores.values["recall"] == metrics.recall_score(truth, predicted)
    assert scores.values["f1"] == metrics.f1_score(truth, predicted)
    assert scores.values["roc_auc"] == pytest.approx(metrics.roc_auc_score(truth, result[:, 1]), abs=1e-12)
    np.testing.assert_array_equal(scores.confusion, metrics.confusion_matrix(truth, predicted))
    commonest = np.bincount(two.table.target[two.train_rows]).argmax()
    assert scores.baseline == np.mean(truth == commonest)


def test_curves_equal_scikit_learn(two: TabularModel) -> None:
    truth, result = truth_and_predictions(two)
    (curves,) = evaluate(two).curves
    false, true, thresholds = metrics.roc_curve(truth, result[:, 1])
    for ours, theirs in zip(
        (curves.false_positives, curves.true_positives, curves.thresholds), (false, true, thresholds), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    actual, predicted = calibration_curve(truth, result[:, 1], n_bins=10)
    np.testing.assert_allclose(curves.actual, actual)
    np.testing.assert_allclose(curves.predicted, predicted)
    assert curves.counts.sum() == len(truth) and curves.outcome == 1


def test_calibration_error_by_hand(two: TabularModel) -> None:
    truth, result = truth_and_predictions(two)
    by_hand = 0.0
    for low in np.arange(10) / 10:
        inside = (result[:, 1] >= low) & ((result[:, 1] < low + 0.1) | (low == 0.9))
        if inside.any():
            by_hand += inside.mean() * abs(result[inside, 1].mean() - truth[inside].mean())
    assert evaluate(two).values["calibration"] == pytest.approx(by_hand) and by_hand > 0.01


def test_three_classes_equal_scikit_learn(three: TabularModel) -> None:
    truth, result = truth_and_predictions(three)
    predicted = result.argmax(axis=1)
    scores = evaluate(three)
    assert scores.values["f1"] == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert scores.values["precision"] == pytest.approx(metrics.precision_score(truth, predicted, average="macro"))
    assert scores.values["roc_auc"] == pytest.approx(metrics.roc_auc_score(truth, result, multi_class="ovr"))
    assert [curve.label for curve in scores.curves] == ["class 0", "class 1", "class 2"]
    assert scores.confusion is not None and scores.confusion.shape == (3, 3) and scores.values["accuracy"] < 1


def test_values_equal_scikit_learn(values: TabularModel) -> None:
    truth, result = truth_and_predictions(values)
    scores = evaluate(values)
    assert scores.values["mae"] == metrics.mean_absolute_error(truth, result)
    assert scores.values["mse"] == metrics.mean_squared_error(truth, result)
    assert scores.values["r2"] == metrics.r2_score(truth, result) > 0.2
    np.testing.assert_array_equal(scores.actual, truth)
    np.testing.assert_array_equal(scores.predicted, result)
    assert scores.baseline == pytest.approx(np.abs(truth - values.table.target[values.train_rows].mean()).mean())


def test_every_score_has_a_sentence(two: TabularModel, three: TabularModel, values: TabularModel) -> None:
    for model in (two, three, values):
        scores = evaluate(model)
        assert set(scores.values) < set(scores.sentences)
        assert all(text.endswith(".") and "nan" not in text for text in scores.sentences.values())
    sentences = evaluate(two).sentences
    assert f"({100 * evaluate(two).values['accuracy']:.0f} %)" in sentences["accuracy"]
    values_of = evaluate(two).values
    assert values_of["precision"] != values_of["recall"]
    assert all(f"({percent(values_of[name])})" in sentences[name] for name in ("precision", "recall"))
    assert "“class 1”" in sentences["precision"] and "5 times" in sentences["cross_validation"]


def evaluate_class(model: TabularModel, outcome: int) -> Scores:
    return evaluate(replace(model, test_rows=np.flatnonzero(model.table.target == outcome)))


def test_held_out_rows_of_one_class(two: TabularModel, three: TabularModel) -> None:
    for model in (two, three):
        scores = evaluate_class(model, 0)
        assert np.isnan(scores.values["roc_auc"]) and "only one outcome" in scores.sentences["roc_auc"]
        assert 0 <= scores.values["accuracy"] <= 1
    assert evaluate_class(two, 0).sentences["recall"] == "No held-out row is “class 1”."


def test_equal_targets_and_no_rows(values: TabularModel) -> None:
    scores = evaluate(replace(values, test_rows=values.test_rows[:1]))
    assert np.isnan(scores.values["r2"]) and "nothing to explain" in scores.sentences["r2"]
    with pytest.raises(InvalidTable, match="too short"):
        evaluate(replace(values, test_rows=values.test_rows[:0]))
