"""What the pictures of a set are called: by the folder they lie in, or by a table labels.csv with the columns file and label."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from xai_core._text import recoded
from xai_core.errors import InvalidTable

MAX_LABEL = 80
_PARTS = frozenset("train training val valid validation test testing".split())
_MARKS = ",;\t"
_BAD_TABLE = "labels.csv could not be read: it needs two columns, file and label, saved as CSV (UTF-8). The folders were taken instead."


def folder_labels(names: Sequence[str]) -> list[str]:
    """The first folder that tells pictures apart, or "" where there is none.

    A folder around everything is left out, and so are "train", "test" and "val".
    """
    return [tidy(name) for name in _telling([tuple(name.split("/")[:-1]) for name in names])]


def table_labels(data: bytes, table: str, names: Sequence[str]) -> tuple[list[str] | None, list[str]]:
    """The label of each picture by a table of files, "" for one not in it, and what is to be said about it.

    A file may be named with or without the folders before it, as long as it is clear which is meant. None for a table that cannot be read.
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
        return None, [_BAD_TABLE]
    notes = []
    if unknown:
        notes.append(f"Rows of labels.csv that name no picture of this set: {unknown:,}.")
    if missing := labels.count(""):
        notes.append(f"Pictures without a label in labels.csv: {missing:,}.")
    return labels, notes


def tidy(label: str) -> str:
    """One line of at most 80 printable letters."""
    return "".join(letter for letter in " ".join(label.split()) if letter.isprintable())[:MAX_LABEL].strip()


def numbered(labels: Sequence[str]) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
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
        text = recoded(data).decode()
        mark = max(_MARKS, key=text.partition("\n")[0].count)
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=mark) if len(line) >= 2]
    except (InvalidTable, csv.Error):
        return {}
    return {_path(file): tidy(label) for file, label, *_ in lines}


def _path(written: str) -> str:
    return written.strip().replace("\\", "/").removeprefix("./")


def _places(names: Sequence[str], folder: str) -> Mapping[str, int]:
    """Row of a picture by its whole name, its name from the table's folder on, and its mere file name where only one has it."""
    files = [name.rpartition("/")[2] for name in names]
    often = Counter(files)
    places = {file: row for row, file in enumerate(files) if often[file] == 1}
    places |= {name.removeprefix(f"{folder}/"): row for row, name in enumerate(names) if name.startswith(f"{folder}/")}
    return places | {name: row for row, name in enumerate(names)}
