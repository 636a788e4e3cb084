"""Explanations side by side: four methods of one picture, or any rows and columns; maps appear as they get ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.image import agreement, classes, matrix, panels, permalinks, picture
from pages.ui.trust import badge
from pages.ui.widgets import background, forms


def _render_order() -> panels.Order | None:
    """Render the choice of the order of maps within a row."""
    names = list(agreement.ORDERS)
    key = url_state.restore(
        "sort", "cost", url_state.option_reader("order", names), title=lambda name: agreement.ORDERS[name][0]
    )
    name = st.selectbox(
        "Sort by", names, url_state.index_of(names, key), format_func=lambda name: agreement.ORDERS[name][0], key=key
    )
    return agreement.ORDERS[name][1]


def _render_agreement(requests: Sequence[panels.MapRequest], results: Mapping[str, xai_core.Attribution]) -> None:
    """Render a table for each row with two maps or more."""
    rows = {
        row: [request for request in requests if request.row == row and request.name in results]
        for row in dict.fromkeys(request.row for request in requests)
    }
    rows = {row: ready for row, ready in rows.items() if len(ready) > 1}
    if not rows:
        return
    st.subheader("How far do the maps agree?")
    for row, ready in rows.items():
        agreement.render(
            [
                xai_core.METHODS.get(request.method).technical if not request.title else request.title
                for request in ready
            ],
            [results[request.name] for request in ready],
            row,
        )
    st.caption(
        "The numbers in the table go from +1.00 (the same places, in the same order) through 0 (nothing in common) to "
        "−1.00 (the opposite). The small number is the part of the strongest tenth that both maps share; by chance it "
        "would be 10 %. "
        "Before they are compared, all maps are averaged over places of one size, a sixteenth of the picture's side."
    )


st.title("Explanations side by side")
page = picture.render_head()
background.begin()
with st.container(horizontal=True, vertical_alignment="center"):
    st.subheader(classes.format_question(page.model, page.target))
    folded = st.popover("What to compare", icon=":material/grid_view:", width="content")
with folded:
    choices = st.container()
    left, right = st.columns(2, gap="large")
    with left:
        order = _render_order()
    with right:
        seed = forms.render_seed()
    with choices:
        requests = matrix.render_choices(
            matrix.Subject(page.model, page.image, page.original, page.target, page.chosen_target, seed)
        )
    st.caption("The Explain page has every setting of a method. To share this view, copy the link in your address bar.")
    if session.has_own_picture():
        st.caption(
            "Your own picture is not included: whoever opens the link sees the sample instead. “Make a link” below "
            "can share it."
        )
results = panels.render_maps(requests, page.model_input, "compare", order)
badge.render_tests(requests, results)
_render_agreement(requests, results)
background.end()
permalinks.render_buttons(
    {request.planned.id: results[request.name] for request in requests if request.planned and request.name in results},
    "whybox-maps.npz",
    "compare",
)
