"""Forms of a table's columns for an own model; what would reach it in another form is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xai_core.arrays import Bool, Float64, Int64
from xai_core.errors import ModelUnavailable
from xai_core.tabular.data.column import Column
from xai_core.tabular.models.own.demands import Demand, is_missing
from xai_core.tabular.models.own.forms import ColumnForms, group_texts, same_numbers, show_values, to_numbers
from xai_core.tabular.models.own.readings import DEFAULT, Reading, iter_readings

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

# Texts on which readings are tried, before all texts are read.
SAMPLE = 1000


@dataclass(frozen=True, eq=False)
class OwnColumn:
    """A column with the file's texts, the values that stand for them here, and what the model does with it."""

    column: Column
    texts: Sequence[str]
    """(T,)."""
    stored: np.ndarray
    """(T,)."""
    cells: pd.Series[Any]
    """The rows' own values, stored as in `Table.frame`."""
    demand: Demand
    is_written: bool
    """False where the file has types instead of texts."""

    @cached_property
    def choices(self) -> Mapping[Reading, np.ndarray]:
        """Forms of a column without texts, (T,) each."""
        stored = self.stored
        if self.column.kind == "boolean":
            answers = np.array([bool(value) for value in stored], dtype=object)
            return {DEFAULT: stored, Reading({"dtype": bool}): answers}
        if self.column.kind == "date":
            return {DEFAULT: stored, Reading({"dtype": str}): np.array([*map(self.column.show, stored)], dtype=object)}
        return {DEFAULT: stored}

    def read(self, reading: Reading, limit: int | None = None) -> np.ndarray:
        """Return the forms of the first texts, or of all, (T,)."""
        if reading is DEFAULT and limit is None and self.is_written:
            return self._default
        if self.is_written:
            return reading.read(self.texts[:limit])
        return self.choices.get(reading, self.stored)[:limit]

    @cached_property
    def _default(self) -> np.ndarray:
        return DEFAULT.read(self.texts)

    def fits(self, reading: Reading) -> bool:
        """Return whether the model can take the column so, as well as in any other reading."""
        if not self.demand.encodings:
            return not self.demand.is_number or all(self._is_number(reading, limit) for limit in (SAMPLE, None))
        if reading is DEFAULT and all(map(self.demand.knows, self.read(reading).tolist())):
            return True
        count = self._count_matches(reading)
        return count > 0 and count == self._match_limit

    def _is_number(self, reading: Reading, limit: int | None) -> bool:
        """Return whether pandas reads numbers: those of this page, unless it was called without options."""
        numbers = to_numbers(self.read(reading, limit))
        if numbers is None or reading is DEFAULT or self.column.kind != "numeric":
            return numbers is not None
        return same_numbers(numbers, self.stored[:limit])

    @cached_property
    def _match_limit(self) -> int:
        """The most of the first texts that the model knows in any reading."""
        return max(map(self._count_matches, iter_readings() if self.is_written else self.choices))

    def _count_matches(self, reading: Reading) -> int:
        """Return how many of the first texts the model knows in a reading."""
        return sum(map(self.demand.knows, self.read(reading, SAMPLE).tolist()))


def list_columns(table: Table, demands: Mapping[str, Demand]) -> list[OwnColumn]:
    """Return the table's columns with what a model does with each of them."""
    return [_build_column(table, column, demands[column.name]) for column in table.columns]


def _build_column(table: Table, column: Column, demand: Demand) -> OwnColumn:
    cells, written = table.frame[column.name], table.texts.get(column.name)
    if written is not None:
        return OwnColumn(column, written.texts.to_pylist(), written.values, cells, demand, True)
    stored = cells.dropna().unique()
    stored = np.append(stored, np.nan) if column.missing else stored
    return OwnColumn(column, [column.show(value) for value in stored], stored, cells, demand, False)


def choose_readings(columns: Sequence[OwnColumn]) -> list[Reading]:
    """Return how the file was read for training: the same way for all columns if there is one that fits."""
    unfit = [column for column in columns if not column.fits(DEFAULT)]
    if not unfit:
        return [DEFAULT] * len(columns)
    own_readings = {id(column): _find_first(column) for column in unfit}
    # What fits in no reading is refused later and says nothing about the others.
    readable = [column for column in unfit if own_readings[id(column)] is not None]
    shared = [
        reading
        for reading in (iter_readings() if readable and all(column.is_written for column in readable) else ())
        if all(column.fits(reading) for column in readable)
    ]
    for reading in shared:
        if all(column.fits(reading) for column in columns if column not in unfit):
            return [reading] * len(columns)
    return [own_readings.get(id(column)) or DEFAULT for column in columns]


def _find_first(column: OwnColumn) -> Reading | None:
    readings = iter_readings() if column.is_written else iter(column.choices)
    return next((reading for reading in readings if column.fits(reading)), None)


def build_forms(column: OwnColumn, reading: Reading) -> tuple[ColumnForms, list[str]]:
    """Return the forms of a column's values in the model's reading, and notes for the visitor.

    Raises:
        ModelUnavailable: a value would reach the model in another form than it was trained on.
    """
    if column.demand.encodings:
        forms = column.read(reading)
        return _build_lookup(column, forms, "your model knows certain values only"), _check_unknown(column, forms)
    if not column.demand.is_number:
        return ColumnForms(column.column), []
    numbers = to_numbers(column.read(reading))
    notes = []
    if numbers is None:
        numbers = _convert_here(column)
        notes.append(_describe_conversion(column))
    if column.stored.dtype != object:
        if same_numbers(numbers, column.stored):
            return ColumnForms(column.column), notes
        notes += _compare_numbers(column, numbers)
    return _build_lookup(column, numbers, "the file's own way to write the numbers does not say what it is"), notes


def _convert_here(column: OwnColumn) -> Float64:
    """Return the table's own numbers for texts that pandas cannot read as numbers, (T,).

    Raises:
        ModelUnavailable: it is not known how they became numbers for the model.
    """
    name, kind = column.column.name, column.column.kind
    odd = [text for text in column.texts if not _is_number(text)]
    if kind == "date":
        raise ModelUnavailable(
            f"Your model takes numbers, but {name!r} holds dates such as {odd[0]!r}, and it is not known how they "
            "became numbers for it. Put a column of numbers, such as the year, into the table, and train on that."
        )
    if kind == "category":
        raise ModelUnavailable(
            f"Your model takes numbers, but {name!r} holds text such as {odd[0]!r}. Save a pipeline that makes numbers "
            "of the text itself, with OneHotEncoder or OrdinalEncoder, fitted on the table as pandas.read_csv gives it."
        )
    if any("%" in text for text in odd):
        raise ModelUnavailable(
            f"Your model takes numbers, but {name!r} holds percentages such as {odd[0]!r}: 12% may have been 12 or "
            "0.12 for it. Write plain numbers into the file, and train on these."
        )
    return np.asarray(column.stored, dtype=np.float64)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _describe_conversion(column: OwnColumn) -> str:
    pairs = [
        f"{'no value' if np.isnan(value) else f'{value:g}'} for {text!r}"
        for text, value in zip(column.texts, column.stored.tolist(), strict=True)
        if not _is_number(text) and text.strip()
    ]
    return f"Your model takes numbers, so it gets, in {column.column.name!r}, {', '.join(pairs[:3])}."


def _compare_numbers(column: OwnColumn, numbers: Float64) -> list[str]:
    """Return a note on a column whose numbers pandas reads otherwise than this page."""
    if column.column.kind != "numeric":
        return []
    differs = np.flatnonzero(numbers != column.stored)
    place = next((int(index) for index in differs if not np.isnan(numbers[index])), None)
    if place is None:
        return []
    here = column.column.show(column.stored[place])
    words = f"{numbers[place]:g} for {column.texts[place]!r}, as pandas reads it; here it is {here}"
    return [f"In {column.column.name!r} your model gets {words}."]


def _build_lookup(column: OwnColumn, forms: np.ndarray, reason: str) -> ColumnForms:
    """Return the form of each stored value.

    Raises:
        ModelUnavailable: two texts are one value here and two for the model.
    """
    distinct, groups = group_texts(column.stored)
    # Written backwards, so that the first text of a group stays.
    first = np.full(len(distinct) + 1, -1, dtype=np.int64)
    first[groups[::-1]] = np.arange(len(groups))[::-1]
    _check_one_form(column, forms, first[groups])
    empty = forms[first[-1]] if first[-1] >= 0 else np.nan
    return ColumnForms(column.column, distinct, forms[first[:-1]], empty, reason)


def _check_one_form(column: OwnColumn, forms: np.ndarray, first: Int64) -> None:
    is_empty = pd.isna(forms)
    differs: Bool = ~((forms == forms[first]) | (is_empty & is_empty[first]))
    for index in np.flatnonzero(differs).tolist():
        pair = forms[[first[index], index]].tolist()
        if column.demand.encodings and not any(map(column.demand.knows, pair)):
            continue
        texts = [column.texts[first[index]], column.texts[index]]
        shown = (
            "no value" if is_missing(column.stored[index]) else f"one value, {column.column.show(column.stored[index])}"
        )
        raise ModelUnavailable(
            f"Your model tells {texts[0]!r} and {texts[1]!r} apart in {column.column.name!r}; here they are {shown}. "
            "Write them alike in the file and train again."
        )


def _check_unknown(column: OwnColumn, forms: np.ndarray) -> list[str]:
    """Return a note on values that the model's encoders never met.

    Raises:
        ModelUnavailable: it knows none of them, or stops at unknown ones.
    """
    name, demand = column.column.name, column.demand
    unknown = [index for index, form in enumerate(forms.tolist()) if not demand.knows(form)]
    if not unknown:
        return []
    values = [column.texts[index].strip() for index in unknown]
    words = show_values([value or "an empty cell" for value in values])
    known = show_values(sorted({value for encoding in demand.encodings for value in encoding.values}, key=str))
    if len(unknown) == len(forms):
        raise ModelUnavailable(
            f"Your model knows other values of {name!r} than the file has: it knows {known}, the file has {words}. "
            "Use the file that it was trained on, or one that is written alike."
        )
    stored = pd.Series(column.stored[unknown], dtype=column.stored.dtype)
    rows = int(column.cells.isin(stored.dropna()).sum()) + (column.column.missing if stored.isna().any() else 0)
    if not rows:
        return []
    if not demand.takes_unknown:
        raise ModelUnavailable(
            f"In {rows:,} rows {name!r} holds what your model never met, and it stops there: {words}. It knows "
            f"{known}. Leave these rows out, or train with OneHotEncoder(handle_unknown='ignore')."
        )
    return [f"{rows:,} rows of {name!r} hold values that your model never met: {words}."]
