"""All kinds of models on one table: ranked by held-out parts, as scikit-learn scores them, and stopped at once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score

from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidTable
from xai_core.tabular import TABULAR_MODELS, TabularModel, load_table, rank_models, train

SCORES = {"linear": (0.9, 0.92), "decision_tree": (0.5, 0.7), "random_forest": (0.88, 0.9)}


@pytest.fixture(scope="module")
def tree() -> TabularModel:
    return train(load_table("iris"), "decision_tree")


def test_the_best_come_first_with_their_spread(tree: TabularModel) -> None:
    def fake(name: str, _job: Job[Any]) -> TabularModel:
        if name not in SCORES:
            raise InvalidTable("It cannot learn from this table.")
        return replace(tree, cross_validation=SCORES[name], seconds=2.0)

    board = rank_models(load_table("iris"), fake)
    names = [entry.name for entry in board.entries]
    assert names[:3] == ["linear", "random_forest", "decision_tree"] and set(names) == set(TABULAR_MODELS)
    first, *_, last = board.entries
    assert (first.score, first.spread, first.seconds) == pytest.approx((0.91, 0.02 / math.sqrt(2), 2.0))
    assert math.isnan(last.score) and last.problem == "It cannot learn from this table."
    assert board.parts == 2 and "more than the parts differ" in board.sentence


def test_a_close_race_is_called_one(tree: TabularModel) -> None:
    def fake(name: str, _job: Job[Any]) -> TabularModel:
        return replace(tree, cross_validation=(0.8, 0.9) if name == "random_forest" else (0.79, 0.89))

    sentence = rank_models(load_table("iris"), fake).sentence
    assert (
        "vote (random forest) has the best" in sentence and "8 others are so close that chance may decide" in sentence
    )
    assert sentence.endswith("can be read as it is."), "a readable model that is as good is named"


def test_scores_are_those_of_scikit_learn(tree: TabularModel) -> None:
    iris = load_table("iris")
    rows = iris.split(0)[0]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    expected = cross_val_score(tree.estimator, iris.take(rows), iris.target[rows], cv=folds)
    (entry,) = [entry for entry in rank_models(iris, lambda *_: tree).entries if entry.name == "decision_tree"]
    assert (entry.score, entry.spread) == pytest.approx((expected.mean(), np.std(expected, ddof=1)))
    assert tree.seconds is not None and 0 < tree.seconds < 600


def test_a_stop_ends_the_training_of_a_model_and_of_all(tree: TabularModel) -> None:
    job: Job[Any] = Job()
    trained = []

    def cancel_in_second(name: str, part: Job[Any]) -> TabularModel:
        trained.append(name)
        if len(trained) == 2:
            job.cancel()
        part.tick(1)
        return tree

    with pytest.raises(Cancelled):
        rank_models(load_table("iris"), cancel_in_second, job)
    assert len(trained) == 2 and (job.done, job.total) == (1, len(TABULAR_MODELS))
