"""The first page: what this is, and three ways in."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui import sidebar, visitor

SHOWN = 4

st.title("Why did the model say that?")
st.markdown(
    "A computer model looks at a photo and says *espresso*. Whybox shows **what it looked at**: four different methods, side by side, "
    "each with a sentence on how to read it and a check that says whether you can trust it."
)


def _way_in(title: str, text: str) -> None:
    st.subheader(title)
    st.markdown(text)


samples, own, deep = st.columns([2, 1, 1], gap="large")
with samples:
    _way_in("Pick a picture", "One click, and the four explanations appear.")
    photos = [sample for sample in xai_core.SAMPLES.specs() if sample.kind == "photo"][:SHOWN]
    for sample, column in zip(photos, st.columns(SHOWN), strict=True):
        with column:
            st.image(visitor.sample_picture(sample.name), alt=f"Sample: {sample.title}", width="stretch")
            if st.button(sample.title, key=f"try_{sample.name}", on_click=visitor.choose_sample, args=(sample.name,), width="stretch"):
                st.switch_page("pages/image/compare.py")
with own:
    _way_in("Use your own photo", "It stays on the computer that runs Whybox.")
    before = st.session_state.get("own_picture")
    sidebar.uploader("home")
    if "picture_error" in st.session_state:
        st.error(st.session_state["picture_error"], icon=":material/broken_image:")
    elif visitor.own_picture_in_use() and st.button("Explain my photo", type="primary", width="stretch"):
        st.switch_page("pages/image/compare.py")
with deep:
    _way_in("Look deeper", "One method at a time, with every setting and every layer of the model.")
    if st.button("Open Explain", width="stretch"):
        st.switch_page("pages/image/explain.py")

st.caption(
    "An explanation is a clue, not a proof: it tells what this model reacted to, not what is true about the world. "
    "Do not use it alone for decisions about people."
)
