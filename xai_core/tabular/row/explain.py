"""Why did the model say that of this row? One way in for all methods that explain a single row, and the checks on what they find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xai_core.engine.jobs import Job
from xai_core.errors import NotApplicable
from xai_core.params import check_seed, resolve
from xai_core.registry import Registry
from xai_core.results import Check
from xai_core.tabular.data.cell_format import format_cell
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.row import gradients, lime, shap
from xai_core.tabular.row.lime import Surrogate
from xai_core.tabular.row.method import Contributions, RawRow, RowMethod, RowRequest

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

__all__ = ["TABULAR_METHODS", "Contributions", "RowMethod", "explain_row", "kernel_widths"]

GOOD, POOR = 0.01, 0.1
TABULAR_METHODS: Registry[RowMethod] = Registry("method for one row")
"""Those that work with every model first."""
for _spec in (lime.SPEC, shap.SPEC, gradients.INTEGRATED_GRADIENTS, gradients.DEEP_LIFT):
    TABULAR_METHODS.add(_spec)


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
    """What each feature of one row did to the model's answer: the probability of class `outcome`, or the value of a regression.

    `row` is a frame of one row with the table's columns. `job` counts rows asked of the model and can stop.
    Raises UnknownName (method, parameter, category), InvalidParam, InvalidTable (not one row, a column missing), NotApplicable, Cancelled.
    """
    spec = TABULAR_METHODS.get(method)
    request = _request(model, row, spec, outcome, params, seed, job)
    raw = spec.run(request)
    table = model.table
    return Contributions(
        method=spec.name,
        features=request.codes.names,
        conditions=raw.conditions or _own_values(request),
        values=raw.values,
        base=raw.base,
        score=request.score,
        unit="probability" if table.task == "classification" else table.target_name,
        outcome=request.outcome,
        params=request.params,
        seed=seed,
        checks=(*_checks(spec, raw, request), *raw.checks),
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
    """How a method's answer depends on its kernel width: the simple sum for each of `lime.WIDTHS`.

    Raises as `explain_row` does, and NotApplicable for a method without a kernel.
    """
    spec = TABULAR_METHODS.get(method)
    if spec.fit_widths is None:
        raise NotApplicable(f"{spec.title} ({spec.technical}) does not depend on what counts as near. Take lime.")
    return spec.fit_widths(_request(model, row, spec, outcome, params, seed, None))


def _request(
    model: TabularModel,
    row: pd.DataFrame,
    spec: RowMethod,
    outcome: int | None,
    params: Mapping[str, object] | None,
    seed: int,
    job: Job[Any] | None,
) -> RowRequest:
    reason = spec.refusal(model)
    if reason:
        raise NotApplicable(reason)
    chosen, codes = resolve(spec.params, params, 0), RowEncoder.of(model.table)
    meant = model.table.outcome_index(outcome)
    typed = codes.decode(codes.encode_row(row)[None])  # own types and order of columns, whatever the caller's frame has
    return RowRequest(model, typed, meant, chosen, np.random.default_rng(check_seed(seed)), job or Job())


def _own_values(request: RowRequest) -> tuple[str, ...]:
    cells = [request.codes.decode_cell(place, code) for place, code in enumerate(request.start)]
    pairs = zip(request.codes.columns, cells, strict=True)
    return tuple(
        f"{column.name} is missing" if cell is None else f"{column.name} = {format_cell(column, cell)}"
        for column, cell in pairs
    )


def _checks(spec: RowMethod, raw: RawRow, request: RowRequest) -> tuple[Check, ...]:
    broken = int(np.count_nonzero(~np.isfinite(raw.values)))
    if broken:
        return (
            Check(
                "finite",
                "red",
                f"{broken} of the bars are not numbers: the computation broke down. Do not use them.",
                float(broken),
            ),
        )
    flat = (
        ()
        if np.abs(raw.values).max() > 0
        else (Check("flat", "amber", "No feature moves the answer of this row at all.", 0.0),)
    )
    return (*flat, *((_adds_up(raw, request),) if spec.additive else ()))


def _adds_up(raw: RawRow, request: RowRequest) -> Check:
    """Green up to a gap of 1 % of score - base, amber up to 10 %, red above."""
    change = request.score - raw.base
    gap = abs(float(raw.values.sum()) - change) / max(abs(change), request.smallest)
    percent = f"{100 * gap:.1f} %" if gap < 10 else "far more than 100 %"
    if gap <= GOOD:
        return Check("sum", "green", f"The start and all bars add up to the model's answer (off by {percent}).", gap)
    if gap <= POOR:
        return Check(
            "sum", "amber", f"The start and all bars miss the model's answer by {percent}: read them with care.", gap
        )
    return Check(
        "sum", "red", f"The start and all bars miss the model's answer by {percent}: do not rely on them.", gap
    )
