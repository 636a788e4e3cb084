"""Accumulated local effects against slow versions written by hand, closed forms, and the loan table's rule."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xai_core.tabular as tables
from tests.tabular.closed_form_models import build_model
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, NotApplicable
from xai_core.tabular.data.builtin import loan
from xai_core.tabular.data.builtin.loan import draw_loan_frame, loan_log_odds
from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.inspection.category_order import similarity_order


def related_table(rows: int = 160) -> Table:
    """Return a table of two related features, an independent one, and a category."""
    rng = np.random.default_rng(6)
    a = rng.normal(size=rows)
    frame = pd.DataFrame({"a": a, "b": a + 0.3 * rng.normal(size=rows), "c": rng.uniform(0, 4, rows).round(1)})
    score = frame["c"] + rng.normal(size=rows)
    frame["kind"] = pd.Series(np.where(score > 3, "much", np.where(score > 1.5, "some", "little")), dtype=object)
    return table_from(frame, a)


def formula(frame: pd.DataFrame) -> Any:
    extra = frame["kind"].map({"little": 0.0, "some": 1.0, "much": 5.0}).astype(float)
    return frame["a"] * frame["b"] + np.sin(frame["c"]) * frame["a"] + extra * frame["b"]


def accumulate_slowly(table: Table, feature: str, bins: int) -> tuple[list[float], list[float]]:
    """Return edges and effect, row by row and bin by bin, as in the paper."""
    values = sorted(table.frame[feature])
    edges = sorted({values[max(int(np.ceil(share * len(values))) - 1, 0)] for share in np.linspace(0, 1, bins + 1)})
    summed, counts = [0.0], []
    for low, high in pairwise(edges):
        inside = table.frame[(table.frame[feature] > low) & (table.frame[feature] <= high)]
        if low == edges[0]:
            inside = pd.concat([table.frame[table.frame[feature] == low], inside])
        steps = [
            formula(row.assign(**{feature: high})).iloc[0] - formula(row.assign(**{feature: low})).iloc[0]
            for row in split_rows(inside)
        ]
        summed.append(summed[-1] + sum(steps) / len(steps))
        counts.append(len(steps))
    mean = sum(count * (summed[k] + summed[k + 1]) / 2 for k, count in enumerate(counts)) / sum(counts)
    return edges, [value - mean for value in summed]


def split_rows(frame: pd.DataFrame) -> list[pd.DataFrame]:
    return [frame.iloc[[place]] for place in range(len(frame))]


@pytest.mark.parametrize(("feature", "bins"), [("a", 7), ("c", 5)])
def test_one_feature_equals_the_slow_version(feature: str, bins: int) -> None:
    table = related_table()
    result = tables.accumulated_local_effects(build_model(table, formula), feature, table=table, bins=bins)
    edges, expected = accumulate_slowly(table, feature, bins)
    np.testing.assert_array_equal(result.grid, edges)
    assert np.ptp(expected) > 0.09
    np.testing.assert_allclose(result.average, expected, atol=1e-12)
    assert result.method == "accumulated local effects" and result.individual is None and result.centred_lines is None


def test_categories_equal_the_slow_version_in_an_order_by_likeness() -> None:
    table = related_table()
    result = tables.accumulated_local_effects(build_model(table, formula), "kind", table=table)
    assert result.grid.tolist() in (["little", "some", "much"], ["much", "some", "little"]), (
        "they follow c, not the alphabet"
    )
    summed = [0.0]
    for left, right in pairwise(result.grid):
        inside = table.frame[table.frame["kind"].isin([left, right])]
        steps = [
            formula(row.assign(kind=right)).iloc[0] - formula(row.assign(kind=left)).iloc[0]
            for row in split_rows(inside)
        ]
        summed.append(summed[-1] + sum(steps) / len(steps))
    counts = [int((table.frame["kind"] == name).sum()) for name in result.grid]
    np.testing.assert_allclose(result.average, np.array(summed) - np.dot(summed, counts) / sum(counts), atol=1e-12)
    assert result.distribution.edges.tolist() == result.grid.tolist() and result.distribution.counts.tolist() == counts


def test_it_stays_right_where_features_go_together_and_partial_dependence_does_not() -> None:
    table = related_table(2000)
    # Odd only where no data are.
    model = build_model(table, lambda frame: np.where(np.abs(frame["a"] - frame["b"]) < 3, frame["a"], 500.0))
    along = tables.accumulated_local_effects(model, "a", table=table, bins=20)
    np.testing.assert_allclose(along.average, along.grid - along.grid.mean() + along.average.mean(), atol=1e-9)
    dependence = tables.partial_dependence(model, "a", table=table)
    assert np.ptp(dependence.average) > 20, "many of the combinations it asks about do not exist"
    assert "do not exist in your data" in dependence.notes[-1]


def test_the_loan_rule_is_found() -> None:
    frame = draw_loan_frame()
    table = table_from(frame, loan_log_odds(frame))
    model = build_model(table, loan_log_odds)
    income, age, spending = (
        tables.accumulated_local_effects(model, name, table=table) for name in ("income", "age", "spending")
    )
    line = loan.INCOME * income.grid / 1000
    np.testing.assert_allclose(np.diff(income.average), np.diff(line), atol=1e-12)
    np.testing.assert_allclose(np.diff(age.average), np.diff(loan.AGE * ((age.grid - 45) / 10) ** 2), atol=1e-12)
    assert not spending.average.any(), "it follows income, but the rule never looks at it"
    district = tables.accumulated_local_effects(model, "district", table=table)
    expected = np.array([loan.DISTRICT[name] for name in district.grid])
    np.testing.assert_allclose(district.average, expected - frame["district"].map(loan.DISTRICT).mean(), atol=1e-12)
    assert {*district.grid[:2]} in ({"north", "east"}, {"south", "west"}), "districts of one group are neighbours"
    late = tables.accumulated_local_effects_2d(model, ("late payments", "debt"), table=table, bins=4)
    steps = np.diff(np.diff(late.average, axis=0), axis=1)
    np.testing.assert_allclose(
        steps, loan.LATE_BY_DEBT / 1000 * np.diff(late.grids[0])[:, None] * np.diff(late.grids[1]), atol=1e-9
    )
    nothing = tables.accumulated_local_effects_2d(model, ("income", "spending"), table=table, bins=10)
    assert np.abs(nothing.average).max() < 1e-9, "an interaction that is not there"


def accumulate_pair_slowly(table: Table, edges: tuple[list[float], list[float]]) -> np.ndarray:
    """Joint effect of a and c: every row in every cell, then the two main effects taken off, as in the paper."""
    height, width = len(edges[0]) - 1, len(edges[1]) - 1
    local, counts = np.zeros((height, width)), np.zeros((height, width))
    for row in split_rows(table.frame):
        i = next(k for k in range(height) if row["a"].iloc[0] <= edges[0][k + 1])
        j = next(k for k in range(width) if row["c"].iloc[0] <= edges[1][k + 1])
        at = [[formula(row.assign(a=edges[0][i + up], c=edges[1][j + on])).iloc[0] for on in (0, 1)] for up in (0, 1)]
        local[i, j] += at[1][1] - at[0][1] - at[1][0] + at[0][0]
        counts[i, j] += 1
    local /= counts
    total = np.zeros((height + 1, width + 1))
    for i in range(height + 1):
        for j in range(width + 1):
            total[i, j] = local[:i, :j].sum()
    first, second = [0.0], [0.0]
    for i in range(height):
        steps = [
            counts[i, j] * (total[i + 1, j] - total[i, j] + total[i + 1, j + 1] - total[i, j + 1]) / 2
            for j in range(width)
        ]
        first.append(first[-1] + sum(steps) / counts[i].sum())
    for j in range(width):
        steps = [
            counts[i, j] * (total[i, j + 1] - total[i, j] + total[i + 1, j + 1] - total[i + 1, j]) / 2
            for i in range(height)
        ]
        second.append(second[-1] + sum(steps) / counts[:, j].sum())
    pure = total - np.array(first)[:, None] - np.array(second)
    weights = counts / counts.sum()
    return pure - sum(weights[i, j] * pure[i : i + 2, j : j + 2].mean() for i in range(height) for j in range(width))


def test_two_features_equal_the_slow_version() -> None:
    table = related_table(150)
    result = tables.accumulated_local_effects_2d(build_model(table, formula), ("a", "c"), table=table, bins=4)
    expected = accumulate_pair_slowly(table, (result.grids[0].tolist(), result.grids[1].tolist()))
    assert np.ptp(expected) > 0.5
    np.testing.assert_allclose(result.average, expected, atol=1e-10)
    assert not result.empty.any() and result.notes == ()


def test_cells_without_rows_are_marked_and_filled_from_the_nearest() -> None:
    table = related_table()
    result = tables.accumulated_local_effects_2d(
        build_model(table, lambda frame: frame["a"] * frame["b"]), ("a", "b"), table=table, bins=10
    )
    assert result.empty[0, -1] and result.empty[-1, 0] and not result.empty[np.arange(11), np.arange(11)].any()
    assert result.extrapolation_share > 0.3 and "cells hold no row" in result.notes[0]
    assert np.isfinite(result.average).all()


def test_rows_without_a_value_are_left_out_and_ties_share_a_part() -> None:
    frame = pd.DataFrame({"a": [0.0] * 50 + [1.0, 2.0, 3.0, np.nan] * 10, "b": np.arange(90.0)})
    table = table_from(frame, frame["b"])
    result = tables.accumulated_local_effects(
        build_model(table, lambda frame: 2 * frame["a"]), "a", table=table, bins=9
    )
    assert result.grid.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(np.diff(result.average), 2)
    assert result.distribution.counts.sum() == 80


def test_two_categories_keep_the_alphabet_and_so_do_those_with_nothing_to_compare_by() -> None:
    frame = pd.DataFrame({"kind": pd.Series(list("cabab"), dtype=object), "x": np.arange(5.0)})
    assert similarity_order(table_from(frame, frame["x"]), frame.iloc[1:], "kind").tolist() == ["a", "b"]
    assert similarity_order(table_from(frame[["kind"]], frame["x"]), frame, "kind").tolist() == ["a", "b", "c"]


def test_what_cannot_be_asked_is_refused_in_words() -> None:
    table = related_table()
    model = build_model(table, formula)
    flat = table_from(table.frame.assign(b=1.0, kind="one"), table.target)
    with pytest.raises(InvalidParam, match=r"from 1 to 200\. Got 0"):
        tables.accumulated_local_effects(model, "a", table=table, bins=0)
    for feature in ("b", "kind"):
        with pytest.raises(NotApplicable, match="the same value in all these rows"):
            tables.accumulated_local_effects(build_model(flat, formula), feature, table=flat)
    with pytest.raises(NotApplicable, match="need numbers; 'kind' holds categories"):
        tables.accumulated_local_effects_2d(model, ("a", "kind"), table=table)


@pytest.mark.parametrize("feature", ["a", "kind"])
def test_a_job_counts_to_its_end_and_can_be_stopped(feature: str) -> None:
    table = related_table()
    job: Job[Any] = Job()
    tables.accumulated_local_effects(build_model(table, formula), feature, table=table, job=job)
    assert 0 < job.done == job.total
    job.cancel()
    with pytest.raises(Cancelled):
        tables.accumulated_local_effects(build_model(table, formula), feature, table=table, job=job)
