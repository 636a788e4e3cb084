"""Guess from the distinct texts of a column whether they are yes and no, dates, numbers, hours or categories.

A form is taken for a column when at least 95 % of its cells follow it; the others then count as missing, and a note
says so. Only distinct cells are parsed, so that a million rows of few values cost little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.arrays import Bool, Float64, Int64
from xai_core.tabular.data.column import Kind
from xai_core.tabular.data.roles import ColumnReading
from xai_core.tabular.reading.values.date_forms import (
    ORDER_WORDS,
    DateReading,
    read_dates,
    read_hours,
    read_plain_dates,
)
from xai_core.tabular.reading.values.distinct_cells import DistinctCells
from xai_core.tabular.reading.values.missing_words import KEPT_SIGNS, TEXT_MISSING, VALUE_MISSING, match_words
from xai_core.tabular.reading.values.number_forms import (
    DECIMAL_COMMA,
    MAX_EXACT,
    NumberTexts,
    clip_to_missing,
    describe_marks,
    take_apart,
)
from xai_core.tabular.reading.values.number_marks import (
    Decimal,
    FileMarks,
    choose_mark,
    find_sure_mark,
    may_be_thousands,
)

# Share of a column's cells that must follow a form, as a guess and as a visitor's choice.
MIN_SHARE = 0.95
MIN_CHOSEN_SHARE = 0.5
# Share of numbers from which a column of categories gets a note that it mixes numbers and words.
MIN_MIXED_SHARE = 0.2
OVERRULE = "say so in the column types"
_BOOLEANS = (("no", "yes"), ("false", "true"), ("n", "y"), ("f", "t"), ("0", "1"))
# No pair of words has more spellings in small and capital letters that anybody uses.
_MAX_SPELLINGS = 16
NO_VALUE = "there is no value in any row"
_CODE = r"^0\d[\d ]*$"


@dataclass(frozen=True)
class FileContext:
    """Guesses that one column makes for the others of its file."""

    marks: FileMarks
    date_orders: frozenset[str] = frozenset()
    """Orders of dates in columns where only one fits."""


@dataclass(frozen=True, eq=False)
class TextParser:
    """Parser of a column's distinct trimmed texts, (D,), with the number of rows of each, (D,)."""

    name: str
    texts: pa.StringArray
    counts: Int64
    na_is_quoted: bool = False
    """True where the file has NA in quotation marks, as a text."""

    @cached_property
    def is_value(self) -> Bool:
        """Mask of the texts that may be numbers or dates, (D,)."""
        return (self.counts > 0) & ~match_words(self.texts, VALUE_MISSING)

    @cached_property
    def distinct(self) -> DistinctCells:
        """The texts that may be numbers or dates."""
        if self.is_value.all():
            return DistinctCells(self.texts, self.counts)
        return DistinctCells(self.texts.filter(pa.array(self.is_value)), self.counts[self.is_value])

    @cached_property
    def plain_numbers(self) -> Float64 | None:
        """Numbers of cells that are all plain; None if some are not, or are codes or too long for exact arithmetic."""
        if not self.distinct.is_plain_number.all() or self.has_codes:
            return None
        return clip_to_missing(self.distinct.cells.cast(pa.float64()).to_numpy())

    @cached_property
    def has_codes(self) -> bool:
        """True where texts such as 00123 would lose their zeros as numbers."""
        starts = pc.starts_with(self.distinct.cells, "0")
        return bool(pc.any(pc.match_substring_regex(self.distinct.cells.filter(starts), _CODE)).as_py())

    @cached_property
    def number_texts(self) -> NumberTexts | None:
        """The cells taken apart; None if too few of them may be numbers, or if all are plain without a choice."""
        if self.plain_numbers is not None and not self._plain_may_be_thousands:
            return None
        return take_apart(self.distinct) if self.distinct.value_share >= MIN_CHOSEN_SHARE else None

    @cached_property
    def _plain_may_be_thousands(self) -> bool:
        numbers = self.plain_numbers
        return (
            numbers is not None
            and may_be_thousands(numbers)
            and bool(pc.any(pc.match_substring(self.distinct.cells, ".")).as_py())
        )

    @cached_property
    def dates(self) -> DateReading | None:
        """The cells as dates, None where they are none."""
        return self._read_dates(MIN_SHARE)

    def _read_dates(self, min_share: float) -> DateReading | None:
        numbers = self.plain_numbers
        if numbers is None:
            return read_dates(self.distinct, min_share)
        # The sizes are cheap and exclude most columns before any text is looked at.
        in_range = (numbers >= 19_000_101) & (numbers <= 20_991_231)
        return read_plain_dates(self.distinct, min_share) if self.distinct.share(in_range) >= min_share else None

    @cached_property
    def sure_mark(self) -> Decimal | None:
        """The decimal mark that this column's numbers cannot do without."""
        numbers = self.plain_numbers
        if self.dates or not len(self.distinct.cells):
            return None
        if numbers is not None and not self._plain_may_be_thousands:
            has_fraction = numbers != np.floor(numbers)
            return "." if np.any(has_fraction & ~np.isnan(numbers)) else None
        texts = self.number_texts
        return find_sure_mark(texts, MIN_SHARE) if texts and texts.is_marked.any() else None

    def guess(self, context: FileContext) -> ColumnReading | str:
        """Return the reading of the column, or the reason why it cannot be used."""
        if not self.is_value.any():
            return NO_VALUE
        reading = (
            self._read_booleans() or self._guess_dates(context) or self.read_numbers(context) or self._read_hours()
        )
        return reading or self.read_categories(context)

    def _read_booleans(self) -> ColumnReading | None:
        """Return cells that are the two words of one pair, in any spelling.

        Of "true" and "false" one will do; a lone "n" could be anything.
        """
        if len(self.distinct.cells) > _MAX_SPELLINGS:
            return None
        cells = [cell.lower() for cell in self.distinct.cells.to_pylist()]
        for no, yes in _BOOLEANS:
            if set(cells) == {no, yes} or (cells and yes == "true" and set(cells) <= {no, yes}):
                return self._finish("boolean", np.array([float(cell == yes) for cell in cells]), words=(no, yes))
        return None

    def _guess_dates(self, context: FileContext) -> ColumnReading | None:
        reading = self.dates
        if reading is None:
            return None
        orders = context.date_orders
        fitting = [option for option in (reading, *reading.others) if option.order in orders]
        if reading.others and (len(orders) != 1 or len(fitting) != 1):
            return None
        forms = ("The order of day and month was taken from the file's other dates",) if reading.others else ()
        return self._finish_dates(fitting[0] if reading.others else reading, forms)

    def read_chosen_dates(self, context: FileContext) -> ColumnReading | None:
        """Return the cells as dates, with the day first where that cannot be known; None if too few are dates."""
        reading = self._read_dates(MIN_CHOSEN_SHARE)
        if reading is None:
            return None
        forms: tuple[str, ...] = ()
        if reading.others:
            fitting = [option for option in (reading, *reading.others) if option.order in context.date_orders]
            reading = fitting[0] if len(fitting) == 1 else reading
            forms = (f"The first number of each date was taken for {ORDER_WORDS[reading.order]}",)
        return self._finish_dates(reading, forms)

    def _finish_dates(self, reading: DateReading, forms: tuple[str, ...]) -> ColumnReading:
        if reading.has_short_years:
            forms += ("Years of two digits were read as 1969 to 2068",)
        if reading.is_day_assumed:
            forms += ("The first number of each date was taken for the day",)
        return self._finish("date", reading.days, forms=forms, plural="dates")

    def read_numbers(self, context: FileContext, min_share: float = MIN_SHARE) -> ColumnReading | None:
        """Return numbers in the form that most cells follow, or None."""
        is_chosen = min_share < MIN_SHARE
        numbers = self.plain_numbers
        may_be_inexact = numbers is not None and np.nanmax(np.abs(numbers), initial=0) >= MAX_EXACT
        if may_be_inexact and not is_chosen and self._has_inexact():
            return None
        if numbers is not None and not self._plain_may_be_thousands:
            return self._finish("numeric", numbers, plural="numbers")
        texts = self.number_texts
        if (
            texts is None
            or not len(self.distinct.cells)
            or texts.problem
            or (not is_chosen and (self.has_codes or texts.find_inexact().any()))
        ):
            return None
        choice = choose_mark(texts, context.marks, min_share)
        numbers = texts.convert(choice.decimal)
        if self.distinct.share(texts.fits_point if choice.decimal == "." else texts.fits_comma) < min_share:
            return None
        marks = describe_marks(texts, choice.decimal)
        notes = (_unsure_note(self.name, texts),) if choice.is_unsure else ()
        # The note says it better.
        forms = (*(form for form in marks if not notes or form != DECIMAL_COMMA), *texts.words)
        return self._finish("numeric", numbers, forms=forms, plural="numbers", notes=notes)

    def _has_inexact(self) -> bool:
        texts = self.number_texts or take_apart(self.distinct)
        return bool(texts.find_inexact().any())

    def _read_hours(self) -> ColumnReading | None:
        hours = read_hours(self.distinct, MIN_SHARE)
        if hours is None:
            return None
        return self._finish("numeric", hours, forms=("Times were read as hours (17:30 is 17.5)",), plural="times")

    def read_categories(self, context: FileContext | None = None) -> ColumnReading:
        """Return the texts themselves; `context` None if a visitor chose this, so that no note gives the reason."""
        is_missing = (self.counts <= 0) | match_words(self.texts, TEXT_MISSING)
        is_na = match_words(self.texts, ("na",))
        is_sign = match_words(self.texts, KEPT_SIGNS)
        if is_na.any() and (self.na_is_quoted or self._has_short_codes(~is_missing & ~is_sign)):
            is_missing &= ~is_na | (self.counts <= 0)
            is_sign |= is_na
        values = np.asarray(self.texts.to_numpy(zero_copy_only=False), dtype=object)
        values[is_missing] = math.nan
        notes = tuple(filter(None, [self._text_note()])) if context else ()
        return ColumnReading(
            "category",
            values,
            notes=notes,
            missing_words=self._count_words(is_missing),
            kept_words=self._count_words(is_sign),
        )

    def _has_short_codes(self, selected: Bool) -> bool:
        """Return whether all other texts are codes of two letters, so that NA is likely one of them."""
        codes = self.texts.filter(pa.array(selected))
        return len(codes) > 1 and bool(pc.all(pc.match_substring_regex(codes, r"^\pL{2}$")).as_py())

    def _finish(
        self,
        kind: Kind,
        numbers: Float64,
        *,
        words: tuple[str, str] = ("no", "yes"),
        forms: tuple[str, ...] = (),
        plural: str = "",
        notes: tuple[str, ...] = (),
    ) -> ColumnReading:
        """Return the reading of numbers that stand for the texts that may be values."""
        values = np.full(len(self.texts), math.nan)
        values[self.is_value] = numbers
        is_wrong = np.isnan(numbers)
        if is_wrong.any():
            sentence = f"Column {self.name!r} holds {plural}; {self.distinct.describe(is_wrong)} not"
            notes = (f"{sentence}, and counted as missing.", *notes)
        return ColumnReading(kind, values, words, forms, notes, self._count_words((self.counts > 0) & ~self.is_value))

    def _count_words(self, selected: Bool) -> tuple[tuple[str, int], ...]:
        """Return the selected texts with their rows; empty cells need no word."""
        indices = np.flatnonzero(selected & (self.counts > 0))
        texts = self.texts.take(pa.array(indices)).to_pylist()
        return tuple((text, int(count)) for text, count in zip(texts, self.counts[indices], strict=True) if text)

    def _text_note(self) -> str:
        """Return the reason why a column that looks like dates or numbers is kept as text, "" if it does not."""
        distinct, name = self.distinct, self.name
        if self.dates and self.dates.others:
            return (
                f"Column {name!r} is kept as text: its dates could start with the day or with the month. "
                "Write them as 2024-01-31; if the day comes first, choose date in the column types."
            )
        numbers = self.number_texts
        if numbers and numbers.problem:
            return f"Column {name!r} is kept as text: {numbers.problem}. Write all of them in one unit."
        if distinct.value_share >= MIN_SHARE and not self.has_codes and self._has_inexact():
            return f"Column {name!r} is kept as text: its numbers have too many digits to compute with."
        is_number = distinct.is_plain_number
        if distinct.share(is_number) < MIN_MIXED_SHARE or is_number.all():
            return ""
        words = distinct.describe(~is_number)
        return (
            f"Column {name!r} mixes numbers and words, so its values were taken for categories; {words} not numbers. "
            f"If they are numbers, {OVERRULE}."
        )


def _unsure_note(name: str, texts: NumberTexts) -> str:
    mark = "dot" if (texts.has_mark(".") & texts.is_ambiguous).any() else "comma"
    example = texts.distinct.examples(texts.is_ambiguous).split(", ")[0].strip("'")
    whole = example.replace(".", "").replace(",", "")
    return (
        f"The {mark} in {name!r} was read as the decimal mark, so {example} is less than a thousand. "
        f"If it stands between thousands, write {whole}."
    )
