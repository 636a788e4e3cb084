"""Work that is done once for an object, however often a page that polls a job draws it again."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
Made = TypeVar("Made")


class once(Generic[Thing, Made]):  # noqa: N801  # a decorator
    """A function whose results are remembered by identity for as long as the object lives. Only for objects that never change."""

    def __init__(self, make: Callable[[Thing], Made]) -> None:
        self._make = make
        self.known: dict[int, tuple[weakref.ref[Thing], Made]] = {}
        functools.update_wrapper(self, make)

    def __call__(self, thing: Thing) -> Made:
        place = id(thing)
        found = self.known.get(place)
        if found is not None and found[0]() is thing:
            return found[1]
        made = self._make(thing)
        self.known[place] = weakref.ref(thing, lambda _: self.known.pop(place, None)), made
        return made
