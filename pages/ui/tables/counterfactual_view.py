"""What would have to be different for another answer? Counterfactuals as sentences, with locks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.tables import row_choice
from pages.ui.tables.page_context import Head
from pages.ui.tables.row_view import key_of
from pages.ui.widgets import background, show
from xai_core.results import Floats
from xai_core.tabular.row.counterfactual import CAUTION, Counterfactuals, Wanted, counterfactuals


def _class(of: Head, said: Floats) -> int:
    """The wanted class: the likeliest one that the model does not say."""
    order = np.argsort(-said, kind="stable").tolist()
    others = order[1:]
    words = [show.label(name) for name in of.table.classes]
    return int(
        st.selectbox(
            "It should say", others, format_func=words.__getitem__, key=f"wanted_{of.table.sha256[:12]}_{order[0]}"
        )
    )


def _range(of: Head, row: pd.DataFrame, said: Floats) -> tuple[float, float]:
    """The wanted range of a number: from a bit above the prediction on."""
    lowest = float(f"{float(said) + float(np.std(of.table.target)) / 2:.3g}")
    left, right = st.columns(2)
    low = left.number_input("At least", value=lowest, key=f"wanted_low_{key_of(row)}")
    high = right.number_input("At most", value=None, key=f"wanted_high_{key_of(row)}", placeholder="no limit")
    return float(low), float("inf") if high is None else float(high)


def _show(of: Head, number: int, found: Counterfactuals) -> None:
    show.say(found.note)
    for place, each in enumerate(found.changes):
        with st.container(border=True):
            show.say(each.sentence)
            values = {name: new for name, (_, new) in each.changed.items()}
            st.button(
                "Try it in the form",
                key=f"try_change_{place}",
                on_click=row_choice.change,
                args=(of.table, number, values),
                icon=":material/edit:",
            )
    if found.changes:
        show.say(f"{CAUTION} Each was checked by asking the model; {found.tried:,} rows were tried.", quiet=True)


def draw(of: Head, number: int, row: pd.DataFrame, said: Floats) -> None:
    """Choose what is wanted and what may not change; the smallest changes that reach it. `said` is the prediction for the row."""
    left, right = st.columns(2, gap="large")
    with left:
        wanted: Wanted = _range(of, row, said) if of.outcome is None else _class(of, said)
    with right:
        start = [of.table.protected] if of.table.protected in of.table.features else []
        key = f"locked_{of.table.sha256[:12]}"
        locked = st.multiselect(
            "What may not change", list(of.table.features), start, show.label, key=key, placeholder="Nothing is locked"
        )
    asked = (of.model.id, key_of(row), wanted, tuple(sorted(locked)))
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
        _show(of, number, found)
