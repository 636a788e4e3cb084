"""A model that has learnt nothing carries a banner on every page that explains it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.tables.page_reader import FAIRNESS, GENERAL, MODEL, ROW, finish_work, read_text
from xai_core.tabular import TABLES, Table, TableSpec

pytestmark = pytest.mark.long

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def noise() -> Iterator[str]:
    """A table whose target is drawn at random, among the built-in ones."""
    diabetes = TABLES.get("diabetes")

    def build(spec: TableSpec) -> Table:
        table = diabetes.build(diabetes)
        return spec.to_table(table.frame, np.random.default_rng(2).normal(size=len(table)))

    TABLES.add(replace(diabetes, name="noise", title="Noise", target_name="luck", build=build))
    yield "noise"
    del TABLES._specs["noise"]


@pytest.mark.parametrize("page", [MODEL, GENERAL, ROW, FAIRNESS])
def test_the_banner_stands_on_every_page_of_the_model(open_app: Open, noise: str, page: str) -> None:
    text = read_text(finish_work(open_app(page, table=noise, learner="decision_tree")))
    assert text.count("This model has learnt next to nothing") == 1
    assert "always saying the average of luck" in text


def test_a_model_that_has_learnt_something_carries_none(open_app: Open) -> None:
    text = read_text(finish_work(open_app(GENERAL, table="diabetes", learner="decision_tree")))
    assert "learnt next to nothing" not in text and "no better than guessing" not in text
