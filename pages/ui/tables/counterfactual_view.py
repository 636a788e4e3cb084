"""Counterfactuals as sentences, with a rule for each feature that may not change freely."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.tables import direction_choice, row_choice
from pages.ui.tables.page_context import PageContext
from pages.ui.tables.row_view import hash_row
from pages.ui.widgets import background, show
from pages.ui.widgets.words import format_label
from xai_core.arrays import Float32
from xai_core.tabular import CAUTION, Counterfactuals, TargetOutcome, counterfactuals


def _render_class_choice(page: PageContext, prediction: Float32) -> int:
    """Render the choice of the target class; the default is the likeliest one that is not predicted."""
    order = np.argsort(-prediction, kind="stable").tolist()
    others = order[1:]
    words = [format_label(name) for name in page.table.classes]
    return int(
        st.selectbox(
            "It should say", others, format_func=words.__getitem__, key=f"wanted_{page.table.sha256[:12]}_{order[0]}"
        )
    )


def _render_range_choice(page: PageContext, row: pd.DataFrame, prediction: Float32) -> tuple[float, float]:
    """Render the choice of the target range; it starts a bit above the prediction."""
    lowest = float(f"{float(prediction) + float(np.std(page.table.target)) / 2:.3g}")
    left, right = st.columns(2)
    low = left.number_input("At least", value=lowest, key=f"wanted_low_{hash_row(row)}")
    high = right.number_input("At most", value=None, key=f"wanted_high_{hash_row(row)}", placeholder="no limit")
    return float(low), float("inf") if high is None else float(high)


def _render_changes(page: PageContext, number: int, result: Counterfactuals) -> None:
    show.write(result.note)
    for place, change in enumerate(result.changes):
        with st.container(border=True):
            show.write(change.sentence)
            values = {name: new for name, (_, new) in change.changed.items()}
            st.button(
                "Try it in the form",
                key=f"try_change_{place}",
                on_click=row_choice.set_values,
                args=(page.table, number, values),
                icon=":material/edit:",
            )
    if result.changes:
        show.write(
            f"{CAUTION} Each was checked by asking the model; {result.evaluations:,} rows were tried.", quiet=True
        )


def render(page: PageContext, number: int, row: pd.DataFrame, prediction: Float32) -> None:
    """Render the target and the rules of features, and the smallest changes; `prediction` is of this row."""
    target: TargetOutcome = (
        _render_range_choice(page, row, prediction) if page.outcome is None else _render_class_choice(page, prediction)
    )
    rules = direction_choice.render(page.table)
    request = (page.model.id, hash_row(row), target, tuple(sorted(rules.items())))
    if st.button("Find the smallest changes", type="primary", icon=":material/alt_route:"):
        st.session_state["changes_for"] = request
    if st.session_state.get("changes_for") != request:
        return
    result = background.compute(
        ("changes", *request),
        lambda job: counterfactuals(page.model, row, target, directions=rules, seed=page.model.seed, job=job),
        "Looking for small changes",
        cost=100.0,
    )
    if result is not None:
        _render_changes(page, number, result)
