"""Hiding test of one map on the page: two sentences, a picture and the curves."""

from __future__ import annotations

from functools import partial

import streamlit as st

import xai_core
from pages.ui.frame.session import session_id
from pages.ui.image.picture import PageContext
from pages.ui.widgets import background, forms, show
from xai_core import trust
from xai_core.formatting import duration, number
from xai_core.render import tables

_HOW = """
The picture is cut into pieces. The pieces that the map calls strongest are hidden first, then more and more, and each
time the model is asked again. If the map is right about the model, the answer falls early. Then the same with the
weakest pieces first: now the answer should hold for long. The area between the two curves is one number for both, the
**symmetric relevance gain** (Blücher et al. 2024). It hardly depends on how pieces are hidden; deletion or insertion
alone depend on it a lot.

Hidden pieces are strange pictures for a model, so the answer may fall for that reason too. That is why the map has to
beat **shifted copies of itself**: the same shapes in other places. If most copies do as well, the places of this map
say little, whatever the curves look like.

A good result says that the map follows the model. It does not say that the model is right.
"""


def render(page: PageContext, planned: xai_core.Plan, result: xai_core.Attribution) -> None:
    """Render the test of a map that is finished."""
    st.subheader("Does the answer fall when the strongest places are hidden?")
    pieces = forms.render_segments("pieces", "Hide", trust.PIECES, "grid")
    if planned.spec.random:
        _render_seed_range(planned, result, pieces)
    test = background.follow(
        ("faithfulness", result.image_sha256, planned.id, pieces),
        partial(trust.start_faithfulness, page.model, page.image, result, 0, pieces, session_id()),
        "Hiding piece by piece",
    )
    if test is None:
        return
    first, *rest = trust.describe_faithfulness(test)
    show.write_strong(first)
    for sentence in rest:
        show.write(sentence)
    if test.comparison is not None:
        _render_picture_and_curves(page, result, test, pieces)
    _render_details(test)
    with st.expander("How does this test work?", icon=":material/help:"):
        st.markdown(_HOW)


def _render_seed_range(planned: xai_core.Plan, result: xai_core.Attribution, pieces: str) -> None:
    gains = background.compute(
        ("seed spread", planned.id, pieces),
        lambda job: trust.measure_seed_range(planned, pieces, job),
        "Making the map with three seeds",
        cost=trust.SEEDS * planned.weight,
    )
    if gains is not None:
        show.write(trust.describe_seed_range(gains))


def _render_picture_and_curves(
    page: PageContext, result: xai_core.Attribution, test: trust.Faithfulness, pieces: str
) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        hidden = trust.hide_top(page.model, page.image, result, pieces=pieces)
        st.image(
            hidden,
            caption="Without the strongest tenth of the map",
            alt="The picture as the model sees it, the strongest tenth of the map blurred",
            width="stretch",
        )
    with right:
        insertion, deletion = test.insertion, test.deletion
        most = (deletion.share.tolist(), deletion.mean.tolist(), deletion.probability.tolist())
        least = (
            (1 - insertion.share[::-1]).tolist(),
            insertion.mean[::-1].tolist(),
            insertion.probability[::-1].tolist(),
        )
        show.draw_figure(tables.draw_hiding(most, least, test.label, test.gain), "hiding_curves")


def _render_details(test: trust.Faithfulness) -> None:
    with st.expander("All figures", icon=":material/tag:"):
        rows = {
            "Symmetric relevance gain (log-odds; more is better)": number(test.gain),
            "Area under deletion (log-odds; less is better)": number(test.deletion.area),
            "Area under insertion (log-odds; more is better)": number(test.insertion.area),
        }
        if test.comparison is not None:
            amounts = len(trust.AMOUNTS)
            rows |= {
                f"Gain in {amounts} steps, blurred": number(test.comparison.gain),
                "… of the middle shifted copy": number(
                    sorted(test.comparison.shifted)[len(test.comparison.shifted) // 2]
                ),
                "… of a blob in the middle": number(test.comparison.center),
                "… of the edges of the picture": number(test.comparison.edges),
            }
        rows["Pictures the model was asked about"] = f"{test.evaluations:,} in {duration(test.seconds)}"
        st.table(rows)
        st.caption(
            "The curves have 33 steps and two ways of hiding: blurred, and continued from the surroundings. Copies, "
            f"blob and edges are tested in {len(trust.AMOUNTS)} of these steps, blurred only, and compared with the "
            "map in the same steps."
        )
