"""Parse texts as numbers, whatever signs stand between thousands, before decimals and around the number.

The mark before the decimals is not decided here: a cell such as 1.234 is one number with a decimal point and another
with a decimal comma, and both are kept until the whole file is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.arrays import Bool, Float64
from xai_core.tabular.reading.values.distinct_cells import DistinctCells, match_pattern
from xai_core.tabular.reading.values.number_affixes import choose_affix

# Larger numbers count as missing: models that compute in float32 cannot take them.
MAX_NUMBER = 1e30
# Larger whole numbers are not exact in float64.
MAX_EXACT = 2**53
DECIMAL_COMMA = "The comma was read as the decimal mark"
_EXPONENT = r"[eE][+-]?\d{1,3}"
_GROUPS = r"[1-9]\d{0,2}(?:{0}\d{3})+"
_BLANK = _GROUPS.replace("{0}", " ")
_APOSTROPHE = _GROUPS.replace("{0}", "'")
_COMMAS = _GROUPS.replace("{0}", ",") + r"|[1-9]\d?(?:,\d{2})+,\d{3}"
_DOTS = _GROUPS.replace("{0}", r"\.")
_POINT_CORE = rf"^(?:(?:\d+|{_COMMAS}|{_APOSTROPHE}|{_BLANK})(?:\.\d*)?|\.\d+)$"
_COMMA_CORE = rf"^(?:(?:\d+|{_DOTS}|{_APOSTROPHE}|{_BLANK})(?:,\d*)?|,\d+)$"
# A number of one mark before three digits: 1.234 and 1,234.
AMBIGUOUS = r"^[1-9]\d{0,2}[.,]\d{3}$"
# Brackets around a number mean that it is negative.
_BRACKETS = r"^([^\d()]*)\(([^()\d]{0,6}\d[^()]*)\)([^\d()]*)$"
_TRAILING_MINUS = r"^([^+-]*\d) ?-$"
# 5.- stands for 5.00.
_NO_DECIMALS = r"(\d)[.,]-{1,2}( ?\D*)$"
_BARE = r"^-?\d[\d.,]*$"
_PARTS = (
    r"^(?P<sign>[+-]?) ?(?P<before>[^\d\s.,+'()-][^\d()+-]{0,7}?)? ?(?P<sign2>[+-]?) ?"
    r"(?P<core>\d[\d.,' ]*\d|\d[.,]?|[.,]\d+)"
    rf"(?P<exponent>{_EXPONENT})?(?P<gap> ?)(?P<after>[^\d\s.,'+-].*)?$"
)
_MINUS = "\u2212\u2010\u2011\u2012\u2013\u2014\u2015\ufe63\uff0d"
_BLANKS = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
_APOSTROPHES = "\u2019\u2018\u02bc\u00b4`\uff07"
_SIGNS = str.maketrans(
    dict.fromkeys(_MINUS, "-")
    | dict.fromkeys(_BLANKS, " ")
    | dict.fromkeys(_APOSTROPHES, "'")
    | {"\uff0b": "+", "\uff0e": ".", "\uff0c": ",", "\uff05": "%", "\u066b": ".", "\u066c": ","}
)
_DIGITS = str.maketrans(
    {chr(start + digit): str(digit) for start in (0x0660, 0x06F0, 0x0966, 0xFF10) for digit in range(10)}
)


@dataclass(frozen=True, eq=False)
class NumberTexts:
    """Cells taken apart: sign, digits and marks, exponent, and the words around them, (D,) each."""

    distinct: DistinctCells
    signs: Float64
    """1 or −1."""
    cores: pa.StringArray
    """Digits and marks, "" where a cell is no number."""
    exponents: pa.StringArray
    words: tuple[str, ...]
    """Sentences about signs and words around the numbers."""
    has_currency: bool = False
    problem: str = ""
    """Reason why the column holds no numbers of one kind, such as different units."""

    @cached_property
    def fits_point(self) -> Bool:
        """Mask of the numbers with a decimal point, (D,)."""
        return match_pattern(self.cores, _POINT_CORE)

    @cached_property
    def fits_comma(self) -> Bool:
        """Mask of the numbers with a decimal comma, (D,)."""
        return match_pattern(self.cores, _COMMA_CORE)

    @cached_property
    def is_marked(self) -> Bool:
        """Mask of the cells with a dot or a comma, (D,)."""
        return match_pattern(self.cores, "[.,]")

    @cached_property
    def is_ambiguous(self) -> Bool:
        """Mask of the cells such as 1.234 and 1,234, (D,)."""
        no_exponent = pc.equal(self.exponents, "").to_numpy(zero_copy_only=False)
        flags: Bool = match_pattern(self.cores, AMBIGUOUS) & no_exponent
        return flags

    def has_mark(self, mark: str) -> Bool:
        """Return which cells hold a mark, (D,)."""
        return np.asarray(pc.match_substring(self.cores, mark).to_numpy(zero_copy_only=False), dtype=bool)

    def convert(self, decimal: str) -> Float64:
        """Return the numbers with "." or "," before their decimals, NaN for other cells, (D,)."""
        fits = self.fits_point if decimal == "." else self.fits_comma
        selected = pa.array(fits)
        cores = pc.replace_substring_regex(self.cores.filter(selected), "[,' ]" if decimal == "." else "[.' ]", "")
        cores = pc.replace_substring(cores, ",", ".")
        texts = pc.binary_join_element_wise(cores, self.exponents.filter(selected), "")
        numbers = np.full(len(fits), math.nan)
        numbers[fits] = texts.cast(pa.float64()).to_numpy() * self.signs[fits]
        return clip_to_missing(numbers)

    def find_inexact(self) -> Bool:
        """Return which cells are whole numbers too long for float64, (D,)."""
        digits = pc.replace_substring_regex(self.cores, "[.,' ]", "")
        long = match_pattern(digits, r"^[1-9]\d{15,}$") & match_pattern(self.exponents, "^$")
        whole = ~self.is_marked | match_pattern(self.cores, rf"^(?:{_COMMAS}|{_DOTS})$")
        flags = long & whole
        for index in np.flatnonzero(flags):
            flags[index] = int(digits[int(index)].as_py()) > MAX_EXACT
        return flags


def take_apart(distinct: DistinctCells) -> NumberTexts:
    """Return the parts of cells that may be numbers."""
    cells, words = _replace_signs(distinct)
    cells, sign_words = _read_minus_signs(cells)
    if not sign_words and match_pattern(cells, _BARE).all():
        # Nothing stands around the digits: a tenth of the work.
        cores = pc.utf8_ltrim(cells, "-")
        negative = pc.starts_with(cells, "-").to_numpy(zero_copy_only=False)
        no_exponents = pa.nulls(len(cells), pa.string()).fill_null("")
        return NumberTexts(distinct, np.where(negative, -1.0, 1.0), cores, no_exponents, tuple(words))
    parts = pc.extract_regex(cells, _PARTS)
    fields = {name: pc.fill_null(pc.struct_field(parts, name), "") for name in (field.name for field in parts.type)}
    affixes = choose_affix(distinct, fields["core"], fields["before"], fields["gap"], fields["after"])
    negative = pc.or_(pc.equal(fields["sign"], "-"), pc.equal(fields["sign2"], "-")).to_numpy(zero_copy_only=False)
    return NumberTexts(
        distinct,
        np.where(negative, -1.0, 1.0),
        pc.if_else(pa.array(affixes.fits), fields["core"], ""),
        fields["exponent"],
        (*words, *sign_words, *affixes.words),
        affixes.is_currency,
        affixes.problem,
    )


def _replace_signs(distinct: DistinctCells) -> tuple[pa.StringArray, list[str]]:
    """Return the cells with ASCII digits and signs, and sentences."""
    if pc.all(pc.string_is_ascii(distinct.cells)).as_py():
        return distinct.cells, []
    texts = distinct.cells.to_pylist()
    digits = [text.translate(_DIGITS) for text in texts]
    words = [] if digits == texts else ["Digits of another script were read as 0 to 9"]
    if any(mark in text for text in texts for mark in _MINUS):
        words.append("The long dash was read as a minus sign")
    return pa.array([text.translate(_SIGNS) for text in digits], pa.string()), words


def _read_minus_signs(cells: pa.StringArray) -> tuple[pa.StringArray, list[str]]:
    """Return the cells with a minus sign before the number instead of brackets or a minus sign behind it."""
    words = []
    cells = pc.replace_substring_regex(cells, _NO_DECIMALS, r"\1\2")
    for pattern, replacement, sentence in (
        (_BRACKETS, r"-\1\2\3", "Brackets around a number were read as a minus sign"),
        (_TRAILING_MINUS, r"-\1", "The minus sign behind a number was read as one before it"),
    ):
        if match_pattern(cells, pattern).any():
            cells = pc.replace_substring_regex(cells, pattern, replacement)
            words.append(sentence)
    return cells, words


def clip_to_missing(numbers: Float64) -> Float64:
    """Return numbers with NaN for infinities and what is too large to compute with; −0 becomes 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(numbers) <= MAX_NUMBER, numbers, math.nan) + 0.0


def describe_marks(texts: NumberTexts, decimal: str) -> list[str]:
    """Return sentences about the marks in numbers read with this decimal mark."""
    fits = texts.fits_point if decimal == "." else texts.fits_comma
    words = []
    if decimal == "," and (texts.has_mark(",") & fits).any():
        words.append(DECIMAL_COMMA)
    thousands = {"." if decimal == "," else ",": "dot" if decimal == "," else "comma", "'": "apostrophe", " ": "blank"}
    words += [
        f"The {name} was read as a mark between thousands"
        for mark, name in thousands.items()
        if (texts.has_mark(mark) & fits).any()
    ]
    return words
