"""Attacks: a change too small to see, found by asking the model, that makes it answer differently."""

from __future__ import annotations

from functools import partial

import streamlit as st

import xai_core
from pages.ui.frame.session import session_id
from pages.ui.image import picture
from pages.ui.model import attack_view
from pages.ui.widgets import background, show
from xai_core import attacks

_WHY = """
A model does not see a picture as we do: it adds up millions of small numbers. If all of them are moved a little in the
right direction, the sum moves a lot, although a person sees no difference. Such pictures show what the answer hangs on.

They do **not** show that a model is useless: somebody who wants to fool it must know it well, or try often. Training on
such pictures makes models harder to fool, and a little worse on ordinary ones. Blurring or saving as JPEG undoes many
attacks, but not one that was made with that in mind.
"""

show.write_style()
st.title("Fool the model")
page = picture.render_head()
background.begin()
shown, settings = st.columns([3, 2], gap="large")
problem = planned = None
with settings:
    try:
        planned = attack_view.render_settings(page)
    except xai_core.XaiError as error:
        problem = error
    with st.expander("Why does this work, and why does it matter?", icon=":material/help:"):
        st.markdown(_WHY)
with shown:
    if planned is None:
        show.write_problem(problem)
        background.finish()
    result = background.follow(
        ("attack", planned.id),
        partial(attacks.start_attack, planned, session_id()),
        "Looking for a change that fools the model",
    )
    if result is None:
        attack_view.render_preview(planned)
    else:
        attack_view.render_result(page.model, result)
        attack_view.render_consequences(planned, result)
background.end()
