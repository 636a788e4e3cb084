"""Ways in which a feature may change: locked, only up, only down, or within a range."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isinf, isnan
from typing import Any, Literal

import numpy as np

from xai_core.arrays import Bool, Float64
from xai_core.errors import InvalidParam
from xai_core.tabular.data.cell_format import format_cell
from xai_core.tabular.data.column import Column, find_column
from xai_core.tabular.data.table import Table

# A pair is the lowest and highest new value, as a form gives them; None is an open end.
Direction = Literal["locked", "up", "down"] | tuple[Any, Any]
_WORDS = {"up": "may only rise", "down": "may only fall"}
_REMEDY = "Leave it free, or lock it to keep its value."
# Names, in several languages, of what only grows as time passes.
_RISING = re.compile(
    r"(?i)(?:^|[\W\d_])(age|ages|alter|edad|âge|idade|età|leeftijd|ålder|alder|wiek|возраст|ηλικία|年龄|年齢"
    r"|years?|jahre?|año|ano|année|anno|jaar|år|rok|год|έτος)(?:$|[\W\d_])"
)
# Between the words of a name such as PatientAge.
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, eq=False)
class Limits:
    """Values that each feature may take besides its own, as coded numbers."""

    locked: Bool
    """(features,)"""
    low: Float64
    """(features,)"""
    high: Float64
    """(features,)"""

    @classmethod
    def of(cls, columns: Sequence[Column], start: Float64, directions: Mapping[str, Direction]) -> Limits:
        """Return the limits for a coded row, (features,).

        Raises:
            UnknownName: a direction for a column that does not exist.
            InvalidParam: a direction that cannot be kept; the sentence names the feature.
            InvalidTable: an end of a range that is no value of the column.
        """
        for name in directions:
            find_column(columns, name)
        ends = [
            _find_ends(column, float(own), directions.get(column.name))
            for column, own in zip(columns, start, strict=True)
        ]
        locked = np.array([directions.get(column.name) == "locked" for column in columns])
        return cls(locked, np.array([low for low, _ in ends]), np.array([high for _, high in ends]))


def has_order(column: Column) -> bool:
    """Return whether a column has more and less: numbers, dates, no before yes, and ordered categories."""
    return column.kind != "category" or column.ordered


def check_direction(column: Column, direction: Any) -> Direction:
    """Return a direction with a tuple for a range.

    Raises:
        InvalidParam: it does not exist, or not for this column.
        InvalidTable: an end of a range that is no value of the column.
    """
    is_pair = isinstance(direction, (tuple, list)) and len(direction) == 2
    if not is_pair and not (isinstance(direction, str) and direction in ("locked", *_WORDS)):
        allowed = "'locked', 'up', 'down' or a pair of its lowest and highest value"
        raise InvalidParam(f"The direction of {column.name} must be {allowed}. Got {str(direction)[:60]!r}.")
    if direction == "locked":
        return "locked"
    if not has_order(column):
        words = "may only lie in a range" if is_pair else _WORDS[direction]
        raise InvalidParam(f"{column.name} {words}, but its values have no order. It can be locked or free.")
    if not is_pair:
        return "up" if direction == "up" else "down"
    low, high = (_encode_end(column, end, open_end) for end, open_end in zip(direction, (-inf, inf), strict=True))
    if low > high:
        raise InvalidParam(
            f"{column.name} may only lie between {_show(column, low)} and {_show(column, high)}, but the first of them "
            "is the higher one. Swap them."
        )
    return tuple(direction)


def describe_directions(columns: Sequence[Column], directions: Mapping[str, Direction]) -> str:
    """Return what may not change freely in words: "age only rising, group locked"; "" where all may."""
    return ", ".join(
        f"{column.name} {_describe_direction(column, directions[column.name])}"
        for column in columns
        if column.name in directions
    )


def suggest_rising(table: Table) -> tuple[str, ...]:
    """Return the features whose names say that they only grow as time passes, such as age and year."""
    names = {column.name: _CAMEL.sub(" ", column.name) for column in table.columns if has_order(column)}
    return tuple(name for name, words in names.items() if _RISING.search(words))


def _describe_direction(column: Column, direction: Direction) -> str:
    if isinstance(direction, str):
        return {"locked": "locked", "up": "only rising", "down": "only falling"}[direction]
    low, high = (_encode_end(column, end, open_end) for end, open_end in zip(direction, (-inf, inf), strict=True))
    if isinf(low) or isinf(high):
        return f"at most {_show(column, high)}" if isinf(low) else f"at least {_show(column, low)}"
    return f"between {_show(column, low)} and {_show(column, high)}"


def _find_ends(column: Column, own: float, direction: Direction | None) -> tuple[float, float]:
    """Return the lowest and the highest coded value that a feature may change to.

    Raises: InvalidParam, InvalidTable.
    """
    lowest, highest = (0.0, len(column.categories) - 1.0) if column.kind == "category" else (column.low, column.high)
    if direction is None or direction == "locked":
        return lowest, highest
    checked = check_direction(column, direction)
    if isinstance(checked, str):
        return _find_one_sided_ends(column, own, checked, (lowest, highest))
    low, high = (_encode_end(column, end, open_end) for end, open_end in zip(checked, (-inf, inf), strict=True))
    low, high = max(low, lowest), min(high, highest)
    if column.whole or column.kind == "boolean":
        low, high = ceil(low), floor(high)
    if low > high:
        raise InvalidParam(
            f"{column.name} may only be {_describe_direction(column, checked)}, but the values in this table go from "
            f"{_show(column, lowest)} to {_show(column, highest)} and none of them fits. Choose another range."
        )
    return float(low), float(high)


def _find_one_sided_ends(column: Column, own: float, direction: str, ends: tuple[float, float]) -> tuple[float, float]:
    words, lowest, highest = f"{column.name} {_WORDS[direction]}", *ends
    if isnan(own):
        raise InvalidParam(f"{words}, but it has no value in this row. {_REMEDY}")
    if direction == "up" and own >= highest:
        raise InvalidParam(
            f"{words}, but this row has {_show(column, own)} and the highest in this table is "
            f"{_show(column, highest)}. {_REMEDY}"
        )
    if direction == "down" and own <= lowest:
        raise InvalidParam(
            f"{words}, but this row has {_show(column, own)} and the lowest in this table is "
            f"{_show(column, lowest)}. {_REMEDY}"
        )
    return (max(own, lowest), highest) if direction == "up" else (lowest, min(own, highest))


def _encode_end(column: Column, end: Any, open_end: float) -> float:
    """Return an end of a range as a coded number.

    Raises: InvalidTable (no value of the column).
    """
    if end is None or (isinstance(end, float) and isinf(end)):
        return open_end
    value = column.parse(end)
    if isinstance(value, str):
        return float(column.categories.index(value))
    return open_end if isnan(value) else value


def _show(column: Column, code: float) -> str:
    return column.categories[int(code)] if column.kind == "category" else format_cell(column, code)
