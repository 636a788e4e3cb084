"""Columns of a table: their kinds, and single cells read from a form and written for a person.

Storage of cells, in `Table.frame` and in everything that is cut from it:

- numeric: float64, NaN where there is no value;
- boolean: float64, 0.0 for no and 1.0 for yes, NaN where there is no value;
- date: float64, days since 1970-01-01 (parts of a day are fractions), NaN where there is no value;
- category: object, a `str` or NaN where there is no value. scikit-learn's imputers and encoders take NaN for missing,
  and not None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, Literal

import numpy as np
import pandas as pd

from xai_core.errors import InvalidTable, UnknownName
from xai_core.formatting import natural_key

Kind = Literal["numeric", "category", "boolean", "date"]

# Of more categories, which nobody reads through, equally frequent ones are sorted by their letters.
MAX_NATURAL = 1000
# Whole numbers that are shown without a mark between thousands where a column holds years.
YEARS = (1800, 2200)
_YEAR_WORDS = frozenset("year yr years jahr jahrgang baujahr année annee an año ano anno jaar rok ár år год".split())
_WORD = re.compile(r"[^\W\d_]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY = timedelta(days=1)
_YES_NO = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}


@dataclass(frozen=True)
class Column:
    """A column's kind, its range or its categories, and the number of cells without a value."""

    name: str
    kind: Kind
    missing: int
    low: float
    """Smallest value; of a date in days since 1970-01-01; NaN for a category."""
    high: float
    whole: bool
    """Numeric with whole numbers only."""
    categories: tuple[str, ...]
    """The values of a category, most frequent first, or rising if they are ordered; () otherwise."""
    ordered: bool = False
    """A category whose values go from less to more."""

    @property
    def holds_years(self) -> bool:
        """True where its numbers are years: all from 1800 to 2200, or called so."""
        first, last = YEARS
        return (
            self.kind == "numeric"
            and self.whole
            and (first <= self.low <= self.high <= last or not _YEAR_WORDS.isdisjoint(_WORD.findall(self.name.lower())))
        )

    def sort_labels(self, labels: Iterable[str]) -> list[str]:
        """Return categories in rising order, or in their natural order if they have none."""
        if self.ordered:
            return sorted(labels, key=self.categories.index)
        return sorted(labels, key=natural_key)

    def show(self, value: Any) -> str:
        """Return a cell as a person writes it: 3,200, 0.25, 1998 for a year, yes, 2024-01-31, or "missing"."""
        if _is_missing(value):
            return "missing"
        if self.kind == "category":
            return str(value)
        if self.kind == "boolean":
            return "yes" if value >= 0.5 else "no"
        if self.kind == "date":
            return format_date(float(value))
        number = float(value)
        is_year = self.holds_years and number == int(number) and YEARS[0] <= number <= YEARS[1]
        return str(int(number)) if is_year else format_number(number)

    def parse(self, value: Any) -> float | str:
        """Return a value from a form as this column stores it, NaN where nothing is given.

        Raises:
            InvalidTable: a category that the table does not have, or text that is not a number or a date.
        """
        if _is_missing(value):
            return math.nan
        if self.kind == "category":
            return self._check_category(str(value))
        read = {"numeric": _read_number, "boolean": _read_yes_no, "date": _read_date}[self.kind]
        try:
            number = read(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            expected = {"numeric": "a number", "boolean": "yes or no", "date": "a date such as 2024-01-31"}[self.kind]
            raise InvalidTable(f"The column {self.name!r} needs {expected}. Got {str(value)[:60]!r}.")
        return number

    def _check_category(self, value: str) -> str:
        if value not in self.categories:
            known = ", ".join(self.categories[:12]) + (", …" if len(self.categories) > 12 else "")
            raise InvalidTable(f"The column {self.name!r} has no value {value[:60]!r}. It has: {known}.")
        return value


def find_column(columns: Sequence[Column], name: str) -> Column:
    """Return the column of this name. Raises UnknownName with the nearest names."""
    for column in columns:
        if column.name == name:
            return column
    raise UnknownName.of("column", name, [column.name for column in columns])


def describe_column(name: str, kind: Kind, values: pd.Series[Any], order: Sequence[str] = ()) -> Column:
    """Return the record of a column, from cells stored as this module says.

    `order`: categories in rising order, which makes the column an ordered one.
    """
    present = values.dropna()
    missing = len(values) - len(present)
    if kind == "category":
        counts = present.value_counts().to_dict()
        if order:
            rising = tuple(label for label in order if label in counts)
            return Column(name, kind, missing, math.nan, math.nan, False, rising, ordered=True)
        # Equally frequent categories are sorted, or their order would depend on the rows.
        few = len(counts) <= MAX_NATURAL
        labels = sorted(counts, key=lambda label: (-counts[label], natural_key(label) if few else label))
        return Column(name, kind, missing, math.nan, math.nan, False, tuple(labels))
    numbers = present.to_numpy(dtype=np.float64)
    low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (math.nan, math.nan)
    whole = kind == "numeric" and len(numbers) > 0 and bool(np.all(numbers == np.floor(numbers)))
    return Column(name, kind, missing, low, high, whole, ())


def _is_missing(value: Any) -> bool:
    """Return whether a single value, of a form or of a cell, is empty."""
    return value is None or value is pd.NaT or (isinstance(value, str) and not value.strip()) or bool(value != value)


def _read_number(value: Any) -> float:
    return float(value)


def _read_yes_no(value: Any) -> float:
    number = _YES_NO.get(str(value).strip().lower().removesuffix(".0"))
    if number is None:
        raise ValueError("neither yes nor no")
    return number


def _read_date(value: Any) -> float:
    """Return days since 1970-01-01 from a date, a moment, a text in ISO form, or a number of days."""
    if isinstance(value, (int, float, np.number)):
        return float(value)
    moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=timezone.utc)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return float((moment - _EPOCH) / _DAY)


def format_number(value: float) -> str:
    """Return a number for a person: "3,200", "1,234.57", "0.123", "0.00012"."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.2f}" if abs(value) < 1e15 else f"{value:.3g}"
    # Smaller numbers have too many zeros to count.
    return np.format_float_positional(float(f"{value:.3g}"), trim="-") if abs(value) >= 1e-6 else f"{value:.3g}"


def name_number(value: float) -> str:
    """Return a number as a label, without marks: "3", "1000", "0.5"."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def format_date(days: float) -> str:
    """Return days since 1970-01-01 as a date, with the time if there is one."""
    try:
        moment = _EPOCH + timedelta(days=days)
    except OverflowError:
        return f"day {days:g}"
    return moment.date().isoformat() if days == int(days) else moment.strftime("%Y-%m-%d %H:%M")
