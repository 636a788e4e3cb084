"""Columns of a file: Arrow's types, texts coded by their distinct values, and values of a stated type."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.arrays import Int64
from xai_core.tabular.data.cell_texts import CellTexts
from xai_core.tabular.data.column import Kind
from xai_core.tabular.data.roles import ColumnReading, TypedColumn
from xai_core.tabular.reading.values.number_forms import MAX_EXACT, clip_to_missing
from xai_core.tabular.reading.values.text_values import NO_VALUE, TextParser

DAY_US = 86_400_000_000
# Longer texts are no categories; a small file can repeat one so often that comparing them takes hours.
MAX_TEXT_LETTERS = 500


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A column whose cells are texts: the D distinct ones and the index of each row's text, (N,)."""

    name: str
    texts: pa.StringArray
    """(D,), as the file writes them."""
    indices: np.ndarray
    """(N,), D where a row has no cell."""
    na_is_quoted: bool = False

    @classmethod
    def of(cls, name: str, cells: pa.ChunkedArray, *, na_is_quoted: bool = False) -> TextColumn:
        if pa.types.is_dictionary(cells.type):
            coded = cells.unify_dictionaries().combine_chunks()
        else:
            # As one chunk: unifying the dictionaries of many chunks is four times as slow.
            coded = pa.chunked_array([cells.combine_chunks()]).dictionary_encode().chunk(0)
        texts = coded.dictionary.cast(pa.string())
        indices = coded.indices.cast(pa.int32()).fill_null(len(texts)).to_numpy(zero_copy_only=False)
        return cls(name, texts, indices, na_is_quoted)

    @cached_property
    def counts(self) -> Int64:
        """Rows of each text, (D,); a dictionary in a file may hold texts that no row uses."""
        return np.bincount(self.indices, minlength=len(self.texts) + 1)[:-1]

    def parser(self) -> TextParser:
        """Return a new parser of the texts."""
        return TextParser(self.name, pc.utf8_trim_whitespace(self.texts), self.counts, self.na_is_quoted)

    def build(self, reading: ColumnReading | str) -> TypedColumn | str:
        """Return the rows of a reading, or the reason why the column cannot be used."""
        if isinstance(reading, str):
            return reading
        if reading.kind == "category" and self.has_long_texts:
            return f"it holds texts of more than {MAX_TEXT_LETTERS} characters"
        # Give every row the value of its text; a row without a cell gets the last, NaN.
        values = np.append(reading.values, np.array([math.nan], dtype=reading.values.dtype))
        used = np.flatnonzero(self.counts > 0)
        column = TypedColumn(
            reading.kind,
            values[self.indices],
            reading.words,
            reading.forms,
            reading.notes,
            reading.missing_words,
            reading.kept_words,
            CellTexts(self.texts, reading.values)
            if len(used) == len(self.texts)
            else CellTexts(self.texts.take(pa.array(used)), reading.values[used]),
        )
        return recognise_yes_no(column)

    @cached_property
    def has_long_texts(self) -> bool:
        """True where a text is too long for a category."""
        return (pc.max(pc.utf8_length(self.texts)).as_py() or 0) > MAX_TEXT_LETTERS


def read_values(name: str, cells: pa.ChunkedArray) -> TypedColumn | str:
    """Return a column whose type the file states (Parquet), or the reason why it cannot be used.

    Whole numbers that float64 cannot hold stay text.
    """
    if _is_inexact(cells):
        note = f"Column {name!r} is kept as text: its numbers have too many digits to compute with."
        return TypedColumn("category", _to_objects(cells.cast(pa.string())), notes=(note,))
    column = recognise_yes_no(convert_values(cells))
    return NO_VALUE if pd.isna(column.values).all() else column


def _is_inexact(cells: pa.ChunkedArray) -> bool:
    arrow_type = cells.type
    is_whole = pa.types.is_integer(arrow_type) or (pa.types.is_decimal(arrow_type) and arrow_type.scale <= 0)
    if not is_whole or not len(cells):
        return False
    ends = pc.min_max(cells).as_py()
    return max(abs(int(ends[end] or 0)) for end in ("min", "max")) > MAX_EXACT


def _to_objects(texts: pa.ChunkedArray) -> np.ndarray:
    values = np.asarray(texts.to_numpy(), dtype=object)
    values[pd.isna(values)] = math.nan
    return values


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


def convert_values(cells: pa.ChunkedArray) -> TypedColumn:
    """Return a column whose type the file states (Parquet)."""
    if pa.types.is_date(cells.type) or pa.types.is_timestamp(cells.type):
        micros = cells.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        return TypedColumn("date", pc.divide(micros.cast(pa.float64(), safe=False), DAY_US).to_numpy())
    kind: Kind = "boolean" if pa.types.is_boolean(cells.type) else "numeric"
    numbers = cells.cast(pa.int8()) if kind == "boolean" else cells
    return TypedColumn(kind, clip_to_missing(numbers.cast(pa.float64(), safe=False).to_numpy()))


def recognise_yes_no(column: TypedColumn) -> TypedColumn:
    """Return a numeric column of zeros and ones as no and yes, any other as it is."""
    if column.kind != "numeric":
        return column
    values = column.values
    # Most columns are told by a few cells.
    if not np.all(np.isin(values[:1000], (0.0, 1.0)) | np.isnan(values[:1000])):
        return column
    is_zero, is_one, is_missing = values == 0, values == 1, np.isnan(values)
    has_both = is_zero.any() and is_one.any() and np.all(is_zero | is_one | is_missing)
    return replace(column, kind="boolean", words=("0", "1")) if has_both else column
