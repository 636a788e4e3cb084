"""Built-in tables against scikit-learn's, and the words that each of them needs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets

from xai_core.errors import UnknownName
from xai_core.tabular.data.builtin import TABLES, load_table


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_classes_are_those_of_scikit_learn(name: str) -> None:
    ours, theirs = load_table(name), getattr(datasets, f"load_{name}")()
    np.testing.assert_array_equal(ours.frame.to_numpy(), theirs.data)
    np.testing.assert_array_equal(ours.target, theirs.target)
    assert [label.replace(" ", "_") for label in ours.classes] == list(theirs.target_names)
    assert [feature.replace(" ", "_") for feature in ours.features] == [
        feature.replace(" ", "_") for feature in theirs.feature_names
    ]
    assert ours.task == "classification" and ours.target.dtype == np.int64


def test_diabetes_is_in_the_units_it_was_measured_in() -> None:
    ours, theirs = load_table("diabetes"), datasets.load_diabetes(as_frame=True, scaled=False)
    np.testing.assert_array_equal(ours.frame.drop(columns="sex").to_numpy(), theirs.data.drop(columns="sex").to_numpy())
    assert ours.frame["sex"].tolist() == [f"group {code:.0f}" for code in theirs.data["sex"]]
    np.testing.assert_array_equal(ours.target, theirs.target)
    assert ours.task == "regression" and ours.classes == () and ours.target.dtype == np.float64


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_what_it_is(name: str) -> None:
    spec, table = TABLES.get(name), load_table(name)
    assert load_table(name) is table
    assert (table.name, table.title, table.task, table.about) == (spec.name, spec.title, spec.task, spec.about)
    assert table.title and table.about.endswith(".") and table.target_name
    assert list(table.frame.columns) == list(table.features) and table.target_name not in table.features
    assert list(table.frame.index) == list(range(len(table))) and len(table.target) == len(table)
    assert not table.protected or table.column(table.protected).kind == "category"
    for column in table.columns:
        assert table.frame[column.name].dtype == (object if column.kind == "category" else np.float64)


def test_unknown_table_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="iris"):
        load_table("irs")
