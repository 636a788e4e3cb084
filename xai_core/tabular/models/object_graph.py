"""Objects that a fitted estimator is made of; none of its code is called, so it may come from a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

# Rough memory of an estimator without its arrays.
BASE_BYTES = 100_000


def iter_objects(root: Any) -> Iterator[Any]:
    """Yield the object and all objects in its attributes, lists, tuples and dicts, each once."""
    # The objects are held too: an id means something only while its object lives.
    visited: dict[int, Any] = {}
    pending = [root]
    while pending:
        entry = pending.pop()
        if id(entry) in visited:
            continue
        visited[id(entry)] = entry
        yield entry
        pending += _list_children(entry)


def _list_children(entry: Any) -> list[Any]:
    if isinstance(entry, dict):
        return list(entry.values())
    if isinstance(entry, (list, tuple, set)):
        return list(entry)
    if isinstance(entry, np.ndarray):
        return entry.ravel().tolist() if entry.dtype == object else []
    if isinstance(entry, type):
        return []
    if isinstance(entry, partial):
        return [entry.func, *entry.args, *entry.keywords.values()]
    return list(getattr(entry, "__dict__", {}).values())


def estimate_bytes(root: Any) -> int:
    """Return the rough memory of an estimator: its arrays, tensors and trees."""
    return BASE_BYTES + sum(_count_bytes(entry) for entry in iter_objects(root))


def _count_bytes(entry: Any) -> int:
    from sklearn.tree._tree import Tree

    if isinstance(entry, Tree):
        state = entry.__getstate__()
        return int(state["nodes"].nbytes + state["values"].nbytes)
    return int(getattr(entry, "nbytes", 0)) if not isinstance(entry, type) else 0
