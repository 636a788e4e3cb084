"""A file's table before its target is chosen, and the choice of target and features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from xai_core.arrays import Float64, Int64
from xai_core.errors import InvalidTable
from xai_core.tabular.data.cell_texts import CellTexts
from xai_core.tabular.data.column import Column, find_column
from xai_core.tabular.data.table import MAX_CLASSES, MIN_ROWS, Table, Task, table_from

# Up to so many different whole numbers are taken for classes.
MAX_CLASS_NUMBERS = 10
# A class of fewer rows cannot be in each of the five parts of a cross-validation; a note says so.
MIN_CLASS_ROWS = 5
_TARGET_NAMES = frozenset(
    "target label class y outcome result decision species diagnosis survived churn default approved".split()
)


@dataclass(frozen=True, eq=False)
class RawTable:
    """Rows and typed columns of a file; `table` selects target and features."""

    name: str
    frame: pd.DataFrame
    """All columns, stored as in `Table.frame`. Not to be written into."""
    columns: tuple[Column, ...]
    rows: int
    notes: tuple[str, ...]
    sha256: str
    """Hash of the file's bytes."""
    boolean_words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The file's words for no and yes, of each boolean column."""
    default_excluded: tuple[str, ...] = ()
    """Columns that are features only on request: a different value in nearly every row, or the same in all."""
    texts: Mapping[str, CellTexts] = field(default_factory=dict)
    """The file's own texts, of each column that was read from text."""

    def column(self, name: str) -> Column:
        """Return the column of this name. Raises UnknownName with the nearest names."""
        return find_column(self.columns, name)

    @property
    def likely_target(self) -> str:
        """A column with a name such as "target" or "outcome", else the last one that can be a target."""
        names = [column.name for column in self.columns if column.name not in self.default_excluded]
        names = names or [self.columns[-1].name]
        typical = [name for name in names if name.lower() in _TARGET_NAMES]
        return typical[0] if typical else names[-1]

    def default_features(self, target: str) -> tuple[str, ...]:
        """Return all columns but the target and those excluded by default."""
        excluded = (target, *self.default_excluded)
        return tuple(column.name for column in self.columns if column.name not in excluded)

    def guess_task(self, target: str) -> Task:
        """Return classification for categories, yes or no and few whole numbers; else regression."""
        column = self.column(target)
        has_few_numbers = column.whole and self.frame[target].nunique() <= MAX_CLASS_NUMBERS
        return "classification" if column.kind in ("category", "boolean") or has_few_numbers else "regression"

    def table(self, target: str, features: Sequence[str] | None = None, *, task: Task | None = None) -> Table:
        """Return the rows to learn from; None stands for the default features and the guessed task.

        Raises:
            UnknownName: a column that does not exist.
            InvalidTable: nothing can be learned: a constant target, too many classes, too few rows, no feature left.
        """
        column = self.column(target)
        selected = self._select_features(target, features)
        frame = self.frame[self.frame[target].notna()]
        notes = list(self.notes)
        if len(frame) < self.rows:
            notes.append(f"{self.rows - len(frame):,} rows without a value in {target!r} were left out.")
        _check_target(column, frame[target])
        classes: tuple[str, ...] = ()
        values: np.ndarray
        if (task or self.guess_task(target)) == "regression":
            values = _to_numbers(column, frame[target])
        else:
            classes, values = self._to_classes(column, frame[target])
            notes += _class_notes(column, classes, values, guessed=task is None)
        selected, constant_notes = _drop_constant_features(frame, selected)
        table = table_from(
            frame[selected],
            values,
            classes=classes,
            kinds={name: self.column(name).kind for name in selected},
            name=self.name,
            target_name=target,
            notes=notes + constant_notes,
        )
        return replace(table, texts={name: self.texts[name] for name in (*selected, target) if name in self.texts})

    def _select_features(self, target: str, features: Sequence[str] | None) -> list[str]:
        selected = list(dict.fromkeys(self.default_features(target) if features is None else features))
        for name in selected:
            self.column(name)
        if target in selected:
            raise InvalidTable(f"The target {target!r} cannot be one of the features: the model would only copy it.")
        return selected

    def _to_classes(self, column: Column, values: pd.Series) -> tuple[tuple[str, ...], Int64]:
        """Return the names of the classes, sorted (no before yes), and the class index of each row, (N,)."""
        distinct, index = np.unique(values.to_numpy(), return_inverse=True)
        if len(distinct) > MAX_CLASSES:
            raise InvalidTable(
                f"The target {column.name!r} has {len(distinct):,} different values, too many to be classes: "
                f"up to {MAX_CLASSES} are allowed."
            )
        words = self.boolean_words.get(column.name)
        if column.kind == "boolean" and words:
            return tuple(words[int(value)] for value in distinct), index
        return tuple(column.show(value) for value in distinct), index


def _check_target(column: Column, values: pd.Series) -> None:
    if len(values) < MIN_ROWS:
        raise InvalidTable(f"At least {MIN_ROWS} rows with a value in {column.name!r} are needed. Got {len(values)}.")
    if values.nunique() < 2:
        raise InvalidTable(
            f"The target {column.name!r} has the same value in every row, {column.show(values.iloc[0])!r}: "
            "there is nothing to learn."
        )


def _to_numbers(column: Column, values: pd.Series) -> Float64:
    if column.kind == "category":
        raise InvalidTable(f"The target {column.name!r} holds words, not numbers: it can only be predicted as classes.")
    return np.asarray(values, dtype=np.float64)


def _class_notes(column: Column, classes: Sequence[str], indices: Int64, *, guessed: bool) -> list[str]:
    notes = []
    if guessed and column.kind == "numeric":
        notes.append(f"{column.name!r} has {len(classes)} different whole numbers, so they were taken for classes.")
    counts = np.bincount(indices, minlength=len(classes))
    rare = [f"{name!r} ({count})" for name, count in zip(classes, counts, strict=True) if count < MIN_CLASS_ROWS]
    if rare:
        names = ", ".join(rare[:5])
        notes.append(f"Some classes have fewer than {MIN_CLASS_ROWS} rows, too few to learn from: {names}.")
    return notes


def _drop_constant_features(frame: pd.DataFrame, features: list[str]) -> tuple[list[str], list[str]]:
    """Return the features that differ between rows, and a note on the others.

    Raises:
        InvalidTable: none is left.
    """
    varying = [name for name in features if frame[name].nunique() + frame[name].isna().any() > 1]
    constant = [repr(name) for name in features if name not in varying]
    if not varying:
        raise InvalidTable("At least one feature is needed that is not the same in every row. Choose other columns.")
    return varying, [f"Left out, because every row says the same: {', '.join(constant[:10])}."] if constant else []
