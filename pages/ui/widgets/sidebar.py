"""The sidebar every page shares: where to go, which model, which picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st
from PIL import Image
from streamlit.navigation.page import StreamlitPage

import xai_core
from pages.ui.frame import link_readers, session, url_state
from pages.ui.widgets import models, own_models, show, uploader
from pages.ui.widgets.words import escape_markdown

# Pixels of the picture in use; a taller one would push away all that is below it.
MAX_PICTURE_MB = 25
_MAX_WIDTH, _MAX_HEIGHT = 240, 180
_SCRIPT = Path(__file__).resolve().parents[3] / "assets" / "page.js"
_follow_page = st.components.v2.component("whybox_page", js=_SCRIPT.read_text(encoding="utf-8"))
_NAME = '<p style="margin: 0; font-weight: 700; font-size: 1.25rem">Whybox</p>'


def render_uploader(place: str) -> None:
    """Render a file uploader and a camera; `place` keeps the widgets of two places apart."""
    file, shot = session.upload_key("upload", place), session.upload_key("camera", place)
    uploader.render(
        "Your picture",
        file,
        MAX_PICTURE_MB,
        "Save the picture smaller and try again.",
        on_change=lambda: session.read_upload(file, place),
        problem=session.picture_error(place),
    )
    st.caption(f"A photo of up to {MAX_PICTURE_MB} MB: JPEG, PNG, HEIC, AVIF, WebP, TIFF and others.")
    if st.toggle("Use the camera", key=f"use_camera_{place}"):
        st.camera_input("Take a photo", key=shot, on_change=session.read_upload, args=(shot, place))


def _render_links(pages: Mapping[str, Sequence[StreamlitPage]]) -> None:
    for title, section in pages.items():
        if title:
            st.caption(title)
        for page in section:
            st.page_link(page, query_params=url_state.query())
    _follow_page(key="page")


def _render_picture_choice() -> None:
    st.selectbox(
        "Sample",
        list(xai_core.SAMPLES),
        url_state.index_of(xai_core.SAMPLES, "sample"),
        format_func=lambda name: xai_core.SAMPLES.get(name).title,
        key="sample",
        on_change=session.forget_own_picture,
    )
    is_open = session.has_own_picture() or bool(session.picture_error("sidebar"))
    with st.expander("Use your own", icon=":material/add_photo_alternate:", expanded=is_open):
        render_uploader("sidebar")


def _render_current_picture() -> None:
    image, title = session.current_picture()
    wide = show.fit_width(image, _MAX_WIDTH, _MAX_HEIGHT)
    st.image(
        image,
        caption=escape_markdown(title),
        alt=f"The picture in use: {title}",
        width="stretch" if wide == _MAX_WIDTH else wide,
    )
    show.write_list(session.picture_notes())
    _render_inversion(image)


def _render_picture() -> None:
    """Render the picture in use and, below it, the choice of another one."""
    st.subheader("Picture")
    _render_current_picture()
    _render_picture_choice()
    if session.has_own_picture():
        st.button("Back to the samples", on_click=session.forget_own_picture, icon=":material/undo:")


def _render_inversion(image: Image.Image) -> None:
    """Render the offer to swap light and dark where the model in use needs it, and the way back."""
    model = xai_core.MODELS.get(st.session_state["model"])
    if session.is_inverted():
        st.button("Show my picture as it is", on_click=session.invert_picture, icon=":material/undo:")
    elif session.has_own_picture() and xai_core.suggest_inversion(image, model):
        show.write(xai_core.INVERSION_HINT, quiet=True)
        st.button("Invert my picture", on_click=session.invert_picture, icon=":material/invert_colors:")


def render(pages: Mapping[str, Sequence[StreamlitPage]], *, picture: bool, model: bool) -> None:
    """Render navigation and, where the page has use for it, the choice of picture and model, which the link keeps."""
    link_readers.restore_entry("model", models.DEFAULT_MODEL, xai_core.MODELS)
    own_models.check_choice(models.DEFAULT_MODEL)
    link_readers.restore_entry("sample", session.DEFAULT_SAMPLE, xai_core.SAMPLES)
    st.html(_NAME)
    _render_links(pages)
    if picture:
        _render_picture()
    if model:
        st.subheader("Model")
        models.render_choice()
