"""Four explanations of one picture, side by side, each appearing as soon as it is ready."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui import forms, panels, picture, visitor
from xai_core.report import npz_bytes

FOUR = ("grad_cam", "occlusion", "integrated_gradients", "lime")

st.title("Four ways to ask why")
model, image, seen, target = picture.head()
st.subheader(f"Why “{model.labels[target]}”?")
maps, save = st.container(), st.empty()
with st.expander("Settings and link", icon=":material/tune:"):
    seed = forms.seed()
    st.caption("Every setting of a method is on the page Explain. The link in your address bar shows this view to others.")
    if visitor.own_picture_in_use():
        st.caption("Your own picture is not part of the link: who opens it sees the sample instead.")


def _ask(method: str) -> panels.Ask:
    try:
        return panels.Ask(method, xai_core.plan(model, image, method, target, seed=seed))
    except xai_core.XaiError as problem:
        return panels.Ask(method, refusal=str(problem))


asks = sorted(map(_ask, FOUR), key=lambda ask: ask.planned.weight if ask.planned else 0.0)
with maps:
    found = panels.watch(asks, seen, "compare")
save.download_button(
    "Save raw values (NPZ)",
    data=lambda: npz_bytes(found),
    file_name="whybox-maps.npz",
    mime="application/octet-stream",
    disabled=not found,
    icon=":material/download:",
    on_click="ignore",
)
