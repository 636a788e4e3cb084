"""Parameters declared once (default, bounds, unit, help); validation, form, cache key, link and texts follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_core.errors import InvalidParam, UnknownName

MAX_SEED = 2**32 - 1
Value = bool | int | float | str
# A number, or a function of the model's input side in pixels: a window of 32 fits 224 pixels, not 28.
Bound = int | float | Callable[[int], int | float]


def _resolve_bound(bound: Any, side: int) -> Any:
    return bound(side) if callable(bound) else bound


@dataclass(frozen=True, kw_only=True)
class Param:
    """A setting of a method: its name in code, its title on the page and one sentence of help."""

    name: str
    title: str
    help: str
    unit: str = ""
    advanced: bool = False

    def default_for(self, side: int) -> Value:
        """Return the default for a model with inputs of `side` pixels."""
        raise NotImplementedError

    def check(self, value: object, side: int) -> Value:
        """Return the value in its own type. Raises InvalidParam with what is allowed."""
        raise NotImplementedError

    def refuse(self, allowed: str, got: object) -> InvalidParam:
        return InvalidParam(f"{self.title} ({self.name}) must be {allowed}. Got {str(got)[:60]!r}.")


@dataclass(frozen=True, kw_only=True)
class Number(Param):
    """A number between two inclusive bounds."""

    default: Bound
    low: Bound
    high: Bound
    step: Bound

    def bounds(self, side: int) -> tuple[float, float]:
        return _resolve_bound(self.low, side), _resolve_bound(self.high, side)

    def step_for(self, side: int) -> float:
        return float(_resolve_bound(self.step, side))

    def default_for(self, side: int) -> int | float:
        value: int | float = _resolve_bound(self.default, side)
        return value

    def _to_number(self, value: object) -> float | None:
        """Return the value as a finite number, or None; text is taken because links and command lines carry text."""
        if isinstance(value, bool):
            return None
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None

    def _check_bounds(self, value: object, side: int, kind: str) -> float:
        number = self._to_number(value)
        low, high = self.bounds(side)
        whole = kind == "a whole number"
        if number is None or not low <= number <= high or (whole and number != int(number)):
            unit = f" {self.unit}" if self.unit else ""
            raise self.refuse(f"{kind} from {low:g} to {high:g}{unit}", value)
        return number


@dataclass(frozen=True, kw_only=True)
class Int(Number):
    """A whole number."""

    step: Bound = 1

    def check(self, value: object, side: int) -> int:
        return int(self._check_bounds(value, side, "a whole number"))


@dataclass(frozen=True, kw_only=True)
class Float(Number):
    """A real number."""

    step: Bound = 0.01

    def check(self, value: object, side: int) -> float:
        return float(self._check_bounds(value, side, "a number"))


@dataclass(frozen=True, kw_only=True)
class Choice(Param):
    """One of a few named options; `options` maps the name in code to the words on the page."""

    default: str
    options: Mapping[str, str]

    def default_for(self, side: int) -> Value:
        return self.default

    def check(self, value: object, side: int) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise self.refuse(f"one of {', '.join(self.options)}", value)
        return value


@dataclass(frozen=True, kw_only=True)
class Flag(Param):
    """Yes or no."""

    default: bool

    def default_for(self, side: int) -> Value:
        return self.default

    def check(self, value: object, side: int) -> bool:
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise self.refuse("yes or no (true or false)", value)
        return value


def resolve(declared: Iterable[Param], given: Mapping[str, object] | None, side: int) -> dict[str, Value]:
    """Return every declared parameter with a checked value, in the declared order.

    Raises:
        UnknownName: a parameter that nobody declared.
        InvalidParam: a value outside its bounds.
    """
    known = {param.name: param for param in declared}
    for name in given or {}:
        if name not in known:
            raise UnknownName.of("parameter", name, known)
    values = {name: param.default_for(side) for name, param in known.items()} | dict(given or {})
    return {name: known[name].check(value, side) for name, value in values.items()}


class ParamReader:
    """Typed access to the checked parameters of a request."""

    params: Mapping[str, Value]

    def number(self, name: str) -> float:
        """Return a numeric parameter."""
        return float(self.params[name])

    def integer(self, name: str) -> int:
        """Return a whole-number parameter."""
        return int(self.params[name])

    def choice(self, name: str) -> str:
        """Return the chosen option of a parameter."""
        return str(self.params[name])


def check_seed(seed: object) -> int:
    """Return a seed that every generator takes, as int. Raises InvalidParam with what is allowed.

    >>> check_seed(np.int64(3))
    3
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed <= MAX_SEED:
        raise InvalidParam(f"The seed must be a whole number from 0 to {MAX_SEED}. Got {str(seed)[:60]!r}.")
    return int(seed)
