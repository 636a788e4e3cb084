"""Labels of pictures: by the folder they lie in, or by a table labels.csv."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from xai_core.arrays import Int32
from xai_core.errors import InvalidImage
from xai_core.formatting import sort_naturally
from xai_core.imageset.reading.file_roles import FileRoles, Files, split_name
from xai_core.imageset.reading.folder_labels import label_by_folder
from xai_core.imageset.reading.label_tables import read_code_names, table_labels
from xai_core.imageset.record import NO_LABEL


def assign_labels(files: Files, pictures: Sequence[int], roles: FileRoles) -> tuple[list[str], list[str]]:
    """Return the label of each picture, "" for none, by the table of labels or else by folders; and notes."""
    names = [files.names[row] for row in pictures]
    by_folder = label_by_folder(names)
    if roles.table is None:
        return by_folder.labels, [*by_folder.notes, *_single_folder_notes(names, by_folder.labels)]
    try:
        table = files.read(roles.table)
        by_table, notes = table_labels(
            table, files.names[roles.table], names, _read_code_names(files, roles.code_names)
        )
    except InvalidImage as error:
        by_table, notes = None, [f"labels.csv could not be read. {error}"]
    if by_table is not None:
        return by_table, notes
    if any(by_folder.labels):
        notes = [*notes, "The folders were taken for labels instead.", *by_folder.notes]
    return by_folder.labels, notes


def folder_labels(names: Sequence[str]) -> list[str]:
    """Return the label of each picture by its folders, or "" without one.

    >>> folder_labels(["all/train/cat/1.png", "all/test/dog/2.png"])
    ['cat', 'dog']
    """
    return label_by_folder(names).labels


def encode_labels(labels: Sequence[str]) -> tuple[Int32, tuple[str, ...]]:
    """Return labels as rows of the classes, (N,), -1 for none; and the classes, 2 before 10.

    >>> encode_labels(["dog", "", "cat"])
    (array([ 1, -1,  0], dtype=int32), ('cat', 'dog'))
    """
    classes = tuple(sort_naturally({label for label in labels if label}))
    rows = {label: row for row, label in enumerate(classes)}
    return np.array([rows.get(label, NO_LABEL) for label in labels], dtype=np.int32), classes


def _read_code_names(files: Files, row: int | None) -> Mapping[str, str]:
    """Return the names of codes that a file of a set gives, if there is one that can be read."""
    if row is None:
        return {}
    try:
        return read_code_names(files.read(row), is_list=split_name(files.names[row])[2] != ".csv")
    except InvalidImage:
        return {}


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
