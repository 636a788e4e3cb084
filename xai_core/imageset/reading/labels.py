"""Labels of pictures: by the folder they lie in, or by a table labels.csv with the columns file and label."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from xai_core.arrays import Int32
from xai_core.errors import InvalidImage, InvalidTable
from xai_core.imageset.reading.file_roles import Files, split_name
from xai_core.imageset.record import NO_LABEL
from xai_core.text_decoding import convert_to_utf8, find_separator_line

MAX_LABEL = 80
_SPLIT_NAMES = frozenset("train training val valid validation test testing".split())
_SEPARATORS = ",;\t"
_FILE_COLUMNS = frozenset("file filename file_name path filepath file_path image picture photo".split())
# Names of the two columns where they are not the first two.
_LABEL_COLUMNS = frozenset("label class category class_name".split())
_NO_NAMES = (
    "labels.csv names no picture of this set. Write each file's name as it is in the set, with its folder or without."
)
_BAD_TABLE = "labels.csv could not be read: it needs two columns, file and label, saved as CSV (UTF-8)."


def assign_labels(files: Files, pictures: Sequence[int], table: int | None) -> tuple[list[str], list[str]]:
    """Return the label of each picture, "" for none, by the table of labels or else by folders; and notes."""
    names = [files.names[row] for row in pictures]
    by_folder = folder_labels(names)
    if table is None:
        return by_folder, _single_folder_notes(names, by_folder)
    try:
        by_table, notes = table_labels(files.read(table), files.names[table], names)
    except InvalidImage as error:
        by_table, notes = None, [f"labels.csv could not be read. {error}"]
    if by_table is not None:
        return by_table, notes
    return by_folder, [*notes, *(["The folders were taken for labels instead."] if any(by_folder) else [])]


def _single_folder_notes(names: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Give the reason why pictures that do lie in a folder have no labels."""
    folders = {name.rpartition("/")[0] for name in names}
    if any(labels) or len(folders) != 1 or "" in folders:
        return []
    note = (
        f"All pictures lie in one folder, “{folders.pop()}”, which tells none of them apart. "
        "A table labels.csv can give them labels."
    )
    return [note]


def folder_labels(names: Sequence[str]) -> list[str]:
    """Return the first folder that differs between pictures, or "" without one.

    A folder around everything is left out, and so are "train", "test" and "val".

    >>> folder_labels(["all/train/cat/1.png", "all/test/dog/2.png"])
    ['cat', 'dog']
    """
    return [clean_label(name) for name in _first_differing_folder([tuple(name.split("/")[:-1]) for name in names])]


def table_labels(data: bytes, table: str, names: Sequence[str]) -> tuple[list[str] | None, list[str]]:
    """Return the label of each picture by a table, "" for one not in it, and notes; None for a bad table.

    A file may be named without the folders before it and without its ending, where that is unambiguous.
    """
    label_of_file = _read_table(data)
    if not label_of_file:
        return None, [_BAD_TABLE]
    rows = _index_names(names, table.rpartition("/")[0])
    labels, unknown = [""] * len(names), 0
    for line, (file, label) in enumerate(label_of_file.items()):
        row = rows.get(file)
        if row is not None:
            labels[row] = label
        elif line:
            # The first line may be the names of the columns, and does not count.
            unknown += 1
    if not any(labels):
        return None, [_NO_NAMES]
    return labels, [f"Rows of labels.csv that name no picture of this set: {unknown:,}."] if unknown else []


def clean_label(label: str) -> str:
    """Return a label as one line of at most 80 printable letters."""
    line = " ".join(_compose(label).split())
    return "".join(letter for letter in line if letter.isprintable())[:MAX_LABEL].strip()


def encode_labels(labels: Sequence[str]) -> tuple[Int32, tuple[str, ...]]:
    """Return labels as rows of the sorted classes, (N,), -1 for none; and the classes.

    >>> encode_labels(["dog", "", "cat"])
    (array([ 1, -1,  0], dtype=int32), ('cat', 'dog'))
    """
    classes = tuple(sorted({label for label in labels if label}))
    rows = {label: row for row, label in enumerate(classes)}
    return np.array([rows.get(label, NO_LABEL) for label in labels], dtype=np.int32), classes


def _compose(text: str) -> str:
    """Write letters with accents as one sign, as most programs do; macOS keeps names in two."""
    return unicodedata.normalize("NFC", text)


def _first_differing_folder(folders: Sequence[tuple[str, ...]]) -> list[str]:
    # What the first and the last in order share, all share.
    first, last = min(folders), max(folders)
    pairs = enumerate(zip(first, last, strict=False))
    shared = next((depth for depth, (a, b) in pairs if a != b), len(first))
    rest = [folder[shared:] for folder in folders]
    if all(folder and folder[0].lower() in _SPLIT_NAMES for folder in rest):
        return _first_differing_folder([folder[1:] for folder in rest])
    return [folder[0] if folder else "" for folder in rest]


def _read_table(data: bytes) -> dict[str, str]:
    """Map files to labels, as written; empty where the table cannot be read."""
    try:
        text = convert_to_utf8(data).decode()
        separator, start = find_separator_line(text)
        text = text[start:].lstrip("\r\n")
        separator = separator or max(_SEPARATORS, key=text.partition("\n")[0].count)
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except (InvalidTable, csv.Error):
        return {}
    file, label = _find_columns(lines[0] if lines else ())
    return {_normalize_path(line[file]): clean_label(line[label]) for line in lines if len(line) > max(file, label)}


def _find_columns(heading: Sequence[str]) -> tuple[int, int]:
    """Return the columns of file and label: those of these names, else the first two."""
    names = [name.strip().lower() for name in heading]
    file, label = (
        next((column for column, name in enumerate(names) if name in known), None)
        for known in (_FILE_COLUMNS, _LABEL_COLUMNS)
    )
    return (0, 1) if file is None or label is None else (file, label)


def _normalize_path(path: str) -> str:
    return _compose(path).strip().replace("\\", "/").removeprefix("./")


def _index_names(names: Sequence[str], folder: str) -> Mapping[str, int]:
    """Map names to rows: whole, from the table's folder on, and unique file names with or without ending."""
    names, folder = [_compose(name) for name in names], _compose(folder)
    files = [name.rpartition("/")[2] for name in names]
    rows = _index_unique([split_name(file)[1] for file in files]) | _index_unique(files)
    rows |= {name.removeprefix(f"{folder}/"): row for row, name in enumerate(names) if name.startswith(f"{folder}/")}
    return rows | {name: row for row, name in enumerate(names)}


def _index_unique(words: Sequence[str]) -> dict[str, int]:
    """Map every word that occurs once to its place."""
    counts = Counter(words)
    return {word: place for place, word in enumerate(words) if counts[word] == 1}
