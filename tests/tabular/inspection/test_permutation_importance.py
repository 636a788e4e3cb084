"""Permutation importance is scikit-learn's, on the rows held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.inspection import permutation_importance as by_sklearn
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

import xai_core.tabular as tables
from tests.tabular.closed_form_models import all_kinds_table, build_model, number_table
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam
from xai_core.tabular.data.builtin import load_table
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
    assert "not known which rows the model learned from" in result.notes[-1]
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
