"""The H-statistic against the paper's sums written out by hand, and formulas whose interaction is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

import xai_core.tabular as tables
from tests.tabular.closed_form_models import all_kinds_table, build_model, number_table
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, UnknownName
from xai_core.tabular.data.builtin.loan import draw_loan_frame, loan_log_odds
from xai_core.tabular.data.table import Table, table_from


def formula(frame: pd.DataFrame) -> Any:
    return frame["a"] * frame["b"] + 3 * frame["c"] + 0.2 * frame["c"] * frame["a"]


def dependence_slowly(table: Table, features: list[str]) -> np.ndarray:
    """Centred partial dependence at every row's own values, one average at a time."""
    result = [np.mean(formula(table.frame.assign(**row[features].to_dict()))) for _, row in table.frame.iterrows()]
    return np.array(result) - np.mean(result)


def test_it_is_the_papers_sum() -> None:
    table = number_table(4, rows=40)
    model = build_model(table, formula)
    pair = {name: dependence_slowly(table, list(name)) for name in ("a", "b", "c", "ab", "ac", "bcd")}
    for first, second in ("ab", "ac"):
        joint = pair[first + second]
        expected = np.sqrt(((joint - pair[first] - pair[second]) ** 2).sum() / (joint**2).sum())
        assert 0.02 < expected < 0.9
        assert tables.interaction_strength(model, first, second, table=table) == pytest.approx(expected, abs=1e-12)
    whole = formula(table.frame).to_numpy()
    whole = whole - whole.mean()
    expected = np.sqrt(((whole - pair["a"] - pair["bcd"]) ** 2).sum() / (whole**2).sum())
    assert tables.interaction_strength(model, "a", table=table) == pytest.approx(expected, abs=1e-12)


def test_a_sum_has_none_and_a_product_of_centred_features_has_nothing_else() -> None:
    table = number_table(3, rows=300)
    for function in (
        lambda frame: np.exp(frame["a"] / 3) + frame["b"] ** 2,
        lambda frame: 0 * frame["a"],
        lambda frame: 7.0 + 0 * frame["a"],
    ):
        model = build_model(table, function)
        assert tables.interaction_strength(model, "a", "b", table=table) < 1e-6
        assert tables.interaction_strength(model, "a", table=table) < 1e-6
    middle = table.frame.mean()
    product = build_model(table, lambda frame: (frame["a"] - middle["a"]) * (frame["b"] - middle["b"]))
    assert tables.interaction_strength(product, "a", "b", table=table, sample=300) > 0.97
    assert tables.interaction_strength(product, "a", "c", table=table, sample=300) == pytest.approx(0, abs=0.2)
    assert tables.interaction_strength(product, "c", table=table) < 1e-6


def test_the_loan_rules_only_interaction_is_found() -> None:
    frame = draw_loan_frame(300)
    table = table_from(frame, loan_log_odds(frame))
    model = build_model(table, loan_log_odds)
    strength = {
        pair: tables.interaction_strength(model, *pair, table=table)
        for pair in (("debt", "late payments"), ("income", "district"))
    }
    assert strength["debt", "late payments"] > 0.2
    assert strength["income", "district"] < 1e-6
    single = {
        name: tables.interaction_strength(model, name, table=table)
        for name in ("debt", "late payments", "employment", "income", "group")
    }
    assert (
        sorted(single, key=single.__getitem__)[-2:] == ["late payments", "debt"]
        or min(single["debt"], single["late payments"]) > 0.1
    )
    assert max(single["employment"], single["income"], single["group"]) < 1e-6


def test_boosted_trees_by_the_short_cut_and_cells_without_a_value() -> None:
    table = number_table(3, rows=120)
    frame = table.frame.assign(b=table.frame["b"].where(table.frame["b"] > 2))
    gaps = table_from(frame, formula(table.frame))
    boosted = HistGradientBoostingRegressor(max_iter=20, min_samples_leaf=5).fit(frame, gaps.target)
    quick = tables.interaction_strength(boosted, "a", "b", table=gaps, sample=60)
    assert quick == pytest.approx(
        tables.interaction_strength(build_model(gaps, boosted.predict), "a", "b", table=gaps, sample=60), abs=1e-9
    )
    assert quick > 0.1
    kinds = all_kinds_table(80)
    rule = build_model(kinds, lambda frame: (frame["colour"] == "red") * frame["income"] / 5000)
    assert tables.interaction_strength(rule, "colour", "income", table=kinds) > 0.2


def test_the_sample_follows_the_seed_and_what_is_wrong_is_refused_in_words() -> None:
    table = number_table(3, rows=200)
    model = build_model(table, formula)
    first, same, different = (
        tables.interaction_strength(model, "a", "b", table=table, sample=50, seed=seed) for seed in (1, 1, 2)
    )
    assert first == same != different
    with pytest.raises(InvalidParam, match=r"from 10 to 1,000 rows\. Got 5"):
        tables.interaction_strength(model, "a", "b", table=table, sample=5)
    with pytest.raises(InvalidParam, match="two different features"):
        tables.interaction_strength(model, "a", "a", table=table)
    with pytest.raises(UnknownName, match="no feature called 'z'"):
        tables.interaction_strength(model, "a", "z", table=table)
    job: Job[Any] = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        tables.interaction_strength(model, "a", table=table, job=job)
