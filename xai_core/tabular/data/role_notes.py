"""Sentences about how columns were read, and about their roles: ids, constants, ordered kinds and codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from xai_core.tabular.data.column import Column
from xai_core.tabular.data.grouping import MIN_GROUPS
from xai_core.tabular.data.roles import Role, TypedColumn

# Names in a note, and notes about single columns, that are shown.
MAX_NAMES = 10
# Words for no value that are named.
MAX_WORDS = 4
# Up to so many different whole numbers may be codes; a column of a shorter table has few by chance.
MAX_CODES = 10
MIN_ROWS_OF_CODES = 20


def repeated_id(frame: pd.DataFrame, roles: Mapping[str, Role], target: str = "") -> str | None:
    """Return the first id of which several rows have the same, None if there is none."""
    for name in frame:
        if roles[name] == "id" and name != target and MIN_GROUPS <= frame[name].nunique() < frame[name].notna().sum():
            return str(name)
    return None


def role_notes(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    roles: Mapping[str, Role],
    order_reasons: Mapping[str, str],
    target: str = "",
) -> list[str]:
    """Return notes about columns that are no features unless a visitor chooses them, about orders and about codes."""
    columns = [column for column in columns if column.name != target]
    ids = [column.name for column in columns if roles[column.name] == "id"]
    counts = {name: frame[name].nunique() for name in ids}
    repeated = [name for name in ids if counts[name] < 0.9 * frame[name].notna().sum()]
    unique = [name for name in ids if name not in repeated]
    constant = [
        column.name
        for column in columns
        if roles[column.name] == "left out" and frame[column.name].nunique() + bool(column.missing) < 2
    ]
    others = [column.name for column in columns if roles[column.name] == "left out" and column.name not in constant]
    notes = []
    if unique:
        notes.append(
            "Not used unless you choose it, because nearly every row has its own value, like a name or a number: "
            f"{list_names(unique)}."
        )
    if repeated:
        notes.append(_repeated_note(repeated, counts, len(frame), repeated_id(frame, roles)))
    if constant:
        notes.append(f"Not used, because every row says the same: {list_names(constant)}.")
    if others:
        notes.append(f"Left out, as you chose: {list_names(others)}.")
    notes += [
        f"The values of {column.name!r} are ordered {order_reasons.get(column.name, 'as given')}: "
        f"{list_names(column.categories)}."
        for column in columns
        if column.ordered
    ]
    return notes + (_code_notes(frame, columns, roles) if len(frame) >= MIN_ROWS_OF_CODES else [])


def _code_notes(frame: pd.DataFrame, columns: Sequence[Column], roles: Mapping[str, Role]) -> list[str]:
    """Return a sentence about numbers that may be codes for kinds."""
    names = [
        column.name
        for column in columns
        if column.kind == "numeric" and column.whole and not column.holds_years and roles[column.name] == "number"
        if 2 <= frame[column.name].nunique() <= MAX_CODES
    ]
    if not names:
        return []
    verbs = "holds few different whole numbers and was" if len(names) == 1 else "hold few whole numbers and were"
    return [f"{list_names(names)} {verbs} read as amounts. If they are codes for kinds, say so in the column types."]


def _repeated_note(names: Sequence[str], counts: Mapping[str, int], rows: int, grouping: str | None) -> str:
    listed = ", ".join(f"{name!r} ({counts[name]:,} values in {rows:,} rows)" for name in names[:MAX_NAMES])
    several = f" Rows of one {grouping!r} stay together." if grouping is not None and len(names) > 1 else ""
    return (
        f"Not used, because it seems to number persons or things that come in several rows: {listed}.{several} "
        "If it is something else, say so in the column types."
    )


def reading_notes(typed: Mapping[str, TypedColumn]) -> list[str]:
    """Return notes about how columns were read: one for each form of their cells, the first few of the rest, words."""
    forms = dict.fromkeys(form for column in typed.values() for form in column.forms)
    form_notes = [
        f"{form} in {list_names([name for name, column in typed.items() if form in column.forms])}." for form in forms
    ]
    notes = [note for column in typed.values() for note in column.notes]
    hidden = sum(bool(column.notes) for column in typed.values()) - MAX_NAMES
    rest = [f"And {hidden:,} columns more with notes like these."] if hidden > 0 else []
    return [
        *form_notes,
        *notes[:MAX_NAMES],
        *rest,
        *_word_notes({name: column.missing_words for name, column in typed.items()}, "was taken for no value"),
        *_word_notes({name: column.kept_words for name, column in typed.items()}, "was kept as a value of its own"),
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
        notes.append(f"{word!r} {verb} in {join_items(listed)}.")
    return notes


def list_names(names: Sequence[str]) -> str:
    """Return the first names in quotes."""
    return join_items([repr(name) for name in names])


def join_items(items: Sequence[str]) -> str:
    """Return the first items with commas between them."""
    return ", ".join(items[:MAX_NAMES]) + (" and so on" if len(items) > MAX_NAMES else "")
