"""Registries: specs by name, filled by importing the modules of a package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from xai_core.errors import UnknownName


class Named(Protocol):
    """Anything with a name to look it up by."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """Specs by name, in declared order or by the key `order`. Iterating gives names, `.get(name)` the spec."""

    def __init__(self, kind: str, order: Callable[[T], Any] | None = None) -> None:
        self.kind = kind
        self._order = order
        self._specs: dict[str, T] = {}

    def add(self, spec: T) -> T:
        """Declare a spec. A second one of the same name is a programming error and stops the start."""
        if spec.name in self._specs:
            raise ValueError(f"two entries of kind {self.kind} are called {spec.name!r}")
        self._specs[spec.name] = spec
        if self._order is not None:
            self._specs = {entry.name: entry for entry in sorted(self._specs.values(), key=self._order)}
        return spec

    def get(self, name: str) -> T:
        """Return the spec of this name. Raises UnknownName with the nearest names."""
        if not isinstance(name, str) or name not in self._specs:
            raise UnknownName.of(self.kind, name, self._specs)
        return self._specs[name]

    def specs(self) -> tuple[T, ...]:
        return tuple(self._specs.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def __contains__(self, name: object) -> bool:
        return name in self._specs


def discover(package: ModuleType) -> None:
    """Import every public module of a package, in alphabetical order; sub-packages hold what entries share.

    A broken module raises and names itself.
    """
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        if not info.ispkg and not info.name.startswith("_"):
            importlib.import_module(f"{package.__name__}.{info.name}")
