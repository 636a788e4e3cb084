"""Explanations of a single row: one entry point for all methods, and the checks on their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xai_core.engine.jobs import Job
from xai_core.errors import NotApplicable
from xai_core.formatting import percent
from xai_core.params import check_seed, resolve
from xai_core.results import Check
from xai_core.tabular.data.cell_format import format_cell
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.row import methods  # noqa: F401  # registers the methods
from xai_core.tabular.row.method import (
    TABULAR_METHODS,
    Contributions,
    RawContributions,
    RowMethod,
    RowRequest,
    Surrogate,
)

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

__all__ = ["TABULAR_METHODS", "Contributions", "RowMethod", "explain_row", "kernel_widths"]

# Gap of the sum, as a share of score - base, up to which the check is green or amber.
GOOD, POOR = 0.01, 0.1


def explain_row(
    model: TabularModel,
    row: pd.DataFrame,
    method: str = "lime",
    *,
    outcome: int | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> Contributions:
    """Return each feature's contribution to the probability of class `outcome`, or to the value of a regression.

    `row` is a frame of one row with the table's columns. `job` counts rows asked of the model and can stop.

    Raises: UnknownName (method, parameter, category), InvalidParam, InvalidTable (not one row, a column missing),
    NotApplicable (a model that the method cannot explain), Cancelled.

    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import TabularModel, table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [0.0, 2.0, 1.0]}), [1.0, 6.0, 5.0])
    >>> model = TabularModel.of_estimator(LinearRegression().fit(table.frame, table.target), table)
    >>> explain_row(model, table.take([0]), "shap").values.round(3).tolist()
    [-1.0, -2.0]
    """
    spec = TABULAR_METHODS.get(method)
    seed = check_seed(seed)
    request = _build_request(model, row, spec, outcome, params, seed, job or Job())
    raw = spec.run(request)
    table = model.table
    return Contributions(
        method=spec.name,
        features=request.codes.names,
        conditions=raw.conditions or _describe_cells(request),
        values=raw.values,
        base=raw.base,
        score=request.score,
        unit="probability" if table.task == "classification" else table.target_name,
        outcome=request.outcome,
        params=request.params,
        seed=seed,
        checks=(*_build_checks(spec, raw, request), *raw.checks),
        details=raw.details,
    )


def kernel_widths(
    model: TabularModel,
    row: pd.DataFrame,
    method: str = "lime",
    *,
    outcome: int | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
) -> tuple[Surrogate, ...]:
    """Return a method's surrogate for each of several kernel widths.

    Raises as `explain_row` does, and NotApplicable for a method without a kernel.

    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import TabularModel, table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [0.0, 2.0, 1.0]}), [1.0, 6.0, 5.0])
    >>> model = TabularModel.of_estimator(LinearRegression().fit(table.frame, table.target), table)
    >>> [surrogate.width for surrogate in kernel_widths(model, table.take([0]), params={"samples": 100})]
    [0.35, 0.5, 0.7, 1.0, 1.5, 2.5, 5.0]
    """
    spec = TABULAR_METHODS.get(method)
    if spec.fit_widths is None:
        raise NotApplicable(f"{spec.full_title} does not depend on what counts as near. Take lime.")
    return spec.fit_widths(_build_request(model, row, spec, outcome, params, check_seed(seed), Job()))


def _build_request(
    model: TabularModel,
    row: pd.DataFrame,
    spec: RowMethod,
    outcome: int | None,
    params: Mapping[str, object] | None,
    seed: int,
    job: Job[Any],
) -> RowRequest:
    reason = spec.refusal(model)
    if reason:
        raise NotApplicable(reason)
    values, codes = resolve(spec.params, params, 0), RowEncoder.of(model.table)
    index = model.table.outcome_index(outcome)
    # Own types and order of columns, whatever the caller's frame has.
    typed = codes.decode(codes.encode_row(row)[None])
    return RowRequest(model, typed, index, values, np.random.default_rng(seed), job)


def _describe_cells(request: RowRequest) -> tuple[str, ...]:
    """Return the row's own values as conditions: "income = 4,000", "rate is missing"."""
    conditions = []
    for index, (column, code) in enumerate(zip(request.codes.columns, request.coded_row, strict=True)):
        cell = request.codes.decode_cell(index, code)
        words = "is missing" if cell is None else f"= {format_cell(column, cell)}"
        conditions.append(f"{column.name} {words}")
    return tuple(conditions)


def _build_checks(spec: RowMethod, raw: RawContributions, request: RowRequest) -> tuple[Check, ...]:
    broken = int(np.count_nonzero(~np.isfinite(raw.values)))
    if broken:
        sentence = f"{broken} of the bars are not numbers: the computation broke down. Do not use them."
        return (Check("finite", "red", sentence, float(broken)),)
    checks = []
    if not np.abs(raw.values).max() > 0:
        checks.append(Check("flat", "amber", "No feature moves the answer of this row at all.", 0.0))
    if spec.additive:
        checks.append(_check_sum(raw, request))
    return tuple(checks)


def _check_sum(raw: RawContributions, request: RowRequest) -> Check:
    """Return green up to a gap of 1 % of score - base, amber up to 10 %, red above."""
    change = request.score - raw.base
    gap = abs(float(raw.values.sum()) - change) / max(abs(change), request.min_change)
    share = percent(gap) if gap < 10 else "far more than 100 %"
    if gap <= GOOD:
        return Check("sum", "green", f"The start and all bars add up to the model's answer (off by {share}).", gap)
    sentence = f"The start and all bars miss the model's answer by {share}"
    if gap <= POOR:
        return Check("sum", "amber", f"{sentence}: read them with care.", gap)
    return Check("sum", "red", f"{sentence}: do not rely on them.", gap)
