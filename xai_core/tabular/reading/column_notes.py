"""Sentences about the guesses that were made when a file was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xai_core.tabular.data.roles import Role, TypedColumn
from xai_core.tabular.reading.cells import MAX_CELLS, Cells
from xai_core.tabular.reading.values.missing_words import find_sentinel

# Names in a note, and notes about single columns, that are shown.
MAX_NOTES = 10
# Words for no value that are named.
MAX_WORDS = 4


def sampling_notes(cells: Cells) -> list[str]:
    """Return a sentence about a sample of the rows, if one was taken."""
    sampled, columns = len(cells.columns), len(cells.columns.column_names)
    if sampled == cells.rows:
        return []
    note = f"The file has {cells.rows:,} rows of {columns} columns, more than {MAX_CELLS:,} cells. "
    return [note + f"{sampled:,} rows were drawn by chance (the same ones every time) and the others left out."]


def list_unusable(results: Mapping[str, TypedColumn | str]) -> list[str]:
    """Return sentences about columns that cannot be used, one for each reason."""
    reasons = dict.fromkeys(reason for reason in results.values() if isinstance(reason, str))
    return [
        f"Left out, because {reason}: {list_names([name for name, result in results.items() if result == reason])}."
        for reason in reasons
    ]


def column_notes(typed: Mapping[str, TypedColumn], roles: Mapping[str, Role]) -> list[str]:
    """Return notes about columns: one for each form of numbers and dates, the first few of the rest, and words."""
    forms = dict.fromkeys(form for column in typed.values() for form in column.forms)
    form_notes = [
        f"{form} in {list_names([name for name, column in typed.items() if form in column.forms])}." for form in forms
    ]
    notes = [note for column in typed.values() for note in column.notes]
    hidden = sum(bool(column.notes) for column in typed.values()) - MAX_NOTES
    rest = [f"And {hidden:,} columns more with notes like these."] if hidden > 0 else []
    return [
        *form_notes,
        *notes[:MAX_NOTES],
        *rest,
        *_word_notes({name: column.missing_words for name, column in typed.items()}, "was taken for no value"),
        *_word_notes({name: column.kept_words for name, column in typed.items()}, "was kept as a value of its own"),
        *_sentinel_notes(typed, roles),
    ]


def _word_notes(words: Mapping[str, Sequence[tuple[str, int]]], verb: str) -> list[str]:
    """Return a sentence for each word, with its rows in each column; the most frequent words first."""
    places: dict[str, list[tuple[str, int]]] = {}
    for name, counts in words.items():
        for word, count in counts:
            places.setdefault(word, []).append((name, count))
    ordered = sorted(places, key=lambda word: -sum(count for _, count in places[word]))
    notes = []
    for word in ordered[:MAX_WORDS]:
        listed = [f"{count:,} {'row' if count == 1 else 'rows'} of {name!r}" for name, count in places[word]]
        notes.append(f"{word!r} {verb} in {_list(listed)}.")
    return notes


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
    return [f"Far from all other numbers: {_list(places)}. If this stands for no value, empty these cells in the file."]


def list_names(names: Sequence[str]) -> str:
    """Return the first names in quotes."""
    return _list([repr(name) for name in names])


def _list(items: Sequence[str]) -> str:
    return ", ".join(items[:MAX_NOTES]) + (" and so on" if len(items) > MAX_NOTES else "")
