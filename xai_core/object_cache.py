"""Results computed once per object: across threads, by identity, dropped with the object.

For objects that never change.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class cache_per_object(Generic[Key, Value]):  # noqa: N801  # a decorator
    """Cache a function of one object.

    Calls for other objects do not wait for each other; the value must not hold the object.

    >>> class Model: ...
    >>> name_of = cache_per_object(lambda model: type(model).__name__)
    >>> model = Model()
    >>> name_of(model), model in name_of, len(name_of)
    ('Model', True, 1)
    """

    def __init__(self, compute: Callable[[Key], Value]) -> None:
        self._compute = compute
        self._values: dict[int, Value] = {}
        self._locks: dict[int, threading.Lock] = {}
        self._finalizers: dict[int, weakref.ref[Key]] = {}
        # Re-entrant: an object may be collected, which drops its entry, while this thread holds the lock.
        self._guard = threading.RLock()
        functools.update_wrapper(self, compute)

    def __call__(self, key: Key) -> Value:
        with self._lock_of(key):
            if id(key) not in self._values:
                self._values[id(key)] = self._compute(key)
            return self._values[id(key)]

    def __contains__(self, key: Key) -> bool:
        return id(key) in self._values

    def __len__(self) -> int:
        return len(self._values)

    def put(self, key: Key, value: Value) -> None:
        """Store a value that was computed elsewhere."""
        with self._lock_of(key):
            self._values[id(key)] = value

    def _lock_of(self, key: Key) -> threading.Lock:
        number = id(key)
        with self._guard:
            if number not in self._locks:
                self._locks[number] = threading.Lock()
                self._finalizers[number] = weakref.ref(key, lambda _reference: self._drop(number))
            return self._locks[number]

    def _drop(self, number: int) -> None:
        with self._guard:
            for entries in (self._values, self._locks, self._finalizers):
                entries.pop(number, None)
