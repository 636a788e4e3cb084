"""The loan table keeps to its documentation: its rule, its interaction, its correlated pair and its proxy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, spearmanr

from xai_core.tabular.data.builtin import load_table, loan as loan_module
from xai_core.tabular.data.builtin.loan import loan_log_odds, loan_truth
from xai_core.tabular.data.table import Table


@pytest.fixture(scope="module")
def loan() -> Table:
    return load_table("loan")


@pytest.fixture(scope="module")
def large_frame() -> pd.DataFrame:
    """People enough that shares are nearly their expectation."""
    return loan_module.draw_loan_frame(rows=60_000, seed=1)


def compute_log_odds(person: dict[str, float | str]) -> float:
    """Compute the rule for one person, term by term."""
    score = 0.9 + 0.9 * (float(person["income"]) - 3000) / 1000 - 0.15 * (float(person["amount"]) - 10_000) / 1000
    score -= 0.25 * ((float(person["age"]) - 45) / 10) ** 2
    score += {"permanent": 0.5, "temporary": -0.3, "self-employed": 0.0, "unemployed": -1.5}[str(person["employment"])]
    score += {"north": 0.9, "east": 0.5, "south": -0.8, "west": -0.6}[str(person["district"])]
    return score - 0.25 * float(person["late payments"]) * float(person["debt"]) / 1000


def test_truth_is_the_rule_in_words(loan: Table) -> None:
    slow = np.array([compute_log_odds(person) for person in loan.frame.to_dict("records")])
    assert np.ptp(slow) > 5
    np.testing.assert_allclose(loan_log_odds(loan.frame), slow, atol=1e-12)
    np.testing.assert_allclose(loan_truth(loan.frame), 1 / (1 + np.exp(-slow)), atol=1e-12)


def test_the_same_rows_every_time(loan: Table) -> None:
    again = loan_module.draw_loan_frame()
    pd.testing.assert_frame_equal(again, loan.frame)
    assert not loan_module.draw_loan_frame(seed=1).equals(again)
    assert len(loan) == 1000
    assert loan.sha256.startswith("38c679f1ca"), (
        "numpy draws other numbers now: figures in texts and tests may be out of date"
    )


def test_each_decision_is_one_draw_with_the_true_probability(large_frame: pd.DataFrame) -> None:
    """In every tenth of the true probability the share of a yes is that probability, within four standard errors."""
    truth, approved = loan_truth(large_frame), loan_module.draw_loan_decisions(large_frame, seed=2)
    tenth = np.digitize(truth, np.arange(0.1, 1, 0.1))
    for part in range(10):
        p = truth[tenth == part]
        error = np.sqrt((p * (1 - p)).sum()) / len(p)
        assert abs(approved[tenth == part].mean() - p.mean()) < norm.ppf(1 - 3e-5) * error


def test_outcomes_are_neither_rare_nor_sure(loan: Table) -> None:
    assert loan.classes == ("refused", "approved")
    assert 0.4 < loan.target.mean() < 0.6
    truth = loan_truth(loan.frame)
    assert 0.75 < ((truth > 0.5) == loan.target).mean() < 0.95


def test_debt_counts_only_with_late_payments(loan: Table) -> None:
    never, twice = loan.frame.assign(**{"late payments": 0.0}), loan.frame.assign(**{"late payments": 2.0})
    effect_never = loan_log_odds(never.assign(debt=4000.0)) - loan_log_odds(never.assign(debt=0.0))
    effect_twice = loan_log_odds(twice.assign(debt=4000.0)) - loan_log_odds(twice.assign(debt=0.0))
    np.testing.assert_allclose(effect_never, 0, atol=1e-12)
    np.testing.assert_allclose(effect_twice, 2 * 4 * loan_module.LATE_BY_DEBT, atol=1e-12)


def test_irrelevant_columns_change_nothing(loan: Table) -> None:
    shuffled = loan.frame.copy()
    for name in loan_module.IRRELEVANT:
        shuffled[name] = np.random.default_rng(3).permutation(shuffled[name].to_numpy())
    assert not shuffled.equals(loan.frame)
    np.testing.assert_array_equal(loan_truth(shuffled), loan_truth(loan.frame))


def test_spending_follows_income(loan: Table) -> None:
    assert spearmanr(loan.frame["income"], loan.frame["spending"]).statistic > 0.8
    numbers = loan.frame[[column.name for column in loan.columns if column.kind == "numeric"]]
    others = (
        numbers.corr("spearman")
        .where(~np.eye(numbers.shape[1], dtype=bool))
        .drop(columns="spending")
        .drop(index="spending")
    )
    assert others.abs().max().max() < 0.15


def test_the_group_leaks_through_the_district_alone(large_frame: pd.DataFrame) -> None:
    truth = pd.Series(loan_truth(large_frame))
    color_by_group = truth.groupby(large_frame["group"]).mean()
    assert color_by_group["A"] - color_by_group["B"] > 0.1
    inside = truth.groupby([large_frame["district"], large_frame["group"]]).mean().unstack()
    assert (inside["A"] - inside["B"]).abs().max() < 0.03


def test_every_kind_of_column_is_there(loan: Table) -> None:
    kinds = {column.name: column.kind for column in loan.columns}
    assert set(kinds.values()) == {"numeric", "category", "boolean"}
    assert kinds["owns home"] == "boolean"
    assert loan.protected == "group" and "interaction" in loan.about
