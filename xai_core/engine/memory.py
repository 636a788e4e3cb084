"""How much memory this process may use for its work: one budget for all jobs, default a third of what was free at the start."""

from __future__ import annotations

import functools

import psutil  # type: ignore[import-untyped]  # ships no types

from xai_core.engine import number_from_environment

MB = 2**20
_SHARE = 3
_LEAST_MB = 256


def from_environment(name: str, share: int) -> int:
    """Bytes: what the environment says in MB under this name if that is a number, else one part in `share` of the memory free now."""
    wanted = number_from_environment(name)
    if wanted is not None:
        return max(wanted, 1) * MB
    return max(int(psutil.virtual_memory().available) // share, _LEAST_MB * MB)


@functools.cache
def budget() -> int:
    """Bytes for the work of all jobs together: WHYBOX_MEMORY_MB, else a third of the memory free at the first call."""
    return from_environment("WHYBOX_MEMORY_MB", _SHARE)


def resident() -> int:
    """Bytes of memory this process holds now."""
    return int(psutil.Process().memory_info().rss)
