"""Uploads that outlive a reload: the address names them by a handle that nobody guesses and one browser can use.

A reload begins a new session. What it needs of the old one, ids and titles of the visitor's own picture, table and
models, is kept here in memory for a while; the pictures and tables themselves lie in caches of their own.
"""

from __future__ import annotations

import copy
import secrets
import time
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui.frame.browser_cookie import browser_id
from xai_core.engine import LRUCache

# The handle's name in the address; links that are made for others leave it out.
NAME = "keep"
# Kept since the last run of the session.
MAX_IDLE_S = 2 * 3600.0
MAX_SESSIONS = 512
# What a session knows of its own picture and table; an uploader that holds the file is none of it.
_PICTURE = ("own_picture", "own_title", "own_notes", "own_inverted")
_TABLE = ("own_raw", "own_table", "own_choice", "own_file", "own_kinds", "own_encoding", "own_upload")
# Models made here, and the classes that are being taught, by ids of their pictures.
_MODELS = ("own_models", "teach_classes", "taught")
GONE = (
    "What you had uploaded is no longer kept on this computer, so a sample stands in for it. Please upload your "
    "picture or table again."
)
ANOTHER_BROWSER = (
    "The picture or table of this address can only be seen in the browser that it was uploaded in, so a sample stands "
    "in for it. To show maps of an own picture to others, make a link to them below the maps."
)


@dataclass(frozen=True)
class _Uploads:
    browser: str
    values: dict[str, Any]
    used: float


@st.cache_resource(show_spinner=False, max_entries=1)
def _store() -> LRUCache[_Uploads]:
    return LRUCache(MAX_SESSIONS)


def _own_values() -> dict[str, Any]:
    state = st.session_state
    names = (
        *(_PICTURE if state.get("own_picture") else ()),
        *(_TABLE if state.get("own_raw") else ()),
        *(
            _MODELS
            if state.get("own_models") or any(entry.pictures for entry in state.get("teach_classes", ()))
            else ()
        ),
    )
    return {name: copy.copy(state[name]) for name in names if name in state}


def update() -> dict[str, str]:
    """Keep this session's uploads as they are now; return the part of the address that names them, {} for none."""
    state, values = st.session_state, _own_values()
    handle = state.get("keep_handle")
    if not values:
        if handle:
            _store().pop(handle)
            del state["keep_handle"]
        return {}
    if not handle:
        handle = state["keep_handle"] = secrets.token_urlsafe(16)
    state.pop("keep_problem", None)
    _store().put(handle, _Uploads(browser_id(), values, time.time()), size=1)
    return {NAME: handle}


def write_address() -> None:
    """Name the uploads in the address early in a run: a page that waits for its model does not come to its end."""
    for name, handle in update().items():
        if st.query_params.get(name) != handle:
            st.query_params[name] = handle


def restore() -> None:
    """Take over, in a session's first run, the uploads that its address names, or note why that is not possible."""
    state = st.session_state
    if "keep_read" in state:
        return
    state["keep_read"] = True
    handle = st.query_params.get(NAME, "")
    if not handle:
        return
    uploads = _store().get(handle)
    # Without a cookie, as under `streamlit run`, nobody can tell whose they are.
    if uploads is None or time.time() - uploads.used > MAX_IDLE_S or not browser_id():
        state["keep_problem"] = GONE
    elif uploads.browser != browser_id():
        state["keep_problem"] = ANOTHER_BROWSER
    else:
        state.update(copy.copy(uploads.values))
        state["keep_handle"] = handle


def problem() -> str:
    """Return the reason why what the address names is not in use, until something else is uploaded or it is closed."""
    return str(st.session_state.get("keep_problem", ""))


def close_problem() -> None:
    """Callback: the visitor goes on with the samples."""
    st.session_state.pop("keep_problem", None)
