"""Badges of maps after tests on request."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.widgets import background
from xai_core import trust


def refresh(results: Sequence[xai_core.Attribution]) -> None:
    """Draw the page again, once, when a test has ended since the badges of these maps were drawn."""
    tested = {
        (result.image_sha256, result.method, result.target, check.name, check.sentence)
        for result in results
        for check in trust.find_tests(result)
    }
    known: set[tuple[object, ...]] = st.session_state.setdefault("tested", set())
    if not tested <= known:
        known |= tested
        background.end()
        url_state.rerun()
