"""The sidebar every page shares: which model, which picture."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui import models, visitor

TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"]


def uploader(place: str) -> None:
    """Drop a file or take a photo; `place` keeps the widgets of two places apart."""
    key = f"upload_{place}"
    st.file_uploader("Your picture", TYPES, key=key, on_change=visitor.take_own_picture, args=(key,), max_upload_size=25)
    if st.toggle("Use the camera", key=f"use_camera_{place}"):
        shot = f"camera_{place}"
        st.camera_input("Take a photo", key=shot, on_change=visitor.take_own_picture, args=(shot,))


def _picture() -> None:
    st.subheader("Picture")
    st.selectbox(
        "Sample",
        list(xai_core.SAMPLES),
        format_func=lambda name: xai_core.SAMPLES.get(name).title,
        key="sample",
        on_change=visitor.forget_own_picture,
        bind="query-params",
    )
    with st.expander("Use your own", icon=":material/add_photo_alternate:", expanded=visitor.own_picture_in_use()):
        uploader("sidebar")
    image, title = visitor.picture()
    if "picture_error" in st.session_state:
        st.error(st.session_state["picture_error"], icon=":material/broken_image:")
    st.image(image, caption=title, alt=f"The picture in use: {title}", width="stretch")
    if visitor.own_picture_in_use():
        st.button("Back to the samples", on_click=visitor.forget_own_picture, icon=":material/undo:")


def draw() -> None:
    """Both pickers. What they hold is kept between pages, and in the link."""
    st.subheader("Model")
    models.pick()
    _picture()
