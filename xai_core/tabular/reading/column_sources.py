"""A file's column read in another role than the one that was guessed: number, kind, ordered kind or date."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.tabular.data.column import format_date, name_number
from xai_core.tabular.data.natural_order import order_rising
from xai_core.tabular.data.roles import UNUSED_ROLES, ColumnReading, Role, TypedColumn, role_error
from xai_core.tabular.reading.column_types import TextColumn, convert_values, read_values
from xai_core.tabular.reading.values.text_values import MIN_CHOSEN_SHARE, FileContext

# Categories that can be put in an order.
MAX_ORDERED = 200


@dataclass(frozen=True, eq=False)
class TextSource:
    """A column of texts, and what is known of its file."""

    column: TextColumn
    context: FileContext

    def choices(self) -> tuple[Role, ...]:
        """Return the roles that the column can take."""
        return self._choices

    @cached_property
    def _choices(self) -> tuple[Role, ...]:
        can_be_category = not self.column.has_long_texts
        can_be_ordered = can_be_category and 2 < np.count_nonzero(self.column.counts) <= MAX_ORDERED
        roles: dict[Role, object] = {
            "number": self._read_numbers(),
            "category": can_be_category,
            "ordered": can_be_ordered,
            "date": self.column.parser().read_chosen_dates(self.context),
        }
        return (*(role for role, is_possible in roles.items() if is_possible), *UNUSED_ROLES)

    def read_as(self, role: Role) -> TypedColumn:
        """Return the column in a role. Raises InvalidTable where it cannot take it."""
        reading = self._read(role) if role in self.choices() else None
        column = self.column.build(reading) if reading else ""
        if isinstance(column, str):
            raise role_error(self.column.name, role, self.choices())
        if role == "number":
            return replace(column, kind="numeric")
        if role in ("category", "ordered") and column.kind == "category":
            column = self._merge_spellings(column)
        return _put_in_order(column) if role == "ordered" else column

    def _guess(self) -> ColumnReading | None:
        guess = self.column.parser().guess(self.context)
        return guess if isinstance(guess, ColumnReading) else None

    def _read_numbers(self) -> ColumnReading | None:
        guess = self._guess()
        if guess and guess.kind == "numeric":
            return guess
        return self.column.parser().read_numbers(self.context, MIN_CHOSEN_SHARE)

    def _read(self, role: Role) -> ColumnReading | None:
        if role == "number":
            return self._read_numbers()
        if role == "date":
            return self.column.parser().read_chosen_dates(self.context)
        guess = self._guess()
        if role == "category" and guess and guess.kind == "boolean":
            return guess
        return self.column.parser().read_categories()

    def _merge_spellings(self, column: TypedColumn) -> TypedColumn:
        """Return categories of which 3 and 3.0 are one, called by the shortest spelling, in the order of their size."""
        guess = self._guess()
        if guess is None or guess.kind not in ("numeric", "date") or column.texts is None:
            return column
        used = np.flatnonzero(self.column.counts > 0)
        pairs = list(zip(column.texts.values, guess.values[used], strict=True))
        names: dict[float, str] = {}
        for label, number in pairs:
            if isinstance(label, str) and number == number:
                names[number] = min(names.get(number, label), label, key=len)
        merged = np.array([names.get(number, label) for label, number in pairs], dtype=object)
        by_text = np.full(len(self.column.texts) + 1, math.nan, dtype=object)
        by_text[used] = merged
        order = tuple(names[number] for number in sorted(names))
        texts = replace(column.texts, values=merged)
        return replace(column, values=by_text[self.column.indices], texts=texts, order=order)


@dataclass(frozen=True, eq=False)
class ValueSource:
    """A column whose type the file states (Parquet)."""

    name: str
    cells: pa.ChunkedArray

    def choices(self) -> tuple[Role, ...]:
        """Return the roles that the column can take."""
        return self._choices

    @cached_property
    def _choices(self) -> tuple[Role, ...]:
        guess = read_values(self.name, self.cells)
        if isinstance(guess, str):
            return UNUSED_ROLES
        own: tuple[Role, ...] = ("date", "category") if guess.kind == "date" else ("number", "category")
        can_be_ordered = 2 < pc.count_distinct(self.cells).as_py() <= MAX_ORDERED
        return (*own, *(("ordered",) if can_be_ordered else ()), *UNUSED_ROLES)

    def read_as(self, role: Role) -> TypedColumn:
        """Return the column in a role. Raises InvalidTable where it cannot take it."""
        guess = read_values(self.name, self.cells)
        if role not in self.choices() or isinstance(guess, str):
            raise role_error(self.name, role, self.choices())
        if role in ("number", "date"):
            return replace(convert_values(self.cells), kind="numeric" if role == "number" else "date")
        if role == "category" and guess.kind == "boolean":
            return guess
        column = _name_values(guess)
        return _put_in_order(column) if role == "ordered" else column


def _put_in_order(column: TypedColumn) -> TypedColumn:
    """Return a column of categories with their rising order, and the reason for it."""
    labels = list(dict.fromkeys(value for value in column.values if isinstance(value, str)))
    if set(labels) == set(column.order):
        return replace(column, order_reason="by their size")
    order, reason = order_rising(labels)
    return replace(column, order=order, order_reason=reason)


def _name_values(column: TypedColumn) -> TypedColumn:
    """Return a column of numbers or dates as categories, in the order of their size."""
    if column.kind == "category":
        return column
    numbers, index = np.unique(column.values, return_inverse=True)
    name = format_date if column.kind == "date" else name_number
    labels = np.array([math.nan if number != number else name(float(number)) for number in numbers], dtype=object)
    order = tuple(label for label in labels if isinstance(label, str))
    return replace(column, kind="category", values=labels[index], order=order)
