"""A field to draw a digit on, by mouse, finger or keyboard; the drawn digit becomes the visitor's own picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from PIL import Image

from pages.ui.frame import session
from pages.ui.what_if import brush
from pages.ui.widgets import show
from xai_core import XaiError, what_if
from xai_core.labs import live
from xai_core.render import wire_picture

SIDE = 112
_KEY = "digit_canvas"
_TITLE = "Your digit"


def read_message() -> object:
    """Return what the field has sent last, untrusted."""
    return getattr(st.session_state.get(_KEY), "painted", None)


def take_strokes() -> None:
    """Callback: make what is drawn the visitor's own picture; a message that is no drawing changes nothing."""
    message = read_message()
    if not isinstance(message, Mapping):
        return
    try:
        strokes = what_if.mask_of_runs(message.get("runs"), SIDE)
        picture = live.digit_picture(strokes)
    except XaiError as problem:
        st.session_state["digit_problem"] = str(problem)
        return
    st.session_state.pop("digit_problem", None)
    session.use_picture(picture, _TITLE)


def is_drawn() -> bool:
    """Return True while a drawn digit is the picture in use."""
    return session.has_own_picture() and session.current_picture()[1] == _TITLE


def render() -> None:
    """Render the field."""
    white = Image.new("RGB", (SIDE, SIDE), "white")
    brush.paint_component(
        key=_KEY,
        data={
            "picture": wire_picture(white),
            "alt": "A field to draw a digit on.",
            "side": SIDE,
            "cells": brush.CELLS,
            "runs": what_if.runs_of(np.zeros((SIDE, SIDE), dtype=bool)),
            "version": 0,
            # All but what is drawn is dark, as in the pictures that the network learns from.
            "keep": True,
            "pieces": None,
        },
        on_painted_change=take_strokes,
    )
    show.write_warning(st.session_state.get("digit_problem", ""))
