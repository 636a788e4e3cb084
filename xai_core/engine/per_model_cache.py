"""What is found out or built once for a classifier, however many threads ask, and goes when the classifier goes."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from xai_core.models.classifier import Classifier

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801  # a decorator
    """A function of a classifier that is called once for each. Those who ask for another classifier meanwhile do not wait."""

    def __init__(self, make: Callable[[Classifier], T]) -> None:
        self._make = make
        self.known: WeakKeyDictionary[Classifier, T] = WeakKeyDictionary()
        self._locks: WeakKeyDictionary[Classifier, threading.Lock] = WeakKeyDictionary()
        self._guard = threading.Lock()
        functools.update_wrapper(self, make)

    def __call__(self, classifier: Classifier) -> T:
        with self._guard:
            lock = self._locks.setdefault(classifier, threading.Lock())
        with lock:
            if classifier not in self.known:
                self.known[classifier] = self._make(classifier)
            return self.known[classifier]
