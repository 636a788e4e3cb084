"""What a column of a file holds: numbers, yes or no, dates, or categories. Found from the cells, told in a note where it is a guess."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.tabular.data.column import Kind
from xai_core.tabular.reading.text_values import DAY_US, Distinct, Typed, in_range, read_distinct

MISSING_WORDS = ("", "na", "n/a", "#n/a", "nan", "<na>", "null", "?", "-", "--")
"""Cells that say "no value", in lower case. "none" is not one of them: it is often a category (no garage, no allergy)."""
LONGEST_TEXT = 500
"""Longer texts are no categories; a small file can repeat one so often that to compare them takes hours."""


def typed(name: str, cells: pa.ChunkedArray, decimal_comma: bool) -> Typed | str:
    """The cells with their kind, or the reason why the column cannot be used.

    `decimal_comma` allows 3,5 for three and a half: only a file whose cells are not parted by commas can have it.
    """
    as_text = pa.types.is_dictionary(cells.type) or is_text(cells.type)
    found = _from_text(name, cells, decimal_comma) if as_text else _from_values(cells)
    if isinstance(found, str):
        return found
    return "there is no value in any row" if pd.isna(found.values).all() else _yes_or_no(found)


def can_read(kind: pa.DataType) -> bool:
    """Whether a typed file's column of this Arrow type can be a column of a table."""
    is_a = pa.types
    plain = is_a.is_boolean(kind) or is_a.is_integer(kind) or is_a.is_floating(kind) or is_a.is_decimal(kind)
    moment = is_a.is_date(kind) or is_a.is_timestamp(kind)
    return plain or moment or is_text(kind) or (is_a.is_dictionary(kind) and is_text(kind.value_type))


def is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _from_values(cells: pa.ChunkedArray) -> Typed:
    """A column whose type the file states (Parquet)."""
    if pa.types.is_date(cells.type) or pa.types.is_timestamp(cells.type):
        micros = cells.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        return Typed("date", pc.divide(micros.cast(pa.float64(), safe=False), DAY_US).to_numpy())
    kind: Kind = "boolean" if pa.types.is_boolean(cells.type) else "numeric"
    as_int = cells.cast(pa.int8()) if kind == "boolean" else cells
    return Typed(kind, in_range(as_int.cast(pa.float64(), safe=False).to_numpy()))


def _yes_or_no(column: Typed) -> Typed:
    """A numeric column of zeros and ones says no and yes."""
    if column.kind != "numeric":
        return column
    zero, one, missing = column.values == 0, column.values == 1, np.isnan(column.values)
    both = zero.any() and one.any() and np.all(zero | one | missing)
    return replace(column, kind="boolean", words=("0", "1")) if both else column


def _from_text(name: str, cells: pa.ChunkedArray, decimal_comma: bool) -> Typed | str:
    """Read the distinct cells, then spread their values over the rows."""
    if pa.types.is_dictionary(cells.type):
        whole = cells.unify_dictionaries().combine_chunks()
    else:  # as one chunk: to unify the dictionaries of many is four times as slow
        whole = pa.chunked_array([cells.combine_chunks()]).dictionary_encode().chunk(0)
    trimmed = pc.utf8_trim_whitespace(whole.dictionary.cast(pa.string()))
    index = whole.indices.cast(pa.int64()).fill_null(len(trimmed)).to_numpy(zero_copy_only=False)
    counts = np.bincount(index, minlength=len(trimmed) + 1)[:-1]
    silent = pc.is_in(pc.utf8_lower(trimmed), pa.array(MISSING_WORDS)).to_numpy(zero_copy_only=False)
    present = np.flatnonzero((counts > 0) & ~silent)
    found = read_distinct(name, Distinct(trimmed.take(pa.array(present)), counts[present]), decimal_comma)
    if found.kind == "category" and max(map(len, found.values), default=0) > LONGEST_TEXT:
        return f"it holds texts of more than {LONGEST_TEXT} characters"
    spread = np.full(len(trimmed) + 1, math.nan, dtype=found.values.dtype)
    spread[present] = found.values
    return replace(found, values=spread[index])
