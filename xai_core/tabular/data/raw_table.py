"""A file's table before its target is chosen, and the choice of target and features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from xai_core.arrays import Float64, Int64
from xai_core.errors import InvalidTable
from xai_core.formatting import natural_key
from xai_core.tabular.data.cell_texts import CellTexts
from xai_core.tabular.data.column import Column, describe_column, find_column, name_number
from xai_core.tabular.data.role_notes import reading_notes, repeated_id, role_notes
from xai_core.tabular.data.roles import UNUSED_ROLES, ColumnSource, Role, TypedColumn, base_role, role_error
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
    reading_notes: tuple[str, ...]
    """Sentences about the file and about guesses that were made when it was read."""
    sha256: str
    """Hash of the file's bytes."""
    roles: Mapping[str, Role]
    """The role of each column."""
    boolean_words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The file's words for no and yes, of each boolean column."""
    texts: Mapping[str, CellTexts] = field(default_factory=dict)
    """The file's own texts, of each column that was read from text."""
    sources: Mapping[str, ColumnSource] = field(default_factory=dict)
    """Cells of each column, to be read in another role."""
    order_reasons: Mapping[str, str] = field(default_factory=dict)
    """Reason for the order of each ordered column, in words."""
    encoding: str = ""
    """Python's name of the encoding of a CSV file, one of ENCODINGS."""
    encoding_is_sure: bool = True
    """False where other encodings give letters that are as likely: a visitor should choose."""

    def column(self, name: str) -> Column:
        """Return the column of this name. Raises UnknownName with the nearest names."""
        return find_column(self.columns, name)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the file and about every guess."""
        return (*self.reading_notes, *role_notes(self.frame, self.columns, self.roles, self.order_reasons))

    @property
    def default_exclusions(self) -> tuple[str, ...]:
        """Columns that are features only on request: an id, or the same value in all rows."""
        return tuple(column.name for column in self.columns if self.roles[column.name] in UNUSED_ROLES)

    @property
    def likely_target(self) -> str:
        """A column with a name such as "target" or "outcome", else the last one that can be a target."""
        names = [column.name for column in self.columns if column.name not in self.default_exclusions]
        names = names or [self.columns[-1].name]
        typical = [name for name in names if name.lower() in _TARGET_NAMES]
        return typical[0] if typical else names[-1]

    def role_choices(self, name: str) -> tuple[Role, ...]:
        """Return the roles that a column can take. Raises UnknownName with the nearest names."""
        self.column(name)
        return self.sources[name].choices()

    def with_roles(self, kinds: Mapping[str, Role]) -> RawTable:
        """Return the table with some columns read in other roles.

        Raises:
            UnknownName: a column that does not exist.
            InvalidTable: a role that the column cannot take, with those that it can.
        """
        changes = {name: role for name, role in kinds.items() if role != self.roles.get(name)}
        for name, role in changes.items():
            if role not in self.role_choices(name):
                raise role_error(name, role, self.role_choices(name))
        new = {
            name: self.sources[name].read_as(role)
            for name, role in changes.items()
            if role not in UNUSED_ROLES and role != base_role(self.column(name))
        }
        frame = self.frame.assign(
            **{name: pd.Series(column.values, dtype=column.values.dtype) for name, column in new.items()}
        )
        columns = tuple(
            _describe(column.name, new[column.name], frame) if column.name in new else column for column in self.columns
        )
        return replace(
            self,
            frame=frame,
            columns=columns,
            roles={**self.roles, **changes},
            boolean_words={**self.boolean_words, **{name: column.words for name, column in new.items()}},
            texts={**self.texts, **{name: column.texts for name, column in new.items() if column.texts}},
            order_reasons={**self.order_reasons, **{name: column.order_reason for name, column in new.items()}},
            reading_notes=(*_drop_notes(self.reading_notes, new), *reading_notes(new)),
        )

    def default_features(self, target: str) -> tuple[str, ...]:
        """Return all columns but the target and those excluded by default."""
        excluded = (target, *self.default_exclusions)
        return tuple(column.name for column in self.columns if column.name not in excluded)

    def guess_task(self, target: str) -> Task:
        """Return classification for categories, yes or no and few whole numbers; else regression."""
        column = self.column(target)
        has_few_numbers = column.whole and self.frame[target].nunique() <= MAX_CLASS_NUMBERS
        return "classification" if column.kind in ("category", "boolean") or has_few_numbers else "regression"

    def table(
        self,
        target: str,
        features: Sequence[str] | None = None,
        *,
        task: Task | None = None,
        kinds: Mapping[str, Role] | None = None,
    ) -> Table:
        """Return the rows to learn from; None stands for the default features, the guessed task and the guessed roles.

        Raises:
            UnknownName: a column that does not exist.
            InvalidTable: nothing can be learned: a constant target, too many classes, too few rows, no feature left;
                or a column cannot take its role.
        """
        chosen = dict(kinds or {})
        raw = self.with_roles(chosen)
        # The visitor says that the target is an amount.
        is_amount = chosen.get(target) == "number"
        return raw._build_table(target, features, task or ("regression" if is_amount else None))

    def _build_table(self, target: str, features: Sequence[str] | None, task: Task | None) -> Table:
        column = self.column(target)
        requested = self._select_features(target, features)
        is_known = self.frame[target].notna()
        frame = self.frame[is_known]
        notes = [*self.reading_notes, *role_notes(self.frame, self.columns, self.roles, self.order_reasons, target)]
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
        selected, constant_notes = _drop_constant_features(frame, requested)
        columns = [self.column(name) for name in selected]
        groups, group_name = self._group_rows(frame, target)
        table = table_from(
            frame[selected],
            values,
            classes=classes,
            kinds={column.name: column.kind for column in columns},
            name=self.name,
            target_name=target,
            notes=notes + constant_notes,
            groups=groups,
            group_name=group_name,
            orders={column.name: column.categories for column in columns if column.ordered},
        )
        return replace(table, texts={name: self.texts[name] for name in (*requested, target) if name in self.texts})

    def _group_rows(self, frame: pd.DataFrame, target: str) -> tuple[Int64 | None, str]:
        """Return the group of each row by the first id that repeats, (N,), and its name; None if there is none."""
        name = repeated_id(frame, self.roles, target)
        if name is None:
            return None, ""
        groups, values = pd.factorize(frame[name])
        # A row without an id is a group of its own.
        alone = groups < 0
        groups[alone] = len(values) + np.arange(alone.sum())
        return groups.astype(np.int64), name

    def _select_features(self, target: str, features: Sequence[str] | None) -> list[str]:
        selected = list(dict.fromkeys(self.default_features(target) if features is None else features))
        for name in selected:
            self.column(name)
        if target in selected:
            raise InvalidTable(f"The target {target!r} cannot be one of the features: the model would only copy it.")
        return selected

    def _to_classes(self, column: Column, values: pd.Series) -> tuple[tuple[str, ...], Int64]:
        """Return the names of the classes in their natural order (no before yes), and each row's class index, (N,)."""
        distinct, index = np.unique(values.to_numpy(), return_inverse=True)
        if len(distinct) > MAX_CLASSES:
            raise InvalidTable(
                f"The target {column.name!r} has {len(distinct):,} different values, too many to be classes: "
                f"up to {MAX_CLASSES} are allowed."
            )
        words = self.boolean_words.get(column.name)
        if column.kind == "boolean" and words:
            return tuple(words[int(value)] for value in distinct), index
        if column.kind != "category":
            name = name_number if column.kind == "numeric" else column.show
            return tuple(name(value) for value in distinct), index
        present = [str(label) for label in distinct]
        rising = [label for label in column.categories if label in present]
        names = rising if column.ordered else sorted(present, key=natural_key)
        place = {name: position for position, name in enumerate(names)}
        return tuple(names), np.array([place[label] for label in present], dtype=np.int64)[index]


def _describe(name: str, column: TypedColumn, frame: pd.DataFrame) -> Column:
    # Numbers as plain categories have an order too, which nobody asked for.
    return describe_column(name, column.kind, frame[name], column.order if column.order_reason else ())


def _drop_notes(notes: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return the notes without those about how these columns were read before."""
    starts = tuple(f"Column {name!r} " for name in names)
    return [note for note in notes if not note.startswith(starts)]


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
        notes.append(
            f"{column.name!r} has {len(classes)} different whole numbers, so they were taken for classes. "
            "If they are amounts, choose a number to be predicted."
        )
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
