"""Permutation importance is scikit-learn's, on the rows held out, by a score that can see the outcomes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance as by_sklearn
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import xai_core.tabular as tables
import xai_core.tabular.models.train
from tests.tabular.closed_form_models import all_kinds_table, build_model, number_table
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.models.train import train


def test_a_trained_model_gets_scikit_learns_numbers_on_its_held_out_rows() -> None:
    model = train(load_table("loan"), "decision_tree")
    table, rows = model.table, model.test_rows
    result = tables.permutation_importance(model, table=table, repeats=3, seed=5)
    expected = by_sklearn(model.estimator, table.frame.iloc[rows], table.target[rows], n_repeats=3, random_state=5)
    assert expected.importances_mean.max() > 0.02
    np.testing.assert_allclose(result.all, expected.importances, atol=1e-12)
    np.testing.assert_allclose(result.mean, expected.importances_mean, atol=1e-12)
    np.testing.assert_allclose(result.std, expected.importances_std, atol=1e-12)
    assert result.score == model.estimator.score(table.frame.iloc[rows], table.target[rows])
    assert (result.metric, result.features) == ("accuracy", table.features)
    np.testing.assert_array_equal(result.rows, rows)
    assert result.features[result.order[0]] == table.features[int(np.argmax(expected.importances_mean))]
    assert np.array_equal(result.mean[result.order], np.sort(result.mean)[::-1])
    different = tables.permutation_importance(model, table=table, repeats=3, seed=6)
    assert not np.array_equal(different.all, result.all)


@pytest.mark.parametrize("with_names", [True, False])
def test_a_notebooks_estimator_is_asked_about_all_rows_and_that_is_said(with_names: bool) -> None:
    table = number_table(3, rows=60)
    target = 3 * table.frame["a"] + table.frame["b"]
    own = tables.table_from(table.frame, target)
    data = table.frame if with_names else table.frame.to_numpy()
    model = LinearRegression().fit(data, target)
    result = tables.permutation_importance(model, table=own, repeats=4)
    expected = by_sklearn(model, data, target, n_repeats=4, random_state=0)
    np.testing.assert_allclose(result.all, expected.importances, atol=1e-12)
    assert result.metric == "R²" and result.features[result.order[0]] == "a" and abs(result.mean[2]) < 1e-9
    assert "not known which rows the model learnt from" in result.notes[-1]
    chosen_rows = tables.permutation_importance(model, table=own, repeats=4, rows=[0, 3, 9, 12, 40])
    assert len(chosen_rows.notes) == len(result.notes) - 1 and chosen_rows.rows.tolist() == [0, 3, 9, 12, 40]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)], ids=["alphabet", "mixed"])
def test_labels_of_an_estimators_own_are_matched_with_the_classes(order: tuple[int, ...]) -> None:
    table = number_table(2, rows=90)
    names = np.array(["low", "middle", "top"], dtype=object)  # the estimator sorts them, the table need not
    answers = np.digitize(table.frame["a"], [3.5, 7])
    classes = [str(names[place]) for place in order]
    own = tables.table_from(table.frame, [classes.index(names[answer]) for answer in answers], classes=classes)
    estimator = DecisionTreeClassifier(max_depth=3).fit(table.frame, names[answers])
    model = build_model(own, estimator, class_order=tuple(classes.index(name) for name in estimator.classes_))
    rows = np.arange(90)
    result = tables.permutation_importance(model, table=own, repeats=2, rows=rows)
    expected = by_sklearn(estimator, table.frame, names[answers], n_repeats=2, random_state=0)
    np.testing.assert_allclose(result.all, expected.importances, atol=1e-12)
    assert result.score == 1


def test_a_job_counts_to_its_end_and_can_be_stopped_between_repeats() -> None:
    model = train(all_kinds_table(), "linear")
    before = model.table.frame.copy()
    job: Job[Any] = Job()
    tables.permutation_importance(model, repeats=2, job=job)
    assert job.done == job.total > 0
    assert model.table.frame.equals(before)

    class CancelAtFirstTick(Job[Any]):
        def tick(self, evaluations: int = 0) -> None:
            super().tick(evaluations)
            self.cancel()

    stopped = CancelAtFirstTick()
    with pytest.raises(Cancelled):
        tables.permutation_importance(model, job=stopped)
    assert stopped.done == 2 * len(model.test_rows)
    with pytest.raises(InvalidParam, match=r"from 1 to 100\. Got 0"):
        tables.permutation_importance(model, repeats=0)


def build_rare_table(seed: int = 0, flip: bool = False, classes: tuple[str, ...] = ("no", "yes")) -> Table:
    """Return 1000 rows, about 2 % positive: the flag of every thirtieth raises the chance from 1 % to 30 %."""
    rng = np.random.default_rng(seed)
    flag = rng.permutation(np.arange(1000) < 35)
    frame = pd.DataFrame({f"noise {k}": rng.normal(size=1000) for k in range(3)} | {"flag": flag.astype(float)})
    target = (rng.random(1000) < np.where(flag, 0.3, 0.01)).astype(int)
    return table_from(frame, 1 - target if flip else target, classes=classes)


@pytest.fixture
def few_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xai_core.tabular.models.train, "FOLDS", 2)


@pytest.mark.usefixtures("few_folds")
@pytest.mark.parametrize("kind", ["gradient_boosting", "linear", "decision_tree", "nearest_neighbours"])
@pytest.mark.parametrize("seed", [0, 13])
def test_what_makes_a_rare_outcome_likelier_leads_clearly(kind: str, seed: int) -> None:
    table = build_rare_table(seed)
    model = train(table, kind, {"trees": 30} if kind == "gradient_boosting" else {})
    result = tables.permutation_importance(model, repeats=5)
    assert result.metric == "average precision" and result.loss_words == "loss of average precision"
    best, second = np.sort(result.mean)[::-1][:2]
    assert result.features[result.order[0]] == "flag" and best > max(0.03, 1.5 * second)
    expected = by_sklearn(
        model.estimator,
        table.frame.iloc[model.test_rows],
        table.target[model.test_rows],
        scoring="average_precision",
        n_repeats=5,
        random_state=0,
    )
    np.testing.assert_allclose(result.all, expected.importances, atol=1e-12)
    blind = tables.permutation_importance(model, repeats=5, score="accuracy")
    assert blind.mean.max() < 0.04
    assert "of these rows are “no”" in result.notes[0] and "“yes”, so another" in result.notes[1]


@pytest.mark.usefixtures("few_folds")
def test_the_rare_outcome_is_found_wherever_it_stands_among_the_classes() -> None:
    model = train(build_rare_table(flip=True, classes=("yes", "no")), "linear")
    turned = train(build_rare_table(), "linear")
    np.testing.assert_array_equal(model.test_rows.shape, turned.test_rows.shape)
    result = tables.permutation_importance(model, repeats=3, rows=range(1000))
    expected = tables.permutation_importance(turned, repeats=3, rows=range(1000))
    assert result.guess == expected.guess == np.mean(build_rare_table().target)
    assert result.features[result.order[0]] == "flag" and "98 % of these rows are “no”" in result.notes[0]


SCORERS: dict[str, Any] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "roc_auc": "roc_auc_ovr",
    "log_loss": make_scorer(log_loss, greater_is_better=False, response_method="predict_proba", labels=[0, 1, 2]),
    "r2": "r2",
    "mae": "neg_mean_absolute_error",
}


@pytest.mark.parametrize("score", SCORERS)
def test_every_score_is_scikit_learns(score: str) -> None:
    model = train(load_table("diabetes" if score in ("r2", "mae") else "iris"), "decision_tree")
    rows, table = model.test_rows, model.table
    result = tables.permutation_importance(model, repeats=3, seed=2, score=score)
    expected = by_sklearn(
        model.estimator, table.frame.iloc[rows], table.target[rows], scoring=SCORERS[score], n_repeats=3, random_state=2
    )
    assert expected.importances_mean.max() > 0.05
    np.testing.assert_allclose(result.all, expected.importances, atol=1e-12)
    function = tables.SCORE_FUNCTIONS[score]
    assert (result.metric, result.loss_words) == (function.technical, function.loss_words)
    # A tree that is sure and wrong has a worse log loss than guessing.
    assert score == "log_loss" or (result.score < result.guess) == function.is_error
    # Something else was asked for, so no reason is given.
    assert not any("is not used" in note for note in result.notes)


@pytest.mark.parametrize(
    ("counts", "metric"),
    [((50, 50), "accuracy"), ((89, 11), "accuracy"), ((91, 9), "average precision"), ((40, 40, 20), "accuracy"),
     ((49, 47, 4), "average precision"), ((100, 0), "log loss"), ((60, 40, 0), "accuracy")],
)  # fmt: skip
def test_the_score_is_chosen_by_the_rows(counts: tuple[int, ...], metric: str) -> None:
    target = np.repeat(np.arange(len(counts)), counts)
    frame = pd.DataFrame({"a": target + 0.0, "b": np.arange(100) % 7})
    table = table_from(frame, target, classes=[f"c{k}" for k in range(len(counts))])
    estimator = DecisionTreeClassifier().fit(frame, target)
    model = build_model(table, estimator, class_order=tuple(np.unique(target).tolist()))
    result = tables.permutation_importance(model, rows=np.arange(100), repeats=2)
    assert result.metric == metric and (metric == "accuracy") == (not any("is not used" in n for n in result.notes))


def test_a_model_without_probabilities_has_balanced_accuracy() -> None:
    table = build_rare_table()
    estimator = LinearSVC(class_weight="balanced").fit(table.frame, table.target)
    result = tables.permutation_importance(estimator, table=table, repeats=2)
    expected = by_sklearn(
        estimator, table.frame, table.target, scoring="balanced_accuracy", n_repeats=2, random_state=0
    )
    np.testing.assert_allclose(result.all, expected.importances, atol=1e-12)
    assert result.metric == "balanced accuracy" and result.features[result.order[0]] == "flag"
    with pytest.raises(InvalidParam, match="needs a model with probabilities"):
        tables.permutation_importance(estimator, table=table, score="roc_auc")


@pytest.mark.parametrize("copies", [1, 2])
def test_bars_that_are_all_about_zero_are_explained(copies: int) -> None:
    """Twice: the model knows nothing, or its two columns say the same and cover for each other."""
    rng = np.random.default_rng(0)
    target = rng.permutation(np.arange(400) % 2)
    signal = target + 0.0 if copies == 2 else rng.normal(size=400)
    table = table_from(pd.DataFrame({f"copy {k}": signal for k in range(20)}), target, classes=("no", "yes"))
    model = LogisticRegression(C=1e-6 if copies == 1 else 1.0).fit(table.frame, target)
    result = tables.permutation_importance(model, table=table, repeats=2, score="roc_auc" if copies == 1 else None)
    (note,) = [note for note in result.notes if note.startswith("All bars are close to zero")]
    assert ("several columns probably tell it the same" in note) == (copies == 2)
    assert np.abs(result.mean).max() < 0.01
    single = table_from(table.frame[["copy 0"]], target, classes=("no", "yes"))
    leader = tables.permutation_importance(LogisticRegression().fit(single.frame, target), table=single, repeats=2)
    assert not any("close to zero" in note for note in leader.notes) or copies == 1


@pytest.mark.parametrize(
    ("score", "rows", "words"),
    [("r2", None, "score of a classification must be one of accuracy, balanced_accuracy"), ("gini", None, "Got 'gini'"),
     ("roc_auc", [0, 1, 2], "needs rows with two outcomes"), ("average_precision", [0], "two outcomes")],
)  # fmt: skip
def test_a_score_that_does_not_fit_is_refused_in_words(score: str, rows: Any, words: str) -> None:
    model = train(load_table("iris"), "decision_tree")
    with pytest.raises(InvalidParam, match=words):
        tables.permutation_importance(model, score=score, rows=rows)
