"""Memory of this process: one budget for all jobs, by default a third of what was free at the start."""

from __future__ import annotations

import functools

import psutil  # type: ignore[import-untyped]  # ships no types

from xai_core import settings

MB = 2**20
_SHARE = 3
MIN_MB = 256


def limit_bytes(setting_mb: int | None, share: int) -> int:
    """Return the setting in bytes, or one part in `share` of the memory free now where it is None."""
    if setting_mb is not None:
        return max(setting_mb, 1) * MB
    return max(int(psutil.virtual_memory().available) // share, MIN_MB * MB)


@functools.cache
def budget() -> int:
    """Return the bytes for all jobs together: WHYBOX_MEMORY_MB, else a third of the memory free at the first call."""
    return limit_bytes(settings.memory_mb(), _SHARE)


def resident() -> int:
    """Return the bytes of memory that this process holds now."""
    return int(psutil.Process().memory_info().rss)
