"""Shake it: harmless changes of the picture, and what they do to the answer and to its explanation."""

from __future__ import annotations

import streamlit as st

from pages.ui.image import picture
from pages.ui.imageset import set_choice
from pages.ui.what_if import shake_view, shaken_set_view
from pages.ui.widgets import background, forms, show

VIEWS = {"one": "One shake", "all": "All shakes", "mixes": "Random mixes", "set": "A whole set"}

show.write_style()
st.title("Shake it")
show.write("Turn the picture, move it, blur it, cut it up: a person still sees the same thing. Does the model?")
page = picture.render_head()
background.begin()
set_choice.restore()
chosen = forms.render_segments("shake_view", "What to shake", VIEWS, "one")
if chosen == "set":
    shaken_set_view.render(page.model)
else:
    {"one": shake_view.render_one, "all": shake_view.render_all, "mixes": shake_view.render_mixes}[chosen](page)
background.end()
