"""Training of the digit network while one looks on: settings, live curves, and explanations of the fresh network."""

from __future__ import annotations

import streamlit as st

from pages.ui.learn import live_view
from pages.ui.widgets import background, show
from xai_core import labs

TEXTS = labs.lab_texts("train")

show.write_style()
st.title("Train it live")
st.markdown(TEXTS["Start"])
background.begin()
live_view.render_presets()
with st.container(border=True):
    values, seed = live_view.render_settings()
live_view.render_training(values, seed)
live_view.render_opening()
if runs := live_view.runs():
    name, trained = runs[-1]
    live_view.render_comparison()
    live_view.render_confusion(trained)
    st.subheader("Draw a digit")
    st.markdown(TEXTS["Trial"])
    live_view.render_trial(name)
    live_view.render_growth(name, trained)
    live_view.render_files(name, trained)
st.subheader("The network")
st.markdown(TEXTS["Network"])
live_view.render_cards("train:network")
background.end()
