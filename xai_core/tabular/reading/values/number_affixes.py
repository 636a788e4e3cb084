"""Decide over a column whether the words around its numbers are one currency or one unit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.arrays import Bool
from xai_core.tabular.reading.values.distinct_cells import DistinctCells, match_pattern
from xai_core.tabular.reading.values.number_words import is_currency, is_known_unit, read_unit, unify_units

# Different words around the numbers of a column, at most: texts such as addresses have more.
MAX_AFFIXES = 200
# Share of the numbers that must have the same unit where a few have another.
MIN_SAME_UNIT = 0.95
# Different units that are named in a sentence; rows of each from which unknown words are taken for units.
MAX_UNITS, MIN_ROWS_OF_UNIT = 4, 5
# Zero is zero in every unit.
_ZERO = r"^0+([.,]0+)?$"


@dataclass(frozen=True, eq=False)
class Affixes:
    """Cells whose words around the number are those of the column, (D,), with sentences."""

    fits: Bool
    words: tuple[str, ...] = ()
    is_currency: bool = False
    problem: str = ""
    """Reason why the column holds no numbers of one kind."""


def choose_affix(
    distinct: DistinctCells, cores: pa.StringArray, before: pa.StringArray, gaps: pa.StringArray, after: pa.StringArray
) -> Affixes:
    """Return the cells with the one currency or unit of the column; `cores` are the digits of each cell, (D,)."""
    is_number = pc.not_equal(cores, "").to_numpy(zero_copy_only=False)
    coded = pc.binary_join_element_wise(before, gaps, after, "\n").dictionary_encode()
    if len(coded.dictionary) > MAX_AFFIXES:
        return Affixes(np.zeros(len(is_number), dtype=np.bool_))
    affixes = [_read_affix(*text.split("\n", 2)) for text in coded.dictionary.to_pylist()]
    index = coded.indices.to_numpy()
    rows = np.bincount(index, weights=np.where(is_number, distinct.counts, 0), minlength=len(affixes))
    totals: Counter[tuple[str, str]] = Counter()
    for affix, count in zip(affixes, rows, strict=True):
        if affix is not None and count:
            totals[affix] += int(count)

    def select(*selected: tuple[str, str]) -> Bool:
        flags: Bool = np.array([affix in selected for affix in affixes], dtype=np.bool_)[index] & is_number
        return flags

    bare = ("", "")
    named = [affix for affix in totals if affix != bare]
    unit = unify_units([text for _, text in named]) if len({group for group, _ in named}) == 1 else None
    if unit is None and named:
        # A few cells with other units are no numbers of this column.
        common, count = totals.most_common(1)[0]
        if count >= MIN_SAME_UNIT * totals.total() or (common == bare and count * 2 >= totals.total()):
            named, unit = ([], None) if common == bare else ([common], common[1])
        else:
            problem = _describe_units(totals, named)
            return Affixes(select(bare, *named) if problem else select(bare), problem=problem)
    if unit is None:
        return Affixes(select(bare))
    group = named[0][0]
    with_unit, without = select(*named), select(bare)
    sentence = _DROPPED[group].format(unit) if unit != "%" else "The percent sign was left out (12% is 12)"
    if group == "currency":
        return Affixes(with_unit | without, (sentence,), is_currency=True)
    if distinct.share(with_unit) < distinct.share(without & ~match_pattern(cores, _ZERO)):
        return Affixes(without)
    return Affixes(with_unit | (without & match_pattern(cores, _ZERO)), (sentence,))


_DROPPED = {"currency": "The currency {!r} was left out", "unit": "The unit {!r} was left out"}


def _describe_units(totals: Counter[tuple[str, str]], named: list[tuple[str, str]]) -> str:
    """Return the reason why numbers with these units are none of one kind, "" where the words may be no units."""
    are_units = all(group == "currency" or is_known_unit(text) for group, text in named)
    is_frequent = len(named) <= MAX_UNITS and min(totals[affix] for affix in named) >= MIN_ROWS_OF_UNIT
    if not are_units and not is_frequent:
        return ""
    listed = ", ".join(sorted(repr(text) for _, text in named)[:MAX_UNITS])
    return f"its numbers have different units ({listed})"


def _read_affix(before: str, gap: str, after: str) -> tuple[str, str] | None:
    """Return the group ("currency", "unit", "") and the words around a number; None where they mean something else."""
    before, after = before.strip(), after.strip()
    if not before and not after:
        return "", ""
    if before and after:
        return None
    if is_currency(before or after):
        return "currency", before or after
    # Turkish writes %12.
    unit = read_unit(before or after, has_gap=bool(gap)) if not before or before == "%" else None
    return None if unit is None else ("unit", unit)
