"""Flip it: what would have to be different for the model to say another class."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.image import picture
from pages.ui.imageset import set_choice
from pages.ui.what_if import flip_set_view, flip_view
from pages.ui.widgets import background, forms, show

VIEWS = {
    "hide": "Hide pieces",
    "swap": "Swap with a real picture",
    "nearest": "Nearest pictures",
    "exaggerate": "Exaggerate",
}
RENDER = {
    "hide": flip_view.render_hiding,
    "swap": flip_set_view.render_swaps,
    "nearest": flip_set_view.render_nearest,
    "exaggerate": flip_view.render_exaggeration,
}

show.write_style()
st.title("Flip it")
show.write("What would have to be different for the model to say something else? Choose what it should say.")
page = picture.render_head()
background.begin()
set_choice.restore()
try:
    wish = flip_view.render_wish(page)
except xai_core.XaiError as problem:
    show.write_problem(problem)
    background.finish()
chosen = forms.render_segments("flip_view", "How", VIEWS, "hide")
shown, beside = st.columns(2, gap="large")
with shown:
    RENDER[chosen](page, wish)
with beside:
    flip_view.render_contrast(page, wish)
background.end()
