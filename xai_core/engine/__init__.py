"""The engine: private module copies, one fast forward for everybody, jobs."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder(part: str) -> Path:
    """Where this project keeps what it can compute again: WHYBOX_DATA, or the user's cache folder. Not created here."""
    chosen = os.environ.get("WHYBOX_DATA")
    cache = os.environ.get("XDG_CACHE_HOME")
    root = Path(chosen) if chosen else (Path(cache) if cache else Path.home() / ".cache") / "whybox"
    return root / part


def number_from_environment(name: str) -> int | None:
    """The whole number that the environment has under this name; None where it has none."""
    text = os.environ.get(name, "").strip()
    return int(text) if text.isdecimal() else None
