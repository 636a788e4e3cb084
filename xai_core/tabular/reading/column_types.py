"""Infer what a column of a file holds: numbers, yes or no, dates, or categories; a guess is told in a note."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.tabular.data.cell_texts import CellTexts
from xai_core.tabular.data.column import Kind
from xai_core.tabular.reading.text_values import DAY_US, DistinctCells, TypedColumn, clip_to_missing, parse_distinct

# Cells without a value, in lower case. "none" is not one of them: it is often a category (no garage, no allergy).
MISSING_WORDS = ("", "na", "n/a", "#n/a", "nan", "<na>", "null", "?", "-", "--")
# Longer texts are no categories; a small file can repeat one so often that comparing them takes hours.
MAX_TEXT_LETTERS = 500


def infer_column(name: str, cells: pa.ChunkedArray, decimal_comma: bool) -> TypedColumn | str:
    """Return the cells with their kind, or the reason why the column cannot be used.

    `decimal_comma` allows 3,5 for three and a half: only a file whose cells are not separated by commas can have it.
    """
    is_text_column = pa.types.is_dictionary(cells.type) or is_text(cells.type)
    column = _infer_from_text(name, cells, decimal_comma) if is_text_column else _convert_values(cells)
    if isinstance(column, str):
        return column
    return "there is no value in any row" if pd.isna(column.values).all() else _recognise_yes_no(column)


def is_readable(arrow_type: pa.DataType) -> bool:
    """Return whether a typed file's column of this Arrow type can be a column of a table."""
    is_a = pa.types
    is_number = is_a.is_integer(arrow_type) or is_a.is_floating(arrow_type) or is_a.is_decimal(arrow_type)
    is_moment = is_a.is_date(arrow_type) or is_a.is_timestamp(arrow_type)
    is_coded_text = is_a.is_dictionary(arrow_type) and is_text(arrow_type.value_type)
    return is_a.is_boolean(arrow_type) or is_number or is_moment or is_text(arrow_type) or is_coded_text


def is_text(arrow_type: pa.DataType) -> bool:
    is_a = pa.types
    return bool(is_a.is_string(arrow_type) or is_a.is_large_string(arrow_type) or is_a.is_string_view(arrow_type))


def _convert_values(cells: pa.ChunkedArray) -> TypedColumn:
    """Return a column whose type the file states (Parquet)."""
    if pa.types.is_date(cells.type) or pa.types.is_timestamp(cells.type):
        micros = cells.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        return TypedColumn("date", pc.divide(micros.cast(pa.float64(), safe=False), DAY_US).to_numpy())
    kind: Kind = "boolean" if pa.types.is_boolean(cells.type) else "numeric"
    numbers = cells.cast(pa.int8()) if kind == "boolean" else cells
    return TypedColumn(kind, clip_to_missing(numbers.cast(pa.float64(), safe=False).to_numpy()))


def _recognise_yes_no(column: TypedColumn) -> TypedColumn:
    """Return a numeric column of zeros and ones as no and yes, any other as it is."""
    if column.kind != "numeric":
        return column
    is_zero, is_one, is_missing = column.values == 0, column.values == 1, np.isnan(column.values)
    has_both = is_zero.any() and is_one.any() and np.all(is_zero | is_one | is_missing)
    return replace(column, kind="boolean", words=("0", "1")) if has_both else column


def _infer_from_text(name: str, cells: pa.ChunkedArray, decimal_comma: bool) -> TypedColumn | str:
    # Encode the cells as indices into their distinct texts.
    if pa.types.is_dictionary(cells.type):
        coded = cells.unify_dictionaries().combine_chunks()
    else:
        # As one chunk: unifying the dictionaries of many chunks is four times as slow.
        coded = pa.chunked_array([cells.combine_chunks()]).dictionary_encode().chunk(0)
    file_texts = coded.dictionary.cast(pa.string())
    texts = pc.utf8_trim_whitespace(file_texts)
    # Empty cells get the index after the last text.
    indices = coded.indices.cast(pa.int64()).fill_null(len(texts)).to_numpy(zero_copy_only=False)
    counts = np.bincount(indices, minlength=len(texts) + 1)[:-1]
    is_missing = pc.is_in(pc.utf8_lower(texts), pa.array(MISSING_WORDS)).to_numpy(zero_copy_only=False)
    # A dictionary in a file may hold texts that no row uses.
    present = np.flatnonzero((counts > 0) & ~is_missing)
    column = parse_distinct(name, DistinctCells(texts.take(pa.array(present)), counts[present]), decimal_comma)
    if column.kind == "category" and max(map(len, column.values), default=0) > MAX_TEXT_LETTERS:
        return f"it holds texts of more than {MAX_TEXT_LETTERS} characters"
    # Give every row the value of its text; what is missing stays NaN.
    values = np.full(len(texts) + 1, math.nan, dtype=column.values.dtype)
    values[present] = column.values
    used = np.flatnonzero(counts > 0)
    return replace(column, values=values[indices], texts=CellTexts(file_texts.take(pa.array(used)), values[used]))
