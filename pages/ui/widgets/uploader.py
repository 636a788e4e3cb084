"""Uploader of one file that says below itself, in a sentence, why a file is not taken.

Streamlit marks a file that is too large, or that the server has refused, and gives the reason on hover only. A script
on the page takes that mark away and hands the reason on to here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.ui.frame import uploads
from pages.ui.widgets import show
from pages.ui.widgets.component import create_component

_reporter = create_component("uploader", "uploader.js")


def render(
    label: str, key: str, max_mb: int, advice: str, *, on_change: Callable[[], None] | None = None, problem: str = ""
) -> UploadedFile | None:
    """Render an uploader; return its file, None where there is none or where it is larger than `max_mb`.

    `advice` says what to do about a file that is too large, `problem` why the last file cannot be used.
    """
    files = _render(label, key, max_mb, advice, on_change, problem, many=False)
    return files[0] if files else None


def render_many(label: str, key: str, max_mb: int, advice: str) -> list[UploadedFile]:
    """Render an uploader of several files; return those that are not too large."""
    return _render(label, key, max_mb, advice, None, "", many=True)


def _render(
    label: str, key: str, max_mb: int, advice: str, on_change: Callable[[], None] | None, problem: str, *, many: bool
) -> list[UploadedFile]:
    state, refusal, reporter = st.session_state, f"{key}_refusal", f"{key}_reporter"

    def take_file() -> None:
        state.pop(refusal, None)
        if on_change is not None:
            on_change()

    def take_refusal() -> None:
        refused: Any = state[reporter].get("refused")
        if refused:
            reason = uploads.describe_excess(int(refused["size"]), max_mb, advice)
            state[refusal] = reason or uploads.describe_failure(str(refused["words"]))

    with st.container(gap=None):
        # Any ending is taken: the browser would refuse one by a mark alone.
        upload = st.file_uploader(
            label, key=key, on_change=take_file, max_upload_size=uploads.accepted_mb(max_mb), accept_multiple_files=many
        )
        _reporter(key=reporter, on_refused_change=take_refusal)
    files: list[UploadedFile] = list(upload) if isinstance(upload, list) else [upload] if upload is not None else []
    excess = [uploads.describe_excess(file.size, max_mb, advice) for file in files]
    show.write_upload_problem(state.get(refusal) or next(filter(None, excess), "") or problem)
    return [file for file, reason in zip(files, excess, strict=True) if not reason]
