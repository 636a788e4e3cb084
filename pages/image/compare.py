"""Explanations side by side: four methods of one picture, or any rows and columns, each map appearing as soon as it is ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.image import agreement, classes, matrix, panels, permalinks, picture
from pages.ui.widgets import forms


def _order() -> panels.Order | None:
    """What the maps of a row are sorted by."""
    key = url_state.restore("sort", "cost", url_state.option_reader("order", agreement.ORDERS))
    names = list(agreement.ORDERS)
    name = st.selectbox(
        "Sort by", names, url_state.index_of(names, key), format_func=lambda name: agreement.ORDERS[name][0], key=key
    )
    return agreement.ORDERS[name][1]


def _agreement(asks: Sequence[panels.MapRequest], found: Mapping[str, xai_core.Attribution]) -> None:
    """A table for every row with two maps or more."""
    rows = {
        row: [ask for ask in asks if ask.row == row and ask.name in found]
        for row in dict.fromkeys(ask.row for ask in asks)
    }
    rows = {row: ready for row, ready in rows.items() if len(ready) > 1}
    if not rows:
        return
    st.subheader("How far do the maps agree?")
    st.markdown(
        "From +1.00 (the same places, in the same order) over 0 (nothing in common) to −1.00 (the opposite). "
        "The small number is how much of the strongest tenth both maps share; by chance it would be 10 %."
    )
    for row, ready in rows.items():
        if row:
            st.markdown(f"**{row}**")
        agreement.draw_table(
            [ask.title or xai_core.METHODS.get(ask.method).title for ask in ready], [found[ask.name] for ask in ready]
        )


st.title("Explanations side by side")
head = picture.render_head()
st.subheader(classes.format_question(head.model, head.target))
with st.expander("What to compare", icon=":material/grid_view:"):
    chosen = st.container()
    left, right = st.columns(2, gap="large")
    with left:
        order = _order()
    with right:
        seed = forms.render_seed()
    with chosen:
        asks = matrix.render_choices(matrix.Subject(head.model, head.image, head.target, head.wish, seed))
    st.caption(
        "Every setting of a method is on the page Explain. The link in your address bar shows this view to others."
    )
    if session.has_own_picture():
        st.caption(
            "Your own picture is not part of it: who opens it sees the sample instead. “Make a link”, below, can keep your picture."
        )
found = panels.render_maps(asks, head.seen, "compare", order)
_agreement(asks, found)
permalinks.render_buttons(
    {ask.planned.id: found[ask.name] for ask in asks if ask.planned and ask.name in found}, "whybox-maps.npz"
)
