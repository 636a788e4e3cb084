"""Sanity test of a method on the page: on request, for it takes many maps."""

from __future__ import annotations

from functools import partial

import streamlit as st

import xai_core
from pages.ui.frame.session import session_id
from pages.ui.image.picture import PageContext
from pages.ui.widgets import background, forms, show
from xai_core import render, trust
from xai_core.render import tables

_HOW = """
A copy of the network gets **shuffled weights**: every weight is still there, but in another place, so the copy knows
nothing. Layer by layer from the last one on, three times at random. Each time the method explains the same class.

If the map stays the same, it does not depend on what the network has learnt: it shows edges or the middle of the
picture, not reasons. That speaks **against** the method (Adebayo et al. 2018).

If the map changes, that says **nothing**: random noise changes too. So there is no green mark to win here.

How similar is "the same"? The upper line is the similarity of two maps with the right weights, made by two seeds. The
lower line is the similarity to the maps of other pictures. The network you use is not touched: copies are shuffled.
"""


def render_method(page: PageContext, planned: xai_core.Plan) -> None:
    """Render the record of the method and the test on this picture."""
    spec = planned.spec
    st.subheader("Does the map depend on what the network has learnt?")
    show.write(f"Published: {spec.sanity}" if spec.sanity else "Nobody has published this test for the method.")
    if not forms.render_toggle("sanity", f"Test it here, about {trust.count_work(planned):,} pictures", _ASK_HELP):
        _render_help()
        return
    result = background.follow(
        ("randomization", planned.id),
        partial(trust.start_randomization, planned, session_id()),
        "Shuffling weights and making the map again",
    )
    if result is not None:
        _render_result(page, result)
    _render_help()


_ASK_HELP = "It makes the map again by networks with shuffled weights. It runs in the background and can be stopped."


def _render_help() -> None:
    with st.expander("How does this test work?", icon=":material/help:"):
        st.markdown(_HOW)


def _render_result(page: PageContext, result: trust.Randomization) -> None:
    sentence, meaning = trust.describe_randomization(result)
    if (check := trust.check_randomization(result)) is not None:
        show.write_check(check)
    else:
        show.write_strong(sentence)
        show.write(meaning)
    show.write(trust.describe_similarity(result), quiet=True)
    if result.is_coarse:
        show.write("Tested with coarse settings: the usual ones would take too long.", quiet=True)
    left, middle, right = st.columns([1, 1, 2], gap="medium")
    for column, title, heat in (
        (left, "Right weights", result.original),
        (middle, "Shuffled weights", result.shuffled),
    ):
        with column:
            drawn = render.overlay(page.model_input, heat.astype("float32"))
            st.image(drawn, caption=title, alt=f"Map with {title.lower()}", width="stretch")
    with right:
        rows = {
            "from the last layer on": result.similarity.tolist(),
            "this layer alone": result.independent[result.measure].mean(axis=1).tolist(),
        }
        show.draw_figure(
            tables.draw_similarity(result.layers, rows, result.ceiling, result.floor, trust.MEASURES[result.measure]),
            "sanity_curve",
        )
