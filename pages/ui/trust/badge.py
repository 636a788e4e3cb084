"""Badges of maps after tests on request, on any page that shows maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.frame.session import session_id
from pages.ui.image.panels import MapRequest
from pages.ui.widgets import background, forms
from xai_core import trust

_HELP = "Hides what each map points at and asks the model again, about 750 times each. The badge of the map then tells."


def refresh(results: Sequence[xai_core.Attribution]) -> None:
    """Draw the page again, once, when a test has ended since the badges of these maps were drawn."""
    tested = {
        (result.image_sha256, result.method, result.target, sentence)
        for result in results
        for sentence in (*(check.sentence for check in trust.find_tests(result)), trust.describe_record(result))
        if sentence
    }
    known: set[tuple[object, ...]] = st.session_state.setdefault("tested", set())
    if not tested <= known:
        known |= tested
        background.end()
        url_state.rerun()


def render_tests(requests: Sequence[MapRequest], results: Mapping[str, xai_core.Attribution]) -> None:
    """Render the choice to test all finished maps by hiding; call between `background.begin` and `end`."""
    ready = [
        (request.planned, results[request.name]) for request in requests if request.planned and request.name in results
    ]
    if not ready or not forms.render_toggle("hiding", "Test these maps by hiding what they point at", _HELP):
        return
    for planned, result in ready:
        background.follow(
            ("faithfulness", result.image_sha256, planned.id, "grid"),
            partial(trust.start_faithfulness, planned.model, planned.image, result, 0, "grid", session_id()),
            f"Testing {planned.spec.technical} by hiding",
        )
    refresh([result for _, result in ready])
