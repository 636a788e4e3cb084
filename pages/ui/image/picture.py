"""Head of a picture page: model input, first guesses, and the class to explain."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session
from pages.ui.image import classes, framing
from pages.ui.widgets import models, show

THUMBNAIL_PX = 96


class PageContext(NamedTuple):
    """Model, picture and target of a picture page; `chosen_target` is None while it is the model's first guess.

    `image` is the part of `original` that is explained, or `original` itself.
    """

    model: xai_core.Classifier
    original: Image.Image
    image: Image.Image
    model_input: Image.Image
    target: classes.Target
    chosen_target: classes.Target | None


def render_head() -> PageContext:
    """Render the head of the page and return its context."""
    model = models.current_model()
    original, title = session.current_picture()
    image = framing.frame(model, original)
    framing.remember(image)
    model_input = model.preprocessing.model_input(image)
    for note in (model.note, xai_core.engine_note(model)):
        if note:
            st.info(note, icon=":material/info:")
    size = f"{model_input.width} × {model_input.height} pixels"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="head"):
        with st.container(width=THUMBNAIL_PX):
            st.image(model_input, alt=f"{title}, as the model sees it: {size}", width="stretch")
        with st.container(gap="xsmall", key="guesses"):
            chips, buttons = st.container(), st.container(horizontal=True, gap="xsmall")
            with chips:
                target, chosen_target = classes.render_choice(model, image, buttons)
            with buttons:
                framing.render_choice(model, original, title)
    show.write_doubt(xai_core.doubt(classes.guess(model, image)))
    return PageContext(model, original, image, model_input, target, chosen_target)
