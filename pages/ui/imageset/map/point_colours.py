"""Colours of a map's points: label, prediction, confidence, correctness or loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.imageset.page_context import PageContext
from pages.ui.widgets import background
from xai_core import imageset
from xai_core.render import PointColors, color_by_correctness, color_by_group, color_by_number

Rows = npt.NDArray[np.int64]


def _colour_by_label(page: PageContext, rows: Rows) -> PointColors:
    return color_by_group(page.pictures.labels[rows], page.pictures.classes, "Label")


def _colour_by_prediction(page: PageContext, rows: Rows) -> PointColors:
    return color_by_group(page.run.predictions[rows], page.speaker.labels, "The model says", "Could not be read")


def _colour_by_confidence(page: PageContext, rows: Rows) -> PointColors:
    return color_by_number(page.run.confidence[rows], "How sure the model is (confidence)", 0.0, 1.0, percent=True)


def _colour_by_correctness(page: PageContext, rows: Rows) -> PointColors:
    return color_by_correctness(page.run.predictions[rows], page.truth[rows])


def _colour_by_loss(page: PageContext, rows: Rows) -> PointColors:
    losses = background.compute(
        ("losses", page.run.id, page.truth_id),
        lambda _job: imageset.losses(page.run, page.truth),
        "Comparing with the labels",
    )
    values = np.full(len(rows), np.nan, dtype=np.float32) if losses is None else losses[rows]
    return color_by_number(values, "How surprised the model is by the label (loss, in nats)", 0.0)


COLOURINGS: Mapping[str, tuple[str, Callable[[PageContext, Rows], PointColors]]] = {
    "label": ("Label", _colour_by_label),
    "prediction": ("What the model says", _colour_by_prediction),
    "confidence": ("How sure it is", _colour_by_confidence),
    "correctness": ("Right or wrong", _colour_by_correctness),
    "loss": ("How surprised it is (loss)", _colour_by_loss),
}
_NEEDS_TRUTH = ("correctness", "loss")


def _restore(page: PageContext) -> tuple[str, list[str]]:
    """Return the widget's key and the colourings this set has; those by label need labels."""
    names = [name for name in COLOURINGS if name not in _NEEDS_TRUTH or (page.truth >= 0).any()]
    names = [name for name in names if name != "label" or page.pictures.classes]
    key = url_state.restore(
        "points", names[0], url_state.option_reader("colouring", names), title=lambda name: COLOURINGS[name][0]
    )
    if st.session_state[key] not in names:
        url_state.set_value(key, names[0])
    return key, names


def render_choice(page: PageContext) -> Callable[[Rows], PointColors]:
    """Render the choice; return the function that colours the points of given rows."""
    key, names = _restore(page)
    chosen = st.selectbox(
        "Colour shows", names, url_state.index_of(names, key), lambda name: COLOURINGS[name][0], key=key
    )
    return partial(COLOURINGS[chosen][1], page)


def restore_colouring(page: PageContext) -> Callable[[Rows], PointColors]:
    """Return the value of `render_choice` without rendering it."""
    return partial(COLOURINGS[st.session_state[_restore(page)[0]]][1], page)
