"""The picture that is painted on, and the painted mask, which the link keeps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from PIL import Image

from pages.ui.frame import url_state
from pages.ui.widgets import show
from pages.ui.widgets.component import create_component
from xai_core import XaiError, what_if
from xai_core.arrays import Bool, Int64
from xai_core.render import wire_picture

# Cells of the keyboard's grid along a side.
CELLS = 14
_KEY = "brush"
paint_component = create_component("brush", "brush_mask.js", "brush.js")


def restore_mask(side: int) -> Bool | None:
    """Return the painted mask (side, side), None where nothing is painted; write why what was painted is not taken."""
    problem = str(st.session_state.pop("brush_problem", ""))
    try:
        mask = what_if.decode_mask(str(st.session_state[url_state.restore("mask", "", str)]))
    except XaiError as damage:
        mask, problem = None, str(damage)
    if mask is not None and len(mask) != side:
        problem = (
            f"What was painted belongs to a picture of {len(mask)} × {len(mask)} pixels, and this model sees "
            f"{side} × {side}. Paint it again here."
        )
        mask = None
    show.write_warning(problem)
    return mask


def set_mask(mask: Bool | None) -> None:
    """Callback: take this mask, or none."""
    url_state.set_value("mask", "" if mask is None else what_if.encode_mask(mask))


def keep_drawn_mask() -> None:
    """Callback: take the mask that is on the picture, also where it comes from a map."""
    url_state.set_value("mask", st.session_state.get("brush_drawn", ""))


def _take_strokes() -> None:
    """Take what was painted in the browser; a message that is no mask changes nothing."""
    message = getattr(st.session_state.get(_KEY), "painted", None)
    side = st.session_state.get("brush_side")
    st.session_state.pop("brush_problem", None)
    if not isinstance(message, Mapping) or not isinstance(side, int):
        return
    try:
        mask = what_if.mask_of_runs(message.get("runs"), side)
    except XaiError as problem:
        st.session_state["brush_problem"] = str(problem)
        return
    set_mask(mask)
    # The browser has it already.
    st.session_state["brush_drawn"] = what_if.encode_mask(mask)


def _encode_pieces(labels: Int64 | None) -> list[int] | None:
    """Return pairs of a piece's number and the length of its run, row by row."""
    if labels is None:
        return None
    flat = labels.ravel()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1])
    lengths = np.diff(np.concatenate([starts, [flat.size]]))
    return [int(value) for pair in zip(flat[starts], lengths, strict=True) for value in pair]


def show_brush(
    picture: Image.Image, mask: Bool | None, alt: str, *, keep: bool = False, pieces: Int64 | None = None
) -> None:
    """Draw the picture to paint on with its mask (side, side); `pieces` (side, side) are painted whole.

    With `keep` all but the painted part is shaded.
    """
    state, side = st.session_state, picture.width
    painted = np.zeros((side, side), dtype=bool) if mask is None else mask
    code = what_if.encode_mask(painted)
    # A mask that the browser has not painted itself has a new version, which the browser takes over.
    if code != state.get("brush_drawn", "") or side != state.get("brush_side"):
        state["brush_version"] = state.get("brush_version", 0) + 1
    state["brush_drawn"], state["brush_side"] = code, side
    paint_component(
        key=_KEY,
        data={
            "picture": wire_picture(picture),
            "alt": alt,
            "side": side,
            "cells": CELLS,
            "runs": what_if.runs_of(painted),
            "version": state.get("brush_version", 0),
            "keep": keep,
            "pieces": _encode_pieces(pieces),
        },
        on_painted_change=_take_strokes,
    )
