"""An own table before anybody has said what is to be predicted, and the choice of target and features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from xai_core.errors import InvalidTable, UnknownName
from xai_core.tabular.data.column import Column
from xai_core.tabular.data.table import Table, Task, table_from

MIN_ROWS = 20
MAX_CLASSES = 50
FEW_NUMBERS = 10
"""Up to so many different whole numbers are taken for classes."""
RARE = 5
"""A class of fewer rows cannot be in each of the five parts of a cross-validation."""
_TARGET_NAMES = frozenset(
    "target label class y outcome result decision species diagnosis survived churn default approved".split()
)


@dataclass(frozen=True, eq=False)
class RawTable:
    """Rows and typed columns of a file; `table` makes something to learn from out of it."""

    name: str
    frame: pd.DataFrame
    """All columns, stored as in `Table.frame`. Not to be written into."""
    columns: tuple[Column, ...]
    rows: int
    notes: tuple[str, ...]
    sha256: str
    """Hash of the file's bytes."""
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """How the file writes no and yes, for each boolean column."""
    set_aside: tuple[str, ...] = ()
    """Columns that are no features unless they are asked for: a different value in nearly every row, or the same in all."""

    def column(self, name: str) -> Column:
        """The column of this name. Raises UnknownName with the nearest names."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownName.of("column", name, [column.name for column in self.columns])

    @property
    def likely_target(self) -> str:
        """A column with a name such as "target" or "outcome", else the last one that can be a target."""
        able = [column.name for column in self.columns if column.name not in self.set_aside] or [self.columns[-1].name]
        named = [name for name in able if name.lower() in _TARGET_NAMES]
        return named[0] if named else able[-1]

    def features_for(self, target: str) -> tuple[str, ...]:
        """The columns used when nobody chooses: all but the target and those set aside."""
        return tuple(
            column.name for column in self.columns if column.name != target and column.name not in self.set_aside
        )

    def task_for(self, target: str) -> Task:
        """What a column would be predicted as: classes for categories, yes or no and few whole numbers; else a number."""
        column = self.column(target)
        few = column.whole and self.frame[target].nunique() <= FEW_NUMBERS
        return "classification" if column.kind in ("category", "boolean") or few else "regression"

    def balance(self, target: str) -> dict[str, int]:
        """Rows of each class, in the order of the classes; {} where the target is a number to be predicted."""
        if self.task_for(target) == "regression":
            return {}
        classes, index = self._classes(self.column(target), self.frame[target].dropna())
        return dict(zip(classes, np.bincount(index, minlength=len(classes)).tolist(), strict=True))

    def table(self, target: str, features: Sequence[str] | None = None, *, task: Task | None = None) -> Table:
        """Rows to learn from. Without `features` all columns are used that can say something; without `task` it is guessed.

        Raises UnknownName for a column that does not exist, and InvalidTable where nothing can be learned: a constant target, too many
        classes, too few rows, no feature left.
        """
        column = self.column(target)
        chosen = self._chosen(target, features)
        kept = self.frame[self.frame[target].notna()]
        notes = list(self.notes)
        if len(kept) < self.rows:
            notes.append(f"{self.rows - len(kept):,} rows without a value in {target!r} were left out.")
        self._refuse_target(column, kept[target])
        wanted = task or self.task_for(target)
        classes: tuple[str, ...] = ()
        if wanted == "regression":
            answers = self._numbers(column, kept[target])
        else:
            classes, answers = self._classes(column, kept[target])
            notes += _class_notes(column, classes, answers, guessed=task is None)
        chosen, left_out = _with_something_to_say(kept, chosen)
        return table_from(
            kept[chosen],
            answers,
            classes=classes,
            kinds={name: self.column(name).kind for name in chosen},
            name=self.name,
            target_name=target,
            notes=notes + left_out,
        )

    def _chosen(self, target: str, features: Sequence[str] | None) -> list[str]:
        chosen = list(dict.fromkeys(self.features_for(target) if features is None else features))
        for name in chosen:
            self.column(name)
        if target in chosen:
            raise InvalidTable(f"The target {target!r} cannot be one of the features: the model would only copy it.")
        return chosen

    def _refuse_target(self, column: Column, answers: pd.Series) -> None:
        if len(answers) < MIN_ROWS:
            raise InvalidTable(
                f"At least {MIN_ROWS} rows with a value in {column.name!r} are needed. Got {len(answers)}."
            )
        if answers.nunique() < 2:
            raise InvalidTable(
                f"The target {column.name!r} has the same value in every row, {column.show(answers.iloc[0])!r}: there is nothing to learn."
            )

    def _numbers(self, column: Column, answers: pd.Series) -> np.ndarray:
        if column.kind == "category":
            raise InvalidTable(
                f"The target {column.name!r} holds words, not numbers: it can only be predicted as classes."
            )
        return np.asarray(answers, dtype=np.float64)

    def _classes(self, column: Column, answers: pd.Series) -> tuple[tuple[str, ...], np.ndarray]:
        """Names of the classes, sorted (no before yes), and the class index of each row."""
        found, index = np.unique(answers.to_numpy(), return_inverse=True)
        if len(found) > MAX_CLASSES:
            raise InvalidTable(
                f"The target {column.name!r} has {len(found):,} different values, too many to be classes: up to {MAX_CLASSES} are allowed."
            )
        words = self.words.get(column.name)
        if column.kind == "boolean" and words:
            return tuple(words[int(value)] for value in found), index
        return tuple(column.show(value) for value in found), index


def _class_notes(column: Column, classes: Sequence[str], answers: np.ndarray, *, guessed: bool) -> list[str]:
    notes = []
    if guessed and column.kind == "numeric":
        notes.append(f"{column.name!r} has {len(classes)} different whole numbers, so they were taken for classes.")
    counts = np.bincount(answers, minlength=len(classes))
    rare = [f"{name!r} ({count})" for name, count in zip(classes, counts, strict=True) if count < RARE]
    if rare:
        notes.append(f"Some classes have fewer than {RARE} rows, too few to learn from: {', '.join(rare[:5])}.")
    return notes


def _with_something_to_say(kept: pd.DataFrame, chosen: list[str]) -> tuple[list[str], list[str]]:
    """The chosen features that differ between rows, and a note on the others. Raises InvalidTable where none is left."""
    differ = [name for name in chosen if kept[name].nunique() + kept[name].isna().any() > 1]
    same = [repr(name) for name in chosen if name not in differ]
    if not differ:
        raise InvalidTable("At least one feature is needed that is not the same in every row. Choose other columns.")
    return differ, [f"Left out, because every row says the same: {', '.join(same[:10])}."] if same else []
