"""Roles that a column can play in a table, and how a column is read in another role than the one that was guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from xai_core.errors import InvalidTable
from xai_core.tabular.data.cell_texts import CellTexts
from xai_core.tabular.data.column import Column, Kind

Role = Literal["number", "category", "ordered", "date", "id", "left out"]
# Columns in these roles are features only on request.
UNUSED_ROLES: tuple[Role, ...] = ("id", "left out")
_WORDS: Mapping[str, str] = {
    "number": "numbers",
    "category": "kinds",
    "ordered": "kinds in an order",
    "date": "dates",
    "id": "an id",
    "left out": "a column to leave out",
}


def role_error(name: str, role: str, choices: tuple[Role, ...]) -> InvalidTable:
    """Return the error about a role that a column cannot take."""
    allowed = ", ".join(repr(choice) for choice in choices)
    return InvalidTable(f"The column {name!r} cannot be read as {_WORDS.get(role, repr(role))}. Allowed: {allowed}.")


def base_role(column: Column) -> Role:
    """Return the role in which a column is stored."""
    if column.kind in ("numeric", "date"):
        return "number" if column.kind == "numeric" else "date"
    return "ordered" if column.ordered else "category"


@dataclass(frozen=True, eq=False)
class ColumnReading:
    """Kind and values of a column's cells or of its distinct texts, (N,), float64 or object; NaN counts as missing."""

    kind: Kind
    values: np.ndarray
    words: tuple[str, str] = ("no", "yes")
    """The file's words of a boolean: no, then yes."""
    forms: tuple[str, ...] = ()
    """Sentences about the form of its cells, where that is not plain; the column's name is to follow."""
    notes: tuple[str, ...] = ()
    missing_words: tuple[tuple[str, int], ...] = ()
    """Words that count as missing, with the number of rows that have them."""
    kept_words: tuple[tuple[str, int], ...] = ()
    """Words that often stand for no value and are categories here, with the number of rows that have them."""


@dataclass(frozen=True, eq=False)
class TypedColumn(ColumnReading):
    """A column as a table stores it, a value for each of N rows."""

    texts: CellTexts | None = None
    """None where the file states types (Parquet)."""
    order: tuple[str, ...] = ()
    """Categories in rising order; () where they have none."""
    order_reason: str = ""
    """Reason for the order in words; "" where the column is not read as ordered."""


class ColumnSource(Protocol):
    """Cells of a column as the file has them, to be read in another role."""

    def choices(self) -> tuple[Role, ...]:
        """Return the roles that the column can take."""
        ...

    def read_as(self, role: Role) -> TypedColumn:
        """Return the column in a role. Raises InvalidTable where it cannot take it."""
        ...
