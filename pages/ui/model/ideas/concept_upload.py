"""Pictures of one idea, dropped in the browser: their number and sizes are checked here."""

from __future__ import annotations

import streamlit as st

from pages.ui.frame import uploads
from pages.ui.widgets import show

MAX_UPLOADS, MAX_UPLOAD_MB = 60, 20


def render(key: str, title: str, least: int) -> tuple[bytes, ...]:
    """Render an uploader; return the files, none where there are too few or too large ones, said on the page."""
    files = st.file_uploader(
        title, key=key, accept_multiple_files=True, max_upload_size=uploads.accepted_mb(MAX_UPLOAD_MB)
    )
    if not files:
        return ()
    for file in files:
        if problem := uploads.describe_excess(file.size, MAX_UPLOAD_MB, "Save it smaller."):
            show.write_upload_problem(problem)
            return ()
    if not least <= len(files) <= MAX_UPLOADS:
        show.write_upload_problem(
            f"An idea needs {least} to {MAX_UPLOADS} pictures. Got {len(files)}. With fewer, chance alone would decide."
        )
        return ()
    return tuple(file.getvalue() for file in files)
