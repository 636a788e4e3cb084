"""Rows of one group stay on one side of every split; tables without groups split as ever."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import xai_core.tabular.models.train
from xai_core.errors import InvalidTable
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.data.grouping import hold_out_groups, split_folds
from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.evaluation.proxies import proxies
from xai_core.tabular.models.train import _split_folds, train

LABELS = {"two": (0.5, 0.5), "rare": (0.93, 0.07), "four": (0.4, 0.3, 0.2, 0.1)}


def build_patients(patients: int, *, grouped: bool = True, regression: bool = False, seed: int = 0) -> Table:
    """Return three visits of each patient; the outcome is a coin of the patient's, and so is every feature."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(patients), 3)
    frame = pd.DataFrame(rng.normal(size=(patients, 2))[groups], columns=["blood", "height"])
    frame["sex"] = np.array(["f", "m"], dtype=object)[rng.permutation(np.arange(patients) % 2)][groups]
    coin = rng.permutation(np.arange(patients) % 2)[groups]
    return table_from(
        frame,
        coin,
        classes=() if regression else ("ill", "well"),
        groups=groups + 1000 if grouped else None,
        group_name="patient_id",
    )


def shared_count(first: np.ndarray, second: np.ndarray) -> int:
    return len(np.intersect1d(first, second))


def draw_groups(kind: str, seed: int, regression: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return a label and a group for each of about 400 rows, groups of 1 to 12 rows, mixed classes within them."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(rng.permutation(70) * 7 - 90, rng.integers(1, 13, 70))
    own = rng.choice(len(LABELS[kind]), 1000, p=LABELS[kind])
    labels = np.where(rng.random(len(groups)) < 0.5, own[groups + 90], rng.choice(len(LABELS[kind]), len(groups)))
    order = rng.permutation(len(groups))
    return np.zeros_like(labels) if regression else labels[order], groups[order]


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_groups_are_held_out_whole_and_near_the_share_of_every_class(kind: str, seed: int, share: float) -> None:
    labels, groups = draw_groups(kind, seed)
    rows = hold_out_groups(labels, groups, share, np.random.default_rng(seed))
    learnt = np.setdiff1d(np.arange(len(labels)), rows)
    assert shared_count(groups[rows], groups[learnt]) == 0 and np.all(np.diff(rows) > 0)
    parts = np.bincount(labels[rows], minlength=len(LABELS[kind])) / np.bincount(labels)
    assert np.abs(parts - share).max() < 0.08
    np.testing.assert_array_equal(rows, hold_out_groups(labels, groups, share, np.random.default_rng(seed)))
    assert not np.array_equal(rows, hold_out_groups(labels, groups, share, np.random.default_rng(seed + 9)))


def test_large_groups_are_not_held_out_more_often_than_small_ones() -> None:
    groups = np.repeat(np.arange(40), [30, *[3] * 39])
    draws = [hold_out_groups(np.zeros(147, int), groups, 0.25, np.random.default_rng(seed)) for seed in range(300)]
    assert 0.05 < np.mean([0 in rows for rows in draws]) < 0.3


@pytest.mark.parametrize(
    ("groups", "labels", "held_out"),
    [
        # Both are too large for a quarter, and one has to go.
        ([1] * 21 + [2] * 20, [0] * 41, list(range(21, 41))),
        # A class of two groups loses one where nothing else can go.
        ([1, 1, 2, 2], [0, 1, 0, 1], None),
        ([5, 5, 6, 7, 8], [0, 0, 1, 1, 1], None),
    ],
)
def test_no_class_is_held_out_whole(groups: list[int], labels: list[int], held_out: list[int] | None) -> None:
    for seed in range(10):
        rows = hold_out_groups(np.array(labels), np.array(groups), 0.25, np.random.default_rng(seed))
        assert len(rows) and set(np.delete(labels, rows)) == set(labels)
        assert held_out is None or rows.tolist() == held_out


def test_a_table_that_cannot_be_split_is_refused() -> None:
    with pytest.raises(InvalidTable, match="each group has an outcome that no other group has"):
        hold_out_groups(np.array([0, 0, 1, 2]), np.array([1, 1, 2, 3]), 0.25, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(3))
def test_without_groups_the_split_is_as_ever(seed: int) -> None:
    """By the rule as it was first written."""
    for table in (load_table("iris"), load_table("diabetes"), build_patients(20, grouped=False)):
        rng = np.random.default_rng(seed)
        places = [np.flatnonzero(table.target == k) for k in range(len(table.classes))] or [np.arange(len(table))]
        expected = np.sort(
            np.concatenate([rng.permutation(p)[: min(round(0.25 * len(p)), len(p) - 1)] for p in places])
        )
        np.testing.assert_array_equal(table.split(seed)[1], expected)


def test_the_id_of_a_table_without_groups_is_the_old_one() -> None:
    frame = pd.DataFrame({"size": [1.5, 2.0, None], "colour": ["red", "blue", None]})
    plain = table_from(frame, [0, 1, 1], classes=("a", "b"))
    assert plain.sha256 == "7d56befdcc25248f32e8e2bb873c28da0492852867e631792ad1319589101500"
    assert plain.groups is None and plain.notes == ()
    with_groups = [table_from(frame, [0, 1, 1], classes=("a", "b"), groups=g).sha256 for g in ([1, 2, 3], [2, 1, 3])]
    assert len({plain.sha256, *with_groups}) == 3


def test_a_table_says_that_its_groups_stay_together() -> None:
    table = build_patients(20)
    assert table.notes[-1] == "All rows of one patient_id are on the same side of the split: 20 groups."
    learnt, held_out = table.split(1)
    assert table.groups is not None and not table.groups.flags.writeable
    assert shared_count(table.groups[learnt], table.groups[held_out]) == 0
    assert sorted([*learnt, *held_out]) == list(range(60)) and 9 <= len(held_out) <= 21
    np.testing.assert_array_equal(held_out, table.split(1)[1])


@pytest.mark.parametrize(
    ("groups", "words"),
    [([1] * 30, "only 1 different values of who"), ([1, 2] * 15, "at least 3"), ([1.5] * 30, "one whole number"),
     ([1, 2, 3], "each of the 30 rows")],
)  # fmt: skip
def test_groups_that_are_none_are_refused(groups: list[Any], words: str) -> None:
    with pytest.raises(InvalidTable, match=words):
        table_from(pd.DataFrame({"x": np.arange(30.0)}), np.arange(30.0), groups=groups, group_name="who")


@pytest.mark.parametrize("kind", [*LABELS, "regression"])
def test_folds_keep_groups_together_and_ask_about_every_row_once(kind: str) -> None:
    labels, groups = draw_groups(kind if kind in LABELS else "two", 4)
    folds = split_folds(None if kind == "regression" else labels, groups, 5, 0)
    assert len(folds) == 5
    np.testing.assert_array_equal(np.sort(np.concatenate([tested for _, tested in folds])), np.arange(len(labels)))
    for learnt, tested in folds:
        assert shared_count(groups[learnt], groups[tested]) == 0 and set(labels[learnt]) == set(labels)


def test_fewer_folds_where_an_outcome_has_fewer_groups_and_a_sentence_where_it_has_one() -> None:
    groups = np.repeat(np.arange(12), 4)
    labels = np.isin(groups, [3, 7]).astype(int)
    assert len(split_folds(labels, groups, 5, 0)) == 2
    with pytest.raises(InvalidTable, match="too few groups"):
        split_folds((groups == 3).astype(int), groups, 5, 0)
    with pytest.raises(InvalidTable, match="too few groups"):
        split_folds(None, np.zeros(30, int), 5, 0)


@pytest.mark.parametrize("regression", [False, True])
def test_what_only_knows_the_patients_again_scores_like_guessing(regression: bool) -> None:
    """The outcome is a coin of each patient: known by heart where a visit of theirs was learnt from."""
    scores = {
        grouped: np.mean(
            train(
                build_patients(60, grouped=grouped, regression=regression), "nearest_neighbours", {"neighbours": 1}
            ).cross_validation
        )
        for grouped in (False, True)
    }
    assert scores[False] > (0.3 if regression else 0.9)
    assert scores[True] < (0 if regression else 0.7)


def test_the_folds_of_a_training_are_of_its_rows() -> None:
    table = build_patients(40)
    assert table.groups is not None
    rows = table.split(0)[0]
    for learnt, tested in _split_folds(table, rows, 0):
        assert shared_count(table.groups[learnt], table.groups[tested]) == 0
        assert sorted([*learnt, *tested]) == rows.tolist()


def test_a_support_vector_machine_is_calibrated_by_groups() -> None:
    table = build_patients(40)
    assert table.groups is not None
    model = train(table, "support_vectors")
    groups = table.groups[model.train_rows]
    for learnt, tested in model.estimator[-1].cv:
        assert shared_count(groups[learnt], groups[tested]) == 0
    assert not isinstance(train(build_patients(40, grouped=False), "support_vectors").estimator[-1].cv, list)


@pytest.fixture
def bags_of_fits(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect the bags of every fit of an explainable boosting machine."""
    from interpret.glassbox import ExplainableBoostingClassifier

    bags, fit = [], ExplainableBoostingClassifier.fit

    def record(self: Any, *args: Any, **options: Any) -> Any:
        bags.append(options.get("bags"))
        return fit(self, *args, **options)

    monkeypatch.setattr(ExplainableBoostingClassifier, "fit", record)
    return bags


def test_an_explainable_boosting_machine_stops_by_groups(
    bags_of_fits: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xai_core.tabular.models.train, "FOLDS", 2)
    table = build_patients(40)
    assert table.groups is not None
    params = {"bags": 2, "bins": 16, "pairs": 0}
    model = train(table, "explainable_boosting", params)
    groups = table.groups[model.train_rows]
    assert bags_of_fits[-1].shape == (len(groups), 2) and len(bags_of_fits) > 1
    for bag in bags_of_fits[-1].T:
        assert shared_count(groups[bag == 1], groups[bag == -1]) == 0 and 0 < np.mean(bag == -1) < 0.3
    train(build_patients(40, grouped=False), "explainable_boosting", params)
    assert bags_of_fits[-1] is None


def test_proxies_are_measured_on_other_groups() -> None:
    """Blood tells a patient, and so the sex, where another visit of theirs was learnt from; else it tells nothing."""
    measured = {
        grouped: {
            proxy.column: proxy.association for proxy in proxies(build_patients(60, grouped=grouped), "sex").ranked
        }
        for grouped in (False, True)
    }
    assert measured[False]["blood"] > measured[True]["blood"] + 0.2
    assert measured[True]["blood"] < 0.35
