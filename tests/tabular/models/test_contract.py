"""Contract of every kind of model in TABULAR_MODELS: a new family is tested without an entry here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from xai_core.tabular.data.table import Table
from xai_core.tabular.models import families
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import TABULAR_MODELS

pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.filterwarnings("ignore:Missing values detected"),
]


@pytest.mark.parametrize("name", list(TABULAR_MODELS))
def test_probabilities_of_a_table_with_holes(models: dict[tuple[str, str], TabularModel], name: str) -> None:
    model = models[name, "classification"]
    table = model.table
    probabilities = model.predict(table.frame)
    assert probabilities.shape == (len(table), 2) and probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    is_right = probabilities[model.test_rows].argmax(axis=1) == table.target[model.test_rows]
    assert is_right.mean() > 0.75, "it has learned nothing"


@pytest.mark.parametrize("name", list(TABULAR_MODELS))
def test_values_of_a_regression(models: dict[tuple[str, str], TabularModel], name: str) -> None:
    model = models[name, "regression"]
    values = model.predict(model.table.frame)
    assert values.shape == (len(model.table),)
    np.testing.assert_array_equal(values, model.score(model.table.frame))
    truth = model.table.target[model.test_rows]
    unexplained = np.square(values[model.test_rows] - truth).sum() / np.square(truth - truth.mean()).sum()
    assert unexplained < 0.7, "it has learned nothing"


@pytest.mark.parametrize("name", list(TABULAR_MODELS))
def test_row_from_a_form_and_unknown_words(models: dict[tuple[str, str], TabularModel], name: str) -> None:
    model = models[name, "classification"]
    form_row = model.table.row({"age": 40})
    unknown_category = model.table.frame.head(3).assign(district=pd.Series(["elsewhere"] * 3, dtype=object))
    assert np.isfinite(model.score(form_row)).all() and np.isfinite(model.score(unknown_category)).all()


@pytest.mark.parametrize("name", list(TABULAR_MODELS))
def test_same_seed_same_model_and_nobody_elses_randomness(
    tables: dict[str, Table],
    models: dict[tuple[str, str], TabularModel],
    train_quickly: Callable[[Table, str], TabularModel],
    name: str,
) -> None:
    before = repr(np.random.get_state()), torch.get_rng_state()
    first = models[name, "classification"]
    again = train_quickly(tables["classification"], name)
    assert repr(np.random.get_state()) == before[0] and torch.equal(torch.get_rng_state(), before[1])
    np.testing.assert_array_equal(again.predict(first.table.frame), first.predict(first.table.frame))
    assert again.id == first.id and again.cross_validation == first.cross_validation


@pytest.mark.parametrize("name", [name for name in TABULAR_MODELS if TABULAR_MODELS.get(name).prepared])
def test_prepared_rows_are_what_the_last_step_sees(models: dict[tuple[str, str], TabularModel], name: str) -> None:
    model = models[name, "classification"]
    prepared = model.prepare(model.table.frame)
    assert prepared.names == (
        *("income", "age", "since", "owner"),
        *("district = north", "district = south", "district = west", "district is missing"),
    )
    assert prepared.owners == ("income", "age", "since", "owner", *["district"] * 4)
    np.testing.assert_array_equal(prepared.values[:, 4:].sum(axis=1), 1)
    np.testing.assert_array_equal(prepared.values[:, 7] == 1, model.table.frame["district"].isna())
    np.testing.assert_array_equal(model.last_step.predict_proba(prepared.values), model.predict(model.table.frame))


def test_every_spec_says_what_it_is() -> None:
    files = {path.stem for path in Path(families.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(TABULAR_MODELS)
    ranks = [spec.rank for spec in TABULAR_MODELS.specs()]
    assert ranks == sorted(set(ranks))
    for spec in TABULAR_MODELS.specs():
        assert spec.title and spec.paper and spec.sentence.endswith(".")
        assert all(param.help.endswith(".") for param in spec.params)
