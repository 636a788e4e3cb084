"""How the cells of a column of text are written: as yes and no, as dates, as numbers of one form, or as categories.

A form (decimal commas, a way to write dates) is taken for a column when at least 95 % of its cells follow it; the others then count as
missing, and a note says so. Only distinct cells are looked at, so that a million rows of few values cost little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.tabular.data.column import Kind

ENOUGH = 0.95
_PARTLY = 0.2
LARGEST = 1e30
"""Larger numbers are counted as missing: models that compute in float32 cannot take them."""
_BOOLEANS = (("no", "yes"), ("false", "true"), ("n", "y"), ("f", "t"), ("0", "1"))
DAY_US = 86_400_000_000
_SPELLINGS = 16
"""No pair of words has more ways to be written in small and capital letters that anybody uses."""


@dataclass(frozen=True, eq=False)
class Typed:
    """A column as a table stores it: float64 or object cells, (N,)."""

    kind: Kind
    values: np.ndarray
    words: tuple[str, str] = ("no", "yes")
    """How a boolean was written in the file: no, then yes."""
    form: str = ""
    """How its numbers are written, where that is not plain."""
    note: str = ""


@dataclass(frozen=True)
class _Form:
    """One way to write a number: `drop` goes out of the cell, `mark` becomes the decimal point."""

    pattern: str
    drop: str = ""
    mark: str = "."
    words: str = ""


_EXPONENT = r"([eE][+-]?\d{1,3})?$"
_PLAIN = _Form(r"^[+-]?(\d+\.?\d*|\.\d+)" + _EXPONENT)
_DECIMAL_COMMA = _Form(
    r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?" + _EXPONENT, ".", ",", "The comma was read as the decimal mark"
)
_THOUSANDS = _Form(
    r"^[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?" + _EXPONENT, ",", ".", "The comma was read as a mark between thousands"
)
_CODE = r"^0\d+$"
_PLAIN_DATE = (r"^(19|20)\d{6}$", "%Y%m%d")
_DATES = (
    (r"^\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})?)?)?$", "ISO8601"),
    (r"^\d{4}/\d{1,2}/\d{1,2}$", "%Y/%m/%d"),
    (r"^\d{1,2}\.\d{1,2}\.\d{4}$", "%d.%m.%Y"),
)
_SLASHED = (r"^\d{1,2}/\d{1,2}/\d{4}$", "%d/%m/%Y", "%m/%d/%Y")


@dataclass(frozen=True, eq=False)
class Distinct:
    """The different cells of a column and how often each occurs."""

    cells: pa.StringArray
    counts: np.ndarray

    def share(self, good: np.ndarray) -> float:
        """The share of the rows whose cell is good."""
        return float(self.counts[good].sum() / max(self.counts.sum(), 1))

    def match(self, pattern: str) -> np.ndarray:
        return np.asarray(pc.match_substring_regex(self.cells, pattern).to_numpy(zero_copy_only=False), dtype=bool)

    @cached_property
    def plain(self) -> np.ndarray:
        """Which cells are plain numbers."""
        return self.match(_PLAIN.pattern)

    def text(self) -> np.ndarray:
        return np.asarray(self.cells.to_numpy(zero_copy_only=False), dtype=object)

    def odd_ones(self, odd: np.ndarray) -> str:
        """How many cells these are, and three of them."""
        shown = ", ".join(
            repr(str(cell)[:30]) for cell in self.cells.take(pa.array(np.flatnonzero(odd)[:3])).to_pylist()
        )
        count = self.counts[odd].sum()
        return f"{count:,} cells ({shown}) are" if count > 1 else f"1 cell ({shown}) is"


def read_distinct(name: str, distinct: Distinct, decimal_comma: bool) -> Typed:
    """The kind of the distinct cells; the values are theirs, one each."""
    found = _booleans(distinct) or _dates(name, distinct) or _numbers(name, distinct, decimal_comma)
    return found or Typed("category", distinct.text(), note=_mixed_note(name, distinct))


def _booleans(distinct: Distinct) -> Typed | None:
    """The two words of one pair, however they are written; of "true" and "false" one will do, where a lone "n" could be anything."""
    if len(distinct.cells) > _SPELLINGS:
        return None
    cells = [cell.lower() for cell in distinct.cells.to_pylist()]
    for no, yes in _BOOLEANS:
        if set(cells) == {no, yes} or (cells and yes == "true" and set(cells) <= {no, yes}):
            return Typed("boolean", np.array([float(cell == yes) for cell in cells]), (no, yes))
    return None


def _numbers(name: str, distinct: Distinct, decimal_comma: bool) -> Typed | None:
    """Read in the form that most cells follow. Codes such as 00123 stay text: as numbers they would lose their zeros."""
    if distinct.match(_CODE).any():
        return None
    marked = (_DECIMAL_COMMA, _THOUSANDS) if decimal_comma else (_THOUSANDS,)
    forms = (_PLAIN,) if distinct.plain.all() else (_PLAIN, *marked)
    fits = [distinct.plain, *(distinct.match(form.pattern) for form in forms[1:])]
    best = max(range(len(forms)), key=lambda position: distinct.share(fits[position]))  # the first of equals: plain
    if distinct.share(fits[best]) < ENOUGH:
        return None
    numbers = _as_numbers(distinct, fits[best], forms[best])
    return Typed(
        "numeric", numbers, form=forms[best].words, note=_odd_note(name, distinct, np.isnan(numbers), "numbers")
    )


def _as_numbers(distinct: Distinct, fits: np.ndarray, form: _Form) -> np.ndarray:
    cells = distinct.cells.filter(pa.array(fits))
    if form.drop:
        cells = pc.replace_substring(pc.replace_substring(cells, form.drop, ""), form.mark, ".")
    numbers = np.full(len(fits), math.nan)
    numbers[fits] = cells.cast(pa.float64()).to_numpy()
    return in_range(numbers)


def _dates(name: str, distinct: Distinct) -> Typed | None:
    for pattern, form in (_PLAIN_DATE,) if distinct.plain.all() else (_PLAIN_DATE, *_DATES):
        if distinct.share(distinct.match(pattern)) >= ENOUGH:
            days = _days(distinct, form)
            if distinct.share(~np.isnan(days)) >= ENOUGH:
                return Typed("date", days, note=_odd_note(name, distinct, np.isnan(days), "dates"))
    return _slashed_dates(name, distinct)


def _slashed_dates(name: str, distinct: Distinct) -> Typed | None:
    """31/01/2024 or 01/31/2024, where only one of the two ways to read it makes dates of all cells."""
    pattern, *forms = _SLASHED
    if distinct.plain.any() or not len(distinct.cells) or not distinct.match(pattern).all():
        return None
    ways = [days for days in (_days(distinct, form) for form in forms) if not np.isnan(days).any()]
    if len(ways) == 2 and not np.array_equal(ways[0], ways[1]):
        note = f"Column {name!r} is kept as text: its dates could start with the day or with the month. Write them as 2024-01-31."
        return Typed("category", distinct.text(), note=note)
    return Typed("date", ways[0]) if ways else None


def _days(distinct: Distinct, form: str) -> np.ndarray:
    """Days since 1970-01-01, NaN where a cell is no such date. Times with a zone are moved to UTC."""
    moments = pd.to_datetime(pd.Series(distinct.text(), dtype=object), format=form, errors="coerce", utc=True)
    stamps = moments.dt.tz_localize(None).dt.as_unit("us").to_numpy()  # nanoseconds would end in the year 2262
    return np.where(np.isnat(stamps), math.nan, stamps.astype(np.int64) / DAY_US)


def _odd_note(name: str, distinct: Distinct, odd: np.ndarray, wanted: str) -> str:
    return f"Column {name!r} holds {wanted}; {distinct.odd_ones(odd)} not, and counted as missing." if odd.any() else ""


def _mixed_note(name: str, distinct: Distinct) -> str:
    """What a person should know of a column that is partly numbers."""
    if distinct.share(distinct.plain) < _PARTLY or distinct.plain.all():
        return ""
    words = distinct.odd_ones(~distinct.plain)
    return f"Column {name!r} mixes numbers and words, so its values were taken for categories; {words} not numbers."


def in_range(numbers: np.ndarray) -> np.ndarray:
    """Without infinities and numbers too large to compute with; −0 is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(numbers) <= LARGEST, numbers, math.nan) + 0.0
