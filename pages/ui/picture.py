"""The head of a picture page: what the model sees, what it thinks, which class to ask about."""

from __future__ import annotations

import streamlit as st
from PIL import Image

import xai_core
from pages.ui import classes, models, visitor


def head() -> tuple[xai_core.Classifier, Image.Image, Image.Image, int]:
    """Draw the head; the model, the picture, the picture as the model sees it, and the class to explain."""
    model = models.current()
    image, title = visitor.picture()
    seen = model.preprocessing.see(image)
    left, right = st.columns([1, 3], gap="medium")
    size = f"{seen.width} × {seen.height} pixels"
    left.image(seen, caption=f"What the model sees: {size}", alt=f"{title}, as the model sees it: {size}", width="stretch")
    with right:
        for note in (model.note, xai_core.engine_note(model)):
            if note:
                st.info(note, icon=":material/info:")
        target = classes.pick(model, image)
    return model, image, seen, target
