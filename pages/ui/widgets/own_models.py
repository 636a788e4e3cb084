"""Models that this visitor has made: their names, which the session holds and a link may carry."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.frame import url_state

_KEY = "own_models"


def names() -> list[str]:
    """Return the names of this session's own models that are still kept, the oldest first."""
    return [name for name in st.session_state.get(_KEY, []) if name in xai_core.MODELS]


def add(name: str) -> None:
    """Add an own model to the session's list."""
    if name not in names():
        st.session_state[_KEY] = [*names(), name]


def use(name: str) -> None:
    """Make an own model the one in use on every page; on pages without the choice of a model only."""
    add(name)
    url_state.set_value("model", name)


def check_choice(default: str) -> None:
    """Add the own model of a link to the session's list; go back to the default where one is no longer kept."""
    # Only its maker hands out its name.
    if xai_core.MODELS.is_own(st.session_state["model"]):
        add(st.session_state["model"])
    # Others have made models since, and the oldest ones were dropped.
    if st.session_state["model"] not in xai_core.MODELS:
        url_state.set_value("model", default)
    if st.session_state.get("model_in_use", default) not in xai_core.MODELS:
        del st.session_state["model_in_use"]
