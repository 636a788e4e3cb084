"""Decide over a whole file which mark stands before the decimals and which between thousands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xai_core.arrays import Float64
from xai_core.tabular.reading.values.number_forms import NumberTexts

Decimal = Literal[".", ","]
# So many different numbers of exactly three digits behind the mark are no accident: of numbers that end where their
# last digit is no zero a tenth is shorter.
MIN_GROUPED = 20


@dataclass(frozen=True)
class FileMarks:
    """The decimal mark of the columns that leave no choice."""

    common: Decimal | None
    """The mark of most of them; None if there are none, or as many of each."""
    comma_by_default: bool
    """True where the cells are not separated by commas, so that 1,234 alone may be one and a fraction."""

    @classmethod
    def of(cls, columns: Iterable[Decimal | None], *, comma_by_default: bool) -> FileMarks:
        counts = Counter(mark for mark in columns if mark)
        ranked: list[Decimal] = sorted(counts, key=lambda mark: -counts[mark])
        is_tie = len(ranked) == 2 and counts["."] == counts[","]
        return cls(None if is_tie or not ranked else ranked[0], comma_by_default)


@dataclass(frozen=True)
class MarkChoice:
    """The decimal mark of a column, and whether that is a guess."""

    decimal: Decimal
    is_unsure: bool = False


def find_sure_mark(texts: NumberTexts, min_share: float) -> Decimal | None:
    """Return the decimal mark that a column cannot do without; None where both fit, or neither."""
    distinct = texts.distinct
    point, comma = distinct.share(texts.fits_point), distinct.share(texts.fits_comma)
    if max(point, comma) < min_share or point == comma:
        return None
    return "." if point > comma else ","


def choose_mark(texts: NumberTexts, file: FileMarks, min_share: float) -> MarkChoice:
    """Return the decimal mark of a column by its own numbers, else by the file's others, else by its sizes."""
    sure = find_sure_mark(texts, min_share)
    marked = texts.is_ambiguous
    if sure or not marked.any():
        return MarkChoice(sure or ".")
    mark: Decimal = "." if (texts.has_mark(".") & marked).any() else ","
    opposite: Decimal = "," if mark == "." else "."
    is_larger, is_many = _compare_sizes(texts, mark)
    if file.common == opposite:
        return MarkChoice(opposite)
    if file.common == mark:
        # Against the file's own mark both signs of a count are needed.
        is_count = is_larger and is_many
        return MarkChoice(opposite) if is_count else MarkChoice(mark, is_unsure=is_larger or is_many)
    # Money has two decimals.
    if is_larger or is_many or texts.has_currency:
        return MarkChoice(opposite)
    if mark == ".":
        return MarkChoice(".", is_unsure=True)
    return MarkChoice(",", is_unsure=True) if file.comma_by_default else MarkChoice(".")


def _compare_sizes(texts: NumberTexts, mark: Decimal) -> tuple[bool, bool]:
    """Return two signs that 1.234 is a count: whole numbers from 100 to 999 beside it are larger; there are many.

    Both are False beside whole numbers of four digits, which would have the mark.
    """
    selected = texts.is_ambiguous & texts.has_mark(mark)
    bare = texts.fits_point & texts.fits_comma & ~texts.is_marked
    sizes: Float64 = np.abs(texts.convert(".")[bare])
    if not len(sizes) or not 100 <= sizes.max() < 1000:
        return False, False
    fractions = np.abs(texts.convert(mark)[selected])
    return bool(sizes.max() > fractions.max()), bool(selected.sum() >= MIN_GROUPED)


def may_be_thousands(numbers: Float64) -> bool:
    """Return whether plain numbers could all be such as 1.234 or 512: a quick check before the texts are looked at."""
    sizes = np.abs(numbers[~np.isnan(numbers)])
    fractions = sizes[sizes != np.floor(sizes)]
    if not len(fractions):
        return True
    thousandths = fractions * 1000
    return bool(
        fractions.min() > 1 and fractions.max() < 1000 and np.abs(thousandths - np.round(thousandths)).max() < 1e-6
    )
