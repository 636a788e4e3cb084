"""Explanations of one row: its prediction, its place on a feature's curve, and each method's bars."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.frame import url_state
from pages.ui.image import agreement
from pages.ui.tables import effects_view, page_context
from pages.ui.tables.page_context import PageContext
from pages.ui.widgets import background, forms, show
from xai_core import Job
from xai_core.arrays import Float32
from xai_core.formatting import number, percent, score
from xai_core.params import Value
from xai_core.render import tables as figures
from xai_core.tabular import (
    TABULAR_METHODS,
    Contributions,
    RowMethod,
    agreement_rows,
    explain_row,
    judge_rows,
    kernel_widths,
    rank_for_row,
)

MAX_CLASSES = 8


def hash_row(row: pd.DataFrame) -> str:
    """Return a short hash of a row's values, for keys."""
    return hashlib.sha256(repr(row.iloc[0].tolist()).encode()).hexdigest()[:24]


def render_prediction(page: PageContext, row: pd.DataFrame, before: pd.DataFrame, changed: Sequence[str]) -> Float32:
    """Write the prediction for the edited row and for the table's row; return the first.

    Probabilities (classes,) or a value (). The page passes it on: a forest takes as long for one row as for a hundred.
    """
    now = page.model.predict(row)[0]
    then = page.model.predict(before)[0] if changed else now
    if page.outcome is None:
        show.write_strong(f"The model says: {figures.number(float(now))}")
        if changed:
            show.write(f"Without your changes: {figures.number(float(then))}.", quiet=True)
        return np.asarray(now)
    best = int(now.argmax())
    show.write_strong(f"The model says: {page.table.classes[best]} ({percent(now[best])})")
    order = np.argsort(-now, kind="stable")[:MAX_CLASSES]
    classes = [page.table.classes[k] for k in order]
    show.draw_figure(figures.draw_bars(classes, now[order], "probability", shares=True), "prediction")
    if changed:
        show.write(
            f"Without your changes: {page.table.classes[int(then.argmax())]} ({percent(then.max())}).", quiet=True
        )
    return np.asarray(now)


def _find_first_feature(page: PageContext, row: pd.DataFrame) -> str | None:
    """Return the feature that could change this row's answer most, if none is chosen; None while it is computed."""
    if "feature" in url_state.query():
        return page.table.features[0]
    spreads = background.compute(
        ("rank", page.model.id, page.outcome, hash_row(row)),
        lambda _job: rank_for_row(page.model, row, outcome=page.outcome),
        "Looking for the feature that counts most",
    )
    return None if spreads is None else next(iter(spreads))


def render_curve(page: PageContext, row: pd.DataFrame, prediction: Float32) -> None:
    """Draw one feature's curve with this row's own line and its place on it.

    `prediction` is the return value of `render_prediction`.
    """
    first = _find_first_feature(page, row)
    if first is None:
        return
    title = "Where it stands, by feature"
    feature = page_context.render_feature_choice("feature", title, page.table, first, in_link=True)
    effect = effects_view.request_dependence(page, feature)
    if effect is None:
        return
    column = page.table.column(feature)
    many = row.loc[row.index.repeat(len(effect.grid))].reset_index(drop=True).assign(**{feature: effect.grid})
    value, score = row[feature].iloc[0], float(prediction if page.outcome is None else prediction[page.outcome])
    here = None
    # A missing value differs from itself.
    if value == value:
        here = (column.show(value) if column.kind in ("category", "boolean") else float(value), score)
    curve = effects_view.build_curve(page, effect, column)
    show.draw_figure(
        figures.draw_effect(curve, feature, page.words, own=page.model.score(many, page.outcome), here=here), "here"
    )


def _render_settings(spec: RowMethod) -> Mapping[str, Value]:
    with st.expander("Settings and caution"):
        params = forms.render_params(spec.params, 0, f"table_{spec.name}") if spec.params else {}
        show.write(spec.caution, quiet=True)
        show.write(spec.paper, quiet=True)
    return params


def _draw_bars(contributions: Contributions, spec: RowMethod, page: PageContext) -> None:
    words, shares = page.words, page.outcome is not None
    if spec.additive:
        show.draw_figure(
            figures.draw_waterfall(
                contributions.conditions, contributions.values, contributions.base, words, shares=shares
            ),
            f"bars_{spec.name}",
        )
    else:
        show.draw_figure(
            figures.draw_signed_bars(contributions.conditions, contributions.values, words, shares=shares),
            f"bars_{spec.name}",
        )


def _render_widths(page: PageContext, row: pd.DataFrame, spec: RowMethod, params: Mapping[str, Value]) -> None:
    """Render the method's results for several kernel widths."""
    with st.expander("What if “near” meant something else?"):
        if not st.toggle("Try other widths", key=f"{spec.name}_widths"):
            return
        explanations = kernel_widths(
            page.model, row, spec.name, outcome=page.outcome, params=params, seed=page.model.seed
        )
        names = page.table.features
        rows = [
            (
                number(explanation.width),
                score(max(explanation.r2, 0.0)),
                round(explanation.effective_samples),
                ", ".join(names[k] for k in np.argsort(-np.abs(explanation.weights))[:3]),
            )
            for explanation in explanations
        ]
        columns = ["Width", "Fit (R²)", "Rows that count", "Strongest features"]
        st.dataframe(
            pd.DataFrame(rows, columns=columns),
            hide_index=True,
            alt="How fit and strongest features change with the width.",
        )
        st.caption("If the strongest features change with the width, do not rely on one width alone.")


@dataclass(frozen=True)
class _MethodRequest:
    """One method's part of the page: the container of its bars, and their computation."""

    spec: RowMethod
    place: DeltaGenerator
    verdict_place: DeltaGenerator
    key: tuple[Hashable, ...]
    make: Callable[[Job[Contributions]], Contributions]


def _start_method(page: PageContext, row: pd.DataFrame, spec: RowMethod) -> _MethodRequest:
    """Render the method's title and settings, and start its job."""
    st.markdown(f"**{spec.full_title}**")
    place, verdict_place = st.container(), st.container()
    params = _render_settings(spec)
    if spec.fit_widths is not None:
        _render_widths(page, row, spec, params)

    def make(job: Job[Contributions]) -> Contributions:
        return explain_row(
            page.model, row, spec.name, outcome=page.outcome, params=params, seed=page.model.seed, job=job
        )

    request = _MethodRequest(
        spec, place, verdict_place, (spec.name, page.model.id, page.outcome, hash_row(row), tuple(params.items())), make
    )
    background.prefetch(request.key, make)
    return request


def _render_result(request: _MethodRequest, page: PageContext) -> Contributions | None:
    with request.place:
        result: Contributions | None = background.compute(
            request.key, request.make, f"Explaining with {request.spec.technical}"
        )
        if result is not None:
            _draw_bars(result, request.spec, page)
            show.write(request.spec.sentence, quiet=True)
    return result


def render_explanations(page: PageContext, row: pd.DataFrame) -> None:
    """Render each method that fits the model, two side by side, then their agreement."""
    specs = TABULAR_METHODS.specs()
    able = [spec for spec in specs if not spec.refusal(page.model)]
    requests: list[_MethodRequest] = []
    for start in range(0, len(able), 2):
        for spec, place in zip(able[start : start + 2], st.columns(2, gap="large"), strict=False):
            with place:
                requests.append(_start_method(page, row, spec))
    drawn = [_render_result(request, page) for request in requests]
    results = [result for result in drawn if result is not None]
    verdicts = dict(zip([result.method for result in results], judge_rows(results), strict=True))
    for request in requests:
        if request.spec.name in verdicts:
            with request.verdict_place:
                show.write_verdict(verdicts[request.spec.name])
    refused = [f"{spec.full_title}: {spec.refusal(page.model)}" for spec in specs if spec not in able]
    if refused:
        with st.expander(f"Not available for this model ({len(refused)})"):
            show.write_list(refused)
    if len(results) > 1:
        st.markdown("**How far do they agree?**")
        same = agreement_rows(results)
        show.write(same.sentence)
        agreement.draw_matrix(
            [TABULAR_METHODS.get(name).technical for name in same.methods],
            same.rank,
            same.overlap,
            "How far the methods agree",
        )
        st.caption(
            "From +1.00 (the same order) through 0 to −1.00 (the opposite); below it, how much of the three "
            "strongest they share."
        )
