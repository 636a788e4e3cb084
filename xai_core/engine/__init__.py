"""The engine: one fast forward pass for everybody, fair shares of the cores, jobs."""

from __future__ import annotations

from xai_core.engine import jobs

__all__ = ["jobs"]
