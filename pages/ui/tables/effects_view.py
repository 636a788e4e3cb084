"""Effects of one feature or two: partial dependence with single rows' lines, and accumulated local effects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.tables import importance_view, page_context
from pages.ui.tables.page_context import PageContext
from pages.ui.widgets import background, forms, show
from pages.ui.widgets.words import format_label
from xai_core.render import tables as figures
from xai_core.tabular import (
    Column,
    Effect,
    Effect2D,
    Table,
    accumulated_local_effects,
    accumulated_local_effects_2d,
    partial_dependence,
    partial_dependence_2d,
)

NOTHING = ""
KINDS = {"pdp": "Average prediction (partial dependence)", "ale": "What both do together (accumulated local effects)"}


def request_dependence(page: PageContext, feature: str) -> Effect | None:
    """Return the partial dependence of a feature with the lines of a sample of rows, None while it is computed."""
    most = figures.MAX_LINES
    return background.compute(
        ("pdp", page.model.id, feature, page.outcome),
        lambda job: partial_dependence(page.model, feature, sample=most, outcome=page.outcome, job=job),
        "Asking the model about other values",
    )


def _request_ale(page: PageContext, feature: str) -> Effect | None:
    return background.compute(
        ("ale", page.model.id, feature, page.outcome),
        lambda job: accumulated_local_effects(page.model, feature, outcome=page.outcome, job=job),
        "Asking the model about nearby values",
    )


def build_curve(
    page: PageContext, effect: Effect, column: Column, *, centred: bool = False, differences: bool = False
) -> figures.Curve:
    """Return the figure's data of an effect: categories and booleans by name, dates in words.

    `centred`: all lines start at 0. `differences`: the values are differences from the mean.
    """
    curve = _build_curve(effect, column, centred=centred)
    return replace(curve, shares=page.outcome is not None, differences=centred or differences)


def _build_curve(effect: Effect, column: Column, *, centred: bool) -> figures.Curve:
    average = effect.centred_average if centred else effect.average
    individual = effect.centred_lines if centred else effect.individual
    counts, edges = effect.distribution.counts, effect.distribution.edges
    if effect.categorical:
        order = [list(edges).index(name) if name in edges else -1 for name in effect.grid]
        return figures.Curve(
            [str(name) for name in effect.grid],
            average,
            individual,
            counts=np.array([counts[k] if k >= 0 else 0 for k in order]),
        )
    if column.kind == "boolean":
        ends = counts[[0, -1]] if len(effect.grid) > 1 else counts[:1]
        return figures.Curve([column.show(value) for value in effect.grid], average, individual, counts=ends)
    texts = [column.show(value) for value in effect.grid] if column.kind == "date" or column.holds_years else None
    return figures.Curve(effect.grid, average, individual, edges, counts, effect.empty, texts)


def _build_colouring(table: Table, name: str, rows: npt.NDArray[np.integer]) -> figures.Colouring | None:
    if not name:
        return None
    column, cells = table.column(name), table.frame[name].iloc[rows]
    words = column.kind in ("category", "boolean")
    values: list[Any] = [column.show(value) for value in cells] if words else cells.tolist()
    return figures.Colouring(name, values, column.show)


def _render_colour_choice(table: Table, feature: str) -> str:
    names = [NOTHING, *(name for name in table.features if name != feature)]
    words = {NOTHING: "Nothing"} | {name: format_label(name) for name in names if name}
    key = url_state.restore(
        "colour",
        NOTHING,
        url_state.option_reader("column to choose", (NOTHING, *table.features)),
        key=f"colour_of_{table.sha256[:12]}",
        title=lambda name: "lines of one colour" if name == NOTHING else format_label(name),
    )
    if st.session_state[key] not in names:
        url_state.set_value(key, NOTHING)
    return str(st.selectbox("Colour the lines by", names, url_state.index_of(names, key), words.__getitem__, key=key))


def list_by_importance(page: PageContext, name: str) -> list[str] | None:
    """Return the features, the one that counts most first; as they are where `name` is chosen, None while computed."""
    features = list(page.table.features)
    if name in url_state.query():
        return features
    importance = importance_view.request_importance(page, importance_view.AUTOMATIC)
    return None if importance is None else [importance.features[place] for place in importance.order]


def render_one_feature(page: PageContext) -> None:
    """Render partial dependence and accumulated local effects of one feature side by side."""
    features = list_by_importance(page, "feature")
    if features is None:
        return
    left, middle, right = st.columns(3, gap="large", vertical_alignment="bottom")
    with left:
        feature = page_context.render_feature_choice("feature", "Feature", page.table, features[0], in_link=True)
    with middle:
        colour = _render_colour_choice(page.table, feature)
    with right:
        centred = forms.render_toggle(
            "centred",
            "Start all lines at 0",
            "Then only their shape differs: lines that run apart mean that other features matter.",
        )
    column = page.table.column(feature)
    effect, ale = request_dependence(page, feature), None
    if effect is None:
        return
    pdp_column, ale_column = st.columns(2, gap="large")
    with pdp_column:
        st.markdown("**If only this feature were different** *(partial dependence and single rows: PDP and ICE)*")
        words = f"change of {page.words}" if centred else page.words
        colouring = _build_colouring(page.table, colour, effect.rows)
        show.draw_figure(
            figures.draw_effect(
                build_curve(page, effect, column, centred=centred), feature, words, colouring=colouring
            ),
            "pdp",
        )
        show.write_list(effect.notes)
    with ale_column:
        st.markdown("**Only where there are rows** *(accumulated local effects, ALE)*")
        ale = _request_ale(page, feature)
        if ale is not None:
            words = f"change of {page.words}"
            show.draw_figure(
                figures.draw_effect(
                    build_curve(page, ale, column, differences=True), feature, words, name="Effect, 0 on average"
                ),
                "ale",
            )
            show.write_list(ale.notes)
    st.caption(
        "On the left every row gets the same value of this feature and keeps all others; a thin line is one "
        "row. On the right rows move a "
        "little only, so that no impossible rows arise. Where the two curves differ, trust the right one."
    )


def _request_pair(page: PageContext, kind: str, first: str, second: str) -> Effect2D | None:
    def make(job: Any) -> Effect2D:
        if kind == "pdp":
            return partial_dependence_2d(page.model, (first, second), outcome=page.outcome, job=job)
        return accumulated_local_effects_2d(page.model, (first, second), outcome=page.outcome, job=job)

    return background.compute(
        (kind, page.model.id, first, second, page.outcome), make, "Asking the model about pairs of values"
    )


def render_two_features(page: PageContext) -> None:
    """Render the joint effect of two features."""
    names = page.table.features
    if len(names) < 2:
        show.write("This table has one feature only.")
        return
    features = list_by_importance(page, "with")
    if features is None:
        return
    left, middle, right = st.columns(3, gap="large")
    with left:
        first = page_context.render_feature_choice("feature", "Feature", page.table, features[0], in_link=True)
    with middle:
        partner = next(name for name in features if name != first)
        second = page_context.render_feature_choice("with", "And", page.table, partner, in_link=True)
    with right:
        key = url_state.restore(
            "pairs", "pdp", url_state.option_reader("kind of effect", KINDS), title=KINDS.__getitem__
        )
        kind = st.selectbox("Show", list(KINDS), url_state.index_of(KINDS, key), KINDS.__getitem__, key=key)
    if first == second:
        show.write_problem("Choose two different features.")
        return
    effect = _request_pair(page, kind, first, second)
    if effect is None:
        return
    grids = [
        [page.table.column(name).show(value) for value in grid] if page.table.column(name).kind != "numeric" else grid
        for name, grid in zip(effect.features, effect.grids, strict=True)
    ]
    signed = kind == "ale"
    words = f"{page.words}: more than each alone" if signed else page.words
    show.draw_figure(
        figures.draw_effect_2d(
            grids[0],
            grids[1],
            effect.average,
            effect.empty,
            effect.features,
            words,
            signed=signed,
            shares=page.outcome is not None,
        ),
        "pair",
    )
    show.write_list(effect.notes)
