"""Sentences about the guesses that were made when a file was read."""

from __future__ import annotations

from collections.abc import Mapping

from xai_core.tabular.data.role_notes import join_items, list_names, reading_notes
from xai_core.tabular.data.roles import Role, TypedColumn
from xai_core.tabular.reading.cells import MAX_CELLS, Cells
from xai_core.tabular.reading.values.missing_words import find_sentinel


def sampling_notes(cells: Cells) -> list[str]:
    """Return a sentence about a sample of the rows, if one was taken."""
    sampled, columns = len(cells.columns), len(cells.columns.column_names)
    if sampled == cells.rows:
        return []
    note = f"The file has {cells.rows:,} rows of {columns} columns, more than {MAX_CELLS:,} cells. "
    return [note + f"{sampled:,} rows were drawn at random (the same ones every time) and the others left out."]


def list_unusable(results: Mapping[str, TypedColumn | str]) -> list[str]:
    """Return sentences about columns that cannot be used, one for each reason."""
    reasons = dict.fromkeys(reason for reason in results.values() if isinstance(reason, str))
    return [
        f"Left out, because {reason}: {list_names([name for name, result in results.items() if result == reason])}."
        for reason in reasons
    ]


def column_notes(typed: Mapping[str, TypedColumn], roles: Mapping[str, Role]) -> list[str]:
    """Return notes about columns."""
    return [*reading_notes(typed), *_sentinel_notes(typed, roles)]


def _sentinel_notes(typed: Mapping[str, TypedColumn], roles: Mapping[str, Role]) -> list[str]:
    """Return a sentence about numbers such as −999 that may stand for no value; they are left as they are."""
    places = []
    for name, column in typed.items():
        value = find_sentinel(column.values) if column.kind == "numeric" and roles[name] == "number" else None
        if value is not None:
            count = int((column.values == value).sum())
            places.append(f"{value:.0f} in {count:,} {'row' if count == 1 else 'rows'} of {name!r}")
    if not places:
        return []
    return [
        f"Far from all other numbers: {join_items(places)}. If this stands for no value, empty these cells in the file."
    ]
