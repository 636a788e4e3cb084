"""Parse the texts of a column as yes and no, as dates, as numbers of one form, or as categories.

A form (decimal commas, a date format) is taken for a column when at least 95 % of its cells follow it; the others then
count as missing, and a note says so. Only distinct cells are parsed, so that a million rows of few values cost little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.arrays import Bool, Float64, Int64
from xai_core.tabular.data.cell_texts import CellTexts
from xai_core.tabular.data.column import Kind

# Share of a column's cells that must follow a form.
MIN_SHARE = 0.95
# Share of numbers from which a column of categories gets a note that it mixes numbers and words.
MIN_MIXED_SHARE = 0.2
# Larger numbers count as missing: models that compute in float32 cannot take them.
MAX_NUMBER = 1e30
DAY_US = 86_400_000_000
_BOOLEANS = (("no", "yes"), ("false", "true"), ("n", "y"), ("f", "t"), ("0", "1"))
# No pair of words has more spellings in small and capital letters that anybody uses.
_MAX_SPELLINGS = 16


@dataclass(frozen=True, eq=False)
class TypedColumn:
    """A column as a table stores it: float64 or object cells, (N,)."""

    kind: Kind
    values: np.ndarray
    words: tuple[str, str] = ("no", "yes")
    """The file's words of a boolean: no, then yes."""
    form: str = ""
    """Sentence about the form of its numbers, where that is not plain."""
    note: str = ""
    texts: CellTexts | None = None
    """None where the file states types (Parquet)."""


@dataclass(frozen=True)
class _NumberForm:
    """A way to write numbers: `drop` is removed from the cell, `mark` becomes the decimal point."""

    pattern: str
    drop: str = ""
    mark: str = "."
    words: str = ""


_EXPONENT = r"([eE][+-]?\d{1,3})?$"
_PLAIN = _NumberForm(r"^[+-]?(\d+\.?\d*|\.\d+)" + _EXPONENT)
_DECIMAL_COMMA = _NumberForm(
    r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?" + _EXPONENT, ".", ",", "The comma was read as the decimal mark"
)
_THOUSANDS = _NumberForm(
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
class DistinctCells:
    """The distinct texts of a column, (D,), and how many rows have each."""

    cells: pa.StringArray
    counts: Int64

    def share(self, selected: Bool) -> float:
        """Return the share of the rows whose cell is selected, (D,)."""
        return float(self.counts[selected].sum() / max(self.counts.sum(), 1))

    def match(self, pattern: str) -> Bool:
        """Return which cells match a regular expression, (D,)."""
        return np.asarray(pc.match_substring_regex(self.cells, pattern).to_numpy(zero_copy_only=False), dtype=bool)

    @cached_property
    def is_plain_number(self) -> Bool:
        """Mask of the plain numbers, (D,)."""
        return self.match(_PLAIN.pattern)

    def to_objects(self) -> np.ndarray:
        """Return the cells as an array of str objects, (D,)."""
        return np.asarray(self.cells.to_numpy(zero_copy_only=False), dtype=object)

    def describe(self, selected: Bool) -> str:
        """Return the number of rows with selected cells and three of these cells, as the beginning of a sentence."""
        examples = self.cells.take(pa.array(np.flatnonzero(selected)[:3])).to_pylist()
        shown = ", ".join(repr(str(cell)[:30]) for cell in examples)
        count = self.counts[selected].sum()
        return f"{count:,} cells ({shown}) are" if count > 1 else f"1 cell ({shown}) is"


def parse_distinct(name: str, distinct: DistinctCells, decimal_comma: bool) -> TypedColumn:
    """Return the kind of a column and the values of its distinct cells, (D,)."""
    column = _parse_booleans(distinct) or _parse_dates(name, distinct) or _parse_numbers(name, distinct, decimal_comma)
    return column or TypedColumn("category", distinct.to_objects(), note=_mixed_note(name, distinct))


def _parse_booleans(distinct: DistinctCells) -> TypedColumn | None:
    """Return cells that are the two words of one pair, in any spelling.

    Of "true" and "false" one will do; a lone "n" could be anything.
    """
    if len(distinct.cells) > _MAX_SPELLINGS:
        return None
    cells = [cell.lower() for cell in distinct.cells.to_pylist()]
    for no, yes in _BOOLEANS:
        if set(cells) == {no, yes} or (cells and yes == "true" and set(cells) <= {no, yes}):
            return TypedColumn("boolean", np.array([float(cell == yes) for cell in cells]), (no, yes))
    return None


def _parse_numbers(name: str, distinct: DistinctCells, decimal_comma: bool) -> TypedColumn | None:
    """Return numbers in the form that most cells follow, or None."""
    # Codes such as 00123 stay text: as numbers they would lose their zeros.
    if distinct.match(_CODE).any():
        return None
    comma_forms = (_DECIMAL_COMMA, _THOUSANDS) if decimal_comma else (_THOUSANDS,)
    forms = (_PLAIN,) if distinct.is_plain_number.all() else (_PLAIN, *comma_forms)
    masks = [distinct.is_plain_number, *(distinct.match(form.pattern) for form in forms[1:])]
    # Of equally good forms max takes the first: plain.
    best = max(range(len(forms)), key=lambda index: distinct.share(masks[index]))
    if distinct.share(masks[best]) < MIN_SHARE:
        return None
    numbers = _convert_numbers(distinct, masks[best], forms[best])
    note = _missing_note(name, distinct, np.isnan(numbers), "numbers")
    return TypedColumn("numeric", numbers, form=forms[best].words, note=note)


def _convert_numbers(distinct: DistinctCells, selected: Bool, form: _NumberForm) -> Float64:
    """Return the numbers of the selected cells, NaN for the others, (D,)."""
    cells = distinct.cells.filter(pa.array(selected))
    if form.drop:
        # Drop the marks between thousands first: the decimal mark may become the same sign.
        cells = pc.replace_substring(pc.replace_substring(cells, form.drop, ""), form.mark, ".")
    numbers = np.full(len(selected), math.nan)
    numbers[selected] = cells.cast(pa.float64()).to_numpy()
    return clip_to_missing(numbers)


def _parse_dates(name: str, distinct: DistinctCells) -> TypedColumn | None:
    for pattern, date_format in (_PLAIN_DATE,) if distinct.is_plain_number.all() else (_PLAIN_DATE, *_DATES):
        # The pattern is cheap and excludes most columns before anything is parsed.
        if distinct.share(distinct.match(pattern)) >= MIN_SHARE:
            days = _convert_days(distinct, date_format)
            # A cell of the right form may still be no date, such as 31.02.2024.
            if distinct.share(~np.isnan(days)) >= MIN_SHARE:
                return TypedColumn("date", days, note=_missing_note(name, distinct, np.isnan(days), "dates"))
    return _parse_slashed_dates(name, distinct)


def _parse_slashed_dates(name: str, distinct: DistinctCells) -> TypedColumn | None:
    """Return 31/01/2024 or 01/31/2024 as dates, where only one of the two orders makes dates of all cells."""
    pattern, *formats = _SLASHED
    if distinct.is_plain_number.any() or not len(distinct.cells) or not distinct.match(pattern).all():
        return None
    parsed = [_convert_days(distinct, date_format) for date_format in formats]
    readings = [days for days in parsed if not np.isnan(days).any()]
    # Both orders give dates, and not the same ones.
    if len(readings) == 2 and not np.array_equal(readings[0], readings[1]):
        note = (
            f"Column {name!r} is kept as text: its dates could start with the day or with the month. "
            "Write them as 2024-01-31."
        )
        return TypedColumn("category", distinct.to_objects(), note=note)
    return TypedColumn("date", readings[0]) if readings else None


def _convert_days(distinct: DistinctCells, date_format: str) -> Float64:
    """Return days since 1970-01-01, (D,), NaN where a cell is no such date; times with a zone are moved to UTC."""
    texts = pd.Series(distinct.to_objects(), dtype=object)
    moments = pd.to_datetime(texts, format=date_format, errors="coerce", utc=True)
    # In microseconds: nanoseconds would end in the year 2262.
    stamps = moments.dt.tz_localize(None).dt.as_unit("us").to_numpy()
    return np.where(np.isnat(stamps), math.nan, stamps.astype(np.int64) / DAY_US)


def _missing_note(name: str, distinct: DistinctCells, is_missing: Bool, plural: str) -> str:
    if not is_missing.any():
        return ""
    return f"Column {name!r} holds {plural}; {distinct.describe(is_missing)} not, and counted as missing."


def _mixed_note(name: str, distinct: DistinctCells) -> str:
    """Return a sentence about a column of categories that are partly numbers."""
    is_number = distinct.is_plain_number
    if distinct.share(is_number) < MIN_MIXED_SHARE or is_number.all():
        return ""
    words = distinct.describe(~is_number)
    return f"Column {name!r} mixes numbers and words, so its values were taken for categories; {words} not numbers."


def clip_to_missing(numbers: Float64) -> Float64:
    """Return numbers with NaN for infinities and what is too large to compute with; −0 becomes 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(numbers) <= MAX_NUMBER, numbers, math.nan) + 0.0
