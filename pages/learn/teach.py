"""Own classes from the camera, files or a zip, learnt in seconds; every other page then explains them."""

from __future__ import annotations

import streamlit as st

from pages.ui.learn import own_classes, teach_view
from pages.ui.widgets import background, show
from xai_core import labs

TEXTS = labs.lab_texts("teach")

show.write_style()
st.title("Teach your own classes")
st.markdown(TEXTS["Start"])
background.begin()
st.subheader("1. Pictures")
own_classes.render()
st.subheader("2. Learning")
st.markdown(TEXTS["Learning"])
teach_view.render_start()
teach_view.render_opening()
if (current := teach_view.current()) is not None:
    name, taught = current
    teach_view.render_scores(taught)
    st.subheader("3. A new picture")
    st.markdown(TEXTS["Trial"])
    teach_view.render_trial(name, taught)
    st.subheader("4. What does it look at?")
    st.markdown(TEXTS["Exercise"])
    st.subheader("5. Keep it")
    st.markdown(TEXTS["Keep"])
    teach_view.render_saving(name, taught)
background.end()
