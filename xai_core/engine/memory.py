"""How much memory this process may use for its work: one budget for all jobs, default a third of what was free at the start."""

from __future__ import annotations

import functools

import psutil  # type: ignore[import-untyped]  # ships no types

from xai_core import settings

MB = 2**20
_SHARE = 3
_LEAST_MB = 256


def limit_bytes(wanted_mb: int | None, share: int) -> int:
    """Return `wanted_mb` in bytes, or one part in `share` of the memory free now where it is None."""
    if wanted_mb is not None:
        return max(wanted_mb, 1) * MB
    return max(int(psutil.virtual_memory().available) // share, _LEAST_MB * MB)


@functools.cache
def budget() -> int:
    """Bytes for the work of all jobs together: WHYBOX_MEMORY_MB, else a third of the memory free at the first call."""
    return limit_bytes(settings.memory_mb(), _SHARE)


def resident() -> int:
    """Bytes of memory this process holds now."""
    return int(psutil.Process().memory_info().rss)
