"""Units of a network by name: "class:951", "channel:<layer>:12", "neuron:<layer>:12:3:3", "layer:<layer>".

A name is checked against the model once, here; everybody behind it may trust the record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Literal, TypeVar, get_args

from xai_core.errors import InvalidParam
from xai_core.models.classifier import Classifier

T = TypeVar("T")
Kind = Literal["class", "channel", "neuron", "layer"]
UnitLike = str | Mapping[str, float]
_FORMS = "class:951, channel:<layer>:12, neuron:<layer>:12:3:3 (channel, row, column) or layer:<layer>"
# Parts behind the layer's name, which may hold colons itself.
_NUMBERS = {"channel": 1, "neuron": 3, "layer": 0}


@dataclass(frozen=True)
class Unit:
    """One unit that exists in its model. `index` is a class or a channel, `place` the (row, column) of a neuron."""

    kind: Kind
    layer: str | None = None
    """Name of the layer as the model lists it, never an alias; None for a class."""
    index: int | None = None
    place: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """The text that `parse_unit` reads as this unit."""
        parts = [self.kind, self.layer, self.index, *(self.place or ())]
        return ":".join(str(part) for part in parts if part is not None)


def parse_unit(model: Classifier, text: str) -> Unit:
    """Return the unit of this name; a class may also be given by its label.

    Raises InvalidParam (no such form, a number out of range, a layer without maps) or UnknownName (layer, label).

    >>> from xai_core import load_model
    >>> parse_unit(load_model("small_cnn"), "neuron:conv2:3:0:1")
    Unit(kind='neuron', layer='conv2', index=3, place=(0, 1))
    """
    kind, separator, rest = text.partition(":") if isinstance(text, str) else ("", "", "")
    rest = rest.strip()
    if kind == "class" and rest:
        digits = rest.removeprefix("-")
        is_number = digits.isascii() and digits.isdigit() and len(rest) < 10
        return Unit("class", index=model.class_index(int(rest) if is_number else rest))
    if kind not in get_args(Kind) or not separator or not rest:
        raise InvalidParam(f"A unit is written as {_FORMS}. Got {str(text)[:80]!r}.")
    name, *numbers = rest.rsplit(":", _NUMBERS[kind])
    if len(numbers) != _NUMBERS[kind]:
        raise InvalidParam(f"A unit is written as {_FORMS}. Got {text[:80]!r}.")
    layer = model.layer(name)
    name = layer.alias_of or layer.name
    if kind == "layer":
        return Unit("layer", name)
    channel = _read_number("channels", numbers[0], layer.channels, name)
    if kind == "channel":
        return Unit("channel", name, channel)
    row, column = (
        _read_number(what, number, count, name)
        for what, number, count in zip(("rows", "columns"), numbers[1:], layer.grid, strict=True)
    )
    return Unit("neuron", name, channel, (row, column))


def parse_weighted_units(model: Classifier, unit: UnitLike) -> tuple[tuple[Unit, float], ...]:
    """Return the units of a name, or of a mapping of names to weights, each with its weight; a name weighs 1.

    Raises as `parse_unit` does, and InvalidParam for an empty mapping or a weight that is zero or no number.

    >>> from xai_core import load_model
    >>> [(unit.name, weight) for unit, weight in parse_weighted_units(load_model("small_cnn"), {"class:3": 2})]
    [('class:3', 2.0)]
    """
    return parse_sum(model, unit, parse_unit)


def parse_sum(model: Classifier, unit: UnitLike, parse: Callable[[Classifier, str], T]) -> tuple[tuple[T, float], ...]:
    """Return what `parse` reads of each name, with its weight. Raises as `parse` and `parse_weighted_units` do."""
    if not isinstance(unit, Mapping):
        return ((parse(model, unit), 1.0),)
    if not unit:
        raise InvalidParam("A weighted sum needs at least one unit. Got none.")
    weighted = []
    for text, weight in unit.items():
        if not _is_weight(weight):
            raise InvalidParam(f"The weight of {text!r} must be a number other than 0. Got {str(weight)[:60]!r}.")
        weighted.append((parse(model, text), float(weight)))
    return tuple(weighted)


def _is_weight(value: object) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value != 0  # type: ignore[arg-type]


def count_siblings(model: Classifier, unit: Unit) -> int:
    """Return the number of units of this kind that differ in their class or channel only; 1 for a whole layer."""
    if unit.kind == "class":
        return len(model.labels)
    return 1 if unit.layer is None or unit.kind == "layer" else model.layer(unit.layer).channels


def step_unit(model: Classifier, unit: Unit, step: int) -> Unit | None:
    """Return the unit whose class or channel is `step` further, or None beyond either end and for a whole layer."""
    index = None if unit.index is None else unit.index + step
    return None if index is None or not 0 <= index < count_siblings(model, unit) else replace(unit, index=index)


def _read_number(what: str, text: str, count: int, layer: str) -> int:
    """Return a number of a unit's name. Raises InvalidParam unless it is 0 to `count` - 1."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if not 0 <= number < count:
        raise InvalidParam(f"The layer {layer!r} has {what} 0 to {count - 1}. Got {text[:60]!r}.")
    return number
