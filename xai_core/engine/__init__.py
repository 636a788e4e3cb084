"""The engine: one fast forward pass for everybody, fair shares of the cores, jobs."""

from __future__ import annotations

from xai_core.engine import jobs
from xai_core.engine.lru_cache import LRUCache
from xai_core.engine.memory import limit_bytes

__all__ = ["LRUCache", "jobs", "limit_bytes"]
