"""How much memory this process may use for its work: one budget for all jobs, default a third of what was free at the start."""

from __future__ import annotations

import functools
import os

import psutil  # type: ignore[import-untyped]  # ships no types

MB = 2**20
_SHARE = 3
_LEAST_MB = 256


@functools.cache
def budget() -> int:
    """Bytes for the work of all jobs together: WHYBOX_MEMORY_MB if that is a number, else a third of the memory free at the first call."""
    text = os.environ.get("WHYBOX_MEMORY_MB", "").strip()
    if text.isdecimal():
        return max(int(text), 1) * MB
    return max(int(psutil.virtual_memory().available) // _SHARE, _LEAST_MB * MB)


def resident() -> int:
    """Bytes of memory this process holds now."""
    return int(psutil.Process().memory_info().rss)
