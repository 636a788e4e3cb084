"""What the pictures of a set are called: by the folder they lie in, or by a table labels.csv with the columns file and label."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from xai_core.arrays import Int32
from xai_core.errors import InvalidTable
from xai_core.imageset.reading.file_roles import split
from xai_core.text_decoding import convert_to_utf8, find_separator_line

MAX_LABEL = 80
_PARTS = frozenset("train training val valid validation test testing".split())
_MARKS = ",;\t"
_FILE = frozenset("file filename file_name path filepath file_path image picture photo".split())
_LABEL = frozenset("label class category class_name".split())
"""What the two columns may be called where they are not the first two."""
_NO_NAMES = (
    "labels.csv names no picture of this set. Write each file's name as it is in the set, with its folder or without."
)
_BAD_TABLE = "labels.csv could not be read: it needs two columns, file and label, saved as CSV (UTF-8)."


def folder_labels(names: Sequence[str]) -> list[str]:
    """The first folder that tells pictures apart, or "" where there is none.

    A folder around everything is left out, and so are "train", "test" and "val".
    """
    return [tidy(name) for name in _telling([tuple(name.split("/")[:-1]) for name in names])]


def table_labels(data: bytes, table: str, names: Sequence[str]) -> tuple[list[str] | None, list[str]]:
    """The label of each picture by a table of files, "" for one not in it, and what is to be said about it.

    A file may be named without the folders before it and without its ending, as long as it is clear which is meant. None for a table that
    cannot be read.
    """
    told = _rows(data)
    if not told:
        return None, [_BAD_TABLE]
    rows = _places(names, table.rpartition("/")[0])
    labels, unknown = [""] * len(names), 0
    for line, (file, label) in enumerate(told.items()):
        row = rows.get(file)
        if row is not None:
            labels[row] = label
        elif line:  # the first line may be the names of the columns
            unknown += 1
    if not any(labels):
        return None, [_NO_NAMES]
    return labels, [f"Rows of labels.csv that name no picture of this set: {unknown:,}."] if unknown else []


def tidy(label: str) -> str:
    """One line of at most 80 printable letters."""
    return "".join(letter for letter in " ".join(_plain(label).split()) if letter.isprintable())[:MAX_LABEL].strip()


def _plain(text: str) -> str:
    """Letters with accents as one sign, as most programs write them; macOS keeps names in two."""
    return unicodedata.normalize("NFC", text)


def numbered(labels: Sequence[str]) -> tuple[Int32, tuple[str, ...]]:
    """Labels as rows of the sorted classes, -1 for none."""
    classes = tuple(sorted({label for label in labels if label}))
    rows = {label: row for row, label in enumerate(classes)}
    return np.array([rows.get(label, -1) for label in labels], dtype=np.int32), classes


def _telling(folders: Sequence[tuple[str, ...]]) -> list[str]:
    first, last = min(folders), max(folders)  # what these two share, all share
    shared = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    rest = [each[shared:] for each in folders]
    if all(each and each[0].lower() in _PARTS for each in rest):
        return _telling([each[1:] for each in rest])
    return [each[0] if each else "" for each in rest]


def _rows(data: bytes) -> dict[str, str]:
    """Label by file, as written; empty where the table cannot be read."""
    try:
        text = convert_to_utf8(data).decode()
        mark, start = find_separator_line(text)
        text = text[start:].lstrip("\r\n")
        mark = mark or max(_MARKS, key=text.partition("\n")[0].count)
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except (InvalidTable, csv.Error):
        return {}
    file, label = _columns(lines[0] if lines else ())
    return {_path(line[file]): tidy(line[label]) for line in lines if len(line) > max(file, label)}


def _columns(heading: Sequence[str]) -> tuple[int, int]:
    """Where file and label stand: below their names, else in the first two columns."""
    names = [name.strip().lower() for name in heading]
    file, label = (next((at for at, name in enumerate(names) if name in known), None) for known in (_FILE, _LABEL))
    return (0, 1) if file is None or label is None else (file, label)


def _path(written: str) -> str:
    return _plain(written).strip().replace("\\", "/").removeprefix("./")


def _places(names: Sequence[str], folder: str) -> Mapping[str, int]:
    """Row of a picture by its whole name, its name from the table's folder on, and its mere file name, with or without its ending, where
    only one has it.
    """
    names, folder = [_plain(name) for name in names], _plain(folder)
    files = [name.rpartition("/")[2] for name in names]
    places = _only([split(file)[1] for file in files]) | _only(files)
    places |= {name.removeprefix(f"{folder}/"): row for row, name in enumerate(names) if name.startswith(f"{folder}/")}
    return places | {name: row for row, name in enumerate(names)}


def _only(words: Sequence[str]) -> dict[str, int]:
    """The place of every word that stands there once."""
    often = Counter(words)
    return {word: at for at, word in enumerate(words) if often[word] == 1}
