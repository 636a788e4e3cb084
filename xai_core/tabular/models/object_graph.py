"""What a fitted estimator is made of: every object reachable from it. Nothing of it is called, so it may come from a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def parts(root: Any) -> Iterator[Any]:
    """The object itself and all objects in its attributes, lists, tuples and dicts, each once."""
    seen: dict[int, Any] = {}  # holds the objects too: an id means something only while its object lives
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen[id(part)] = part
        yield part
        waiting += _inside(part)


def _inside(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, (list, tuple, set)):
        return list(part)
    if isinstance(part, np.ndarray):
        return part.ravel().tolist() if part.dtype == object else []
    if isinstance(part, type):
        return []
    return list(getattr(part, "__dict__", {}).values())


def estimate_bytes(root: Any) -> int:
    """Roughly how much memory an estimator holds: its arrays, tensors and trees."""
    return 100_000 + sum(_bytes(part) for part in parts(root))


def _bytes(part: Any) -> int:
    from sklearn.tree._tree import Tree

    if isinstance(part, Tree):
        state = part.__getstate__()
        return int(state["nodes"].nbytes + state["values"].nbytes)
    return int(getattr(part, "nbytes", 0)) if not isinstance(part, type) else 0
