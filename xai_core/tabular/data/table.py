"""A table ready to learn from: features, target, and rows built from a form. Cells are stored as in `column.py`."""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from xai_core.arrays import Int64
from xai_core.errors import InvalidParam, InvalidTable, UnknownName
from xai_core.tabular.data.cell_texts import CellTexts
from xai_core.tabular.data.column import Column, Kind, describe_column, find_column
from xai_core.tabular.data.grouping import check_groups, hold_out_groups

Task = Literal["classification", "regression"]
# Rows with a target that a table needs, and rows that a model needs to train.
MIN_ROWS = 20
MAX_CLASSES = 50


@dataclass(frozen=True, eq=False)
class Table:
    """Features, and the target that a model is to predict."""

    name: str
    title: str
    frame: pd.DataFrame
    """Features only, (N, features), in the order of `columns`; rows are numbered 0 to N − 1. Not to be written into."""
    target: np.ndarray
    """(N,) int64 class index, or float64 for regression; read-only."""
    target_name: str
    task: Task
    classes: tuple[str, ...]
    """Names of the classes in the order of their index; () for regression."""
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    """Sentences about changes to the rows: sampled, left out, counted as missing."""
    about: str = ""
    protected: str = ""
    """The column that the fairness page starts with, "" if there is none."""
    texts: Mapping[str, CellTexts] = field(default_factory=dict)
    """The file's own texts of the target and of the chosen features, those left out as constant among them; {} for a
    table that was not read from text."""
    groups: Int64 | None = None
    """The group of each row, (N,) read-only: rows of one repeated id, such as a patient; None where rows are single."""
    group_name: str = ""
    """Name of the id."""

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def sha256(self) -> str:
        """Hash of cells, target, groups and choice of features; the table's own name does not count."""
        return _hash_content(self)

    @cached_property
    def spelling(self) -> str:
        """Hash of the file's own texts, which an own model is handed; "" for a table without."""
        digest = hashlib.sha256()
        for name, cells in sorted(self.texts.items()):
            digest.update("\0".join([name, *cells.texts.to_pylist()]).encode())
        return digest.hexdigest() if self.texts else ""

    def column(self, name: str) -> Column:
        """Return the column of this name. Raises UnknownName with the nearest names."""
        return find_column(self.columns, name)

    def check_feature(self, name: str) -> str:
        """Return the feature's name. Raises UnknownName with the nearest names."""
        if name not in self.features:
            raise UnknownName.of("feature", name, self.features)
        return name

    def check_pair(self, features: tuple[str, str]) -> tuple[str, str]:
        """Return two different features. Raises UnknownName and InvalidParam."""
        first, second = (self.check_feature(name) for name in features)
        if first == second:
            raise InvalidParam(f"Choose two different features. Got {first!r} twice.")
        return first, second

    def outcome_index(self, outcome: int | None = None) -> int | None:
        """Return the class to explain: the given one, else the last (the second of two); None for a regression.

        Raises:
            InvalidParam: no such class, with what is allowed.
        """
        if self.task == "regression":
            return None
        last = len(self.classes) - 1
        try:
            index = last if outcome is None else -1 if isinstance(outcome, bool) else operator.index(outcome)
        except TypeError:
            index = -1
        if not 0 <= index <= last:
            raise InvalidParam(f"The outcome must be a class number from 0 to {last}. Got {str(outcome)[:60]!r}.")
        return index

    def outcome_words(self, outcome: int | None = None) -> str:
        """Return the words for the explained number: "probability of yes", or the target's name."""
        index = self.outcome_index(outcome)
        return self.target_name if index is None else f"probability of {self.classes[index]}"

    def split(self, seed: int = 0, held_out: float = 0.25) -> tuple[Int64, Int64]:
        """Return row numbers to train on and row numbers held out, both ascending, the same for the same seed.

        Of every class the share `held_out` is held out, rounded; a class of a single row is trained on. With `groups`
        the rows of a group stay together, so that the share is met as far as they allow.

        Raises:
            InvalidTable: each group has a class of its own.
        """
        rng = np.random.default_rng(seed)
        if self.groups is not None:
            labels = self.target if self.classes else np.zeros(len(self), dtype=np.int64)
            test_rows = hold_out_groups(labels, self.groups, held_out, rng)
            return np.setdiff1d(np.arange(len(self)), test_rows), test_rows
        classes = [np.flatnonzero(self.target == index) for index in range(len(self.classes))] or [np.arange(len(self))]
        test_rows = np.concatenate(
            [rng.permutation(rows)[: min(round(held_out * len(rows)), len(rows) - 1)] for rows in classes if len(rows)]
        )
        return np.setdiff1d(np.arange(len(self)), test_rows), np.sort(test_rows)

    def take(self, rows: Sequence[int] | Int64) -> pd.DataFrame:
        """Return rows of the features, in the given order, with their row numbers as index."""
        return self.frame.iloc[np.asarray(rows, dtype=np.int64)]

    def row(self, values: Mapping[str, Any]) -> pd.DataFrame:
        """Return a frame of one row, typed like `frame`, from the values of a form; other columns have no value.

        Raises:
            InvalidTable: a column or category that the table does not have.
        """
        unknown = [name for name in values if name not in self.features]
        if unknown:
            raise InvalidTable(str(UnknownName.of("column", unknown[0], self.features)))
        cells = {column.name: _to_series(column, [column.parse(values.get(column.name))]) for column in self.columns}
        return pd.DataFrame(cells)


def table_from(
    frame: pd.DataFrame,
    target: np.ndarray | Sequence[float],
    *,
    classes: Sequence[str] = (),
    kinds: Mapping[str, Kind] | None = None,
    name: str = "table",
    title: str = "",
    target_name: str = "target",
    notes: Iterable[str] = (),
    about: str = "",
    protected: str = "",
    groups: npt.ArrayLike | None = None,
    group_name: str = "group",
    orders: Mapping[str, Sequence[str]] | None = None,
) -> Table:
    """Return a table of a frame in memory; with `classes` it is a classification whose target holds class indices.

    Numbers make a numeric column, True and False a boolean one, text a category, unless `kinds` says otherwise.
    `orders` names the values of ordered categories from less to more.
    `groups` are whole numbers, (N,): `Table.split` keeps the rows of each on one side, and a note says so.

    Raises:
        InvalidTable: groups that are not one number a row, or fewer than three.

    >>> frame = pd.DataFrame({"size": [1.5, 2.0], "colour": ["red", "blue"]})
    >>> table_from(frame, [0, 1], classes=("cheap", "dear")).features
    ('size', 'colour')
    """
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    all_kinds = {column: _guess_kind(frame[column]) for column in frame} | dict(kinds or {})
    rising = dict(orders or {})
    columns = tuple(
        describe_column(column, kind, frame[column], rising.get(column, ())) for column, kind in all_kinds.items()
    )
    cells = {column.name: _to_series(column, frame[column.name].to_numpy()) for column in columns}
    # A copy: the caller's array stays writable.
    target = np.array(target, dtype=np.int64 if classes else np.float64)
    target.flags.writeable = False
    group_of_row = None if groups is None else check_groups(groups, len(frame), group_name)
    return Table(
        name=name,
        title=title or name,
        frame=pd.DataFrame(cells),
        target=target,
        target_name=target_name,
        task="classification" if classes else "regression",
        classes=tuple(classes),
        columns=columns,
        notes=(*notes, *_group_notes(group_of_row, group_name)),
        about=about,
        protected=protected,
        groups=group_of_row,
        group_name="" if group_of_row is None else group_name,
    )


def _group_notes(groups: Int64 | None, name: str) -> tuple[str, ...]:
    if groups is None:
        return ()
    count = len(np.unique(groups))
    return (f"All rows of one {name} are on the same side of the split: {count:,} groups.",)


def _guess_kind(cells: pd.Series[Any]) -> Kind:
    if pd.api.types.is_bool_dtype(cells):
        return "boolean"
    return "numeric" if pd.api.types.is_numeric_dtype(cells) else "category"


def _to_series(column: Column, values: Sequence[Any] | np.ndarray) -> pd.Series[Any]:
    """Return cells in the type of their column, under fresh row numbers."""
    cells: pd.Series[Any] = pd.Series(values, dtype=object if column.kind == "category" else np.float64)
    return cells.where(cells.notna(), np.nan) if column.kind == "category" else cells


def _hash_content(table: Table) -> str:
    header = [table.target_name, table.task, table.classes, [(column.name, column.kind) for column in table.columns]]
    digest = hashlib.sha256(json.dumps(header).encode())
    for column in table.columns:
        cells = table.frame[column.name].to_numpy()
        digest.update(
            json.dumps(cells.tolist()).encode() if column.kind == "category" else np.ascontiguousarray(cells).tobytes()
        )
    digest.update(np.ascontiguousarray(table.target).tobytes())
    # Tables without orders and groups keep their old ids.
    for column in table.columns:
        if column.ordered:
            digest.update(json.dumps(["ordered", column.name, column.categories]).encode())
    if table.groups is not None:
        digest.update(b"groups" + np.unique(table.groups, return_inverse=True)[1].astype(np.int64).tobytes())
    return digest.hexdigest()
