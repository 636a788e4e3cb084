"""What would have to be different for another answer? Counterfactuals as sentences, with locks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.tables import row_choice
from pages.ui.tables.page_context import PageContext
from pages.ui.tables.row_view import hash_row
from pages.ui.widgets import background, show
from pages.ui.widgets.words import format_label
from xai_core.results import Floats
from xai_core.tabular.row.counterfactual import CAUTION, Counterfactuals, TargetOutcome, counterfactuals


def _render_class_choice(of: PageContext, said: Floats) -> int:
    """The wanted class: the likeliest one that the model does not say."""
    order = np.argsort(-said, kind="stable").tolist()
    others = order[1:]
    words = [format_label(name) for name in of.table.classes]
    return int(
        st.selectbox(
            "It should say", others, format_func=words.__getitem__, key=f"wanted_{of.table.sha256[:12]}_{order[0]}"
        )
    )


def _render_range_choice(of: PageContext, row: pd.DataFrame, said: Floats) -> tuple[float, float]:
    """The wanted range of a number: from a bit above the prediction on."""
    lowest = float(f"{float(said) + float(np.std(of.table.target)) / 2:.3g}")
    left, right = st.columns(2)
    low = left.number_input("At least", value=lowest, key=f"wanted_low_{hash_row(row)}")
    high = right.number_input("At most", value=None, key=f"wanted_high_{hash_row(row)}", placeholder="no limit")
    return float(low), float("inf") if high is None else float(high)


def _render_changes(of: PageContext, number: int, found: Counterfactuals) -> None:
    show.write(found.note)
    for place, each in enumerate(found.changes):
        with st.container(border=True):
            show.write(each.sentence)
            values = {name: new for name, (_, new) in each.changed.items()}
            st.button(
                "Try it in the form",
                key=f"try_change_{place}",
                on_click=row_choice.set_values,
                args=(of.table, number, values),
                icon=":material/edit:",
            )
    if found.changes:
        show.write(
            f"{CAUTION} Each was checked by asking the model; {found.evaluations:,} rows were tried.", quiet=True
        )


def render(of: PageContext, number: int, row: pd.DataFrame, said: Floats) -> None:
    """Choose what is wanted and what may not change; the smallest changes that reach it. `said` is the prediction for the row."""
    left, right = st.columns(2, gap="large")
    with left:
        wanted: TargetOutcome = (
            _render_range_choice(of, row, said) if of.outcome is None else _render_class_choice(of, said)
        )
    with right:
        start = [of.table.protected] if of.table.protected in of.table.features else []
        key = f"locked_{of.table.sha256[:12]}"
        locked = st.multiselect(
            "What may not change",
            list(of.table.features),
            start,
            format_label,
            key=key,
            placeholder="Nothing is locked",
        )
    asked = (of.model.id, hash_row(row), wanted, tuple(sorted(locked)))
    if st.button("Find the smallest changes", type="primary", icon=":material/alt_route:"):
        st.session_state["changes_for"] = asked
    if st.session_state.get("changes_for") != asked:
        return
    found = background.compute(
        ("changes", *asked),
        lambda job: counterfactuals(of.model, row, wanted, locked=locked, seed=of.model.seed, job=job),
        "Looking for small changes",
        cost=100.0,
    )
    if found is not None:
        _render_changes(of, number, found)
