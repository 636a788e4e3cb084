"""Choices of the link among entries of a registry, and of several names with commas between them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from pages.ui.frame import url_state
from pages.ui.frame.link_problems import PartlyUnknown
from xai_core import METHODS, UnknownName
from xai_core.registry import Registry


def restore_entry(name: str, default: str, registry: Registry[Any]) -> str:
    """Restore the choice of an entry of a registry; return its widget key."""

    def title(entry: str) -> str:
        spec = registry.get(entry)
        return str(getattr(spec, "full_title", spec.title))

    return url_state.restore(name, default, lambda text: str(registry.get(text).name), title=title)


def restore_method(name: str, default: str, fitting: Collection[str]) -> str:
    """Restore the choice of a method among those that fit a model; return its widget key."""

    def title(method: str) -> str:
        return METHODS.get(method).full_title

    return url_state.restore(name, default, url_state.option_reader("method for this model", fitting), title=title)


def names_reader(kind: str, options: Collection[str]) -> Callable[[str], list[str]]:
    """Return a reader for `url_state.restore` of several names; it leaves out those that are not allowed."""

    def read(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        known = [name for name in names if name in options]
        if unknown := [name for name in names if name not in options]:
            raise PartlyUnknown(UnknownName.of(kind, unknown[0], options), known)
        return known

    return read
