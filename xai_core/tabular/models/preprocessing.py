"""What happens to a table's columns before a model sees them: empty cells filled, numbers scaled, categories as yes-or-no columns.

One preparation for all models, so that explanations know which prepared column belongs to which feature of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    from xai_core.tabular.data.column import Column
    from xai_core.tabular.data.table import Table

FEWEST_VALUES = 50
MOST_CATEGORIES = 20
"""Yes-or-no columns a feature becomes at most; rarer values share the last one."""
PREPARE, MODEL = "prepare", "model"
"""The names of a pipeline's two steps."""
_BLOCKS = frozenset(("numbers", "booleans", "nearly empty", "categories"))
_INFREQUENT = "infrequent_sklearn"  # what scikit-learn calls the column of rare values


class Prepared(NamedTuple):
    """What the last step of a pipeline sees of N rows."""

    values: npt.NDArray[np.float64]
    """(N, outputs)."""
    names: tuple[str, ...]
    """One an output, in words: "income", "district = north", "district is missing"."""
    owners: tuple[str, ...]
    """The table's feature that each output was made from."""


def output_name(column: str, category: object) -> str:
    """The name of a yes-or-no column. scikit-learn asks for it by this signature."""
    if category is None or category != category:  # NaN is the one value that is not itself
        return f"{column} is missing"
    return f"{column} = another value" if category == _INFREQUENT else f"{column} = {category}"


def preparation(table: Table, *, scaled: bool, filled: bool) -> ColumnTransformer:
    """An unfitted preparation for this table's columns.

    `filled`: empty numeric cells get the middle value of the training rows (yes-or-no cells the commoner one); else they stay NaN.
    `scaled`: numbers and dates get mean 0 and standard deviation 1. Yes-or-no columns stay 0 and 1. An empty cell of a category is
    a category of its own.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    def fill(strategy: str) -> list[Any]:
        return [SimpleImputer(strategy=strategy, keep_empty_features=True)] if filled else []

    empty = [] if filled else [column.name for column in table.columns if _nearly_empty(table, column)]
    numbers = [
        column.name for column in table.columns if column.kind in ("numeric", "date") and column.name not in empty
    ]
    booleans = [column.name for column in table.columns if column.kind == "boolean" and column.name not in empty]
    categories = [column.name for column in table.columns if column.kind == "category"]
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MOST_CATEGORIES,
        sparse_output=False,
        feature_name_combiner=output_name,
    )
    blocks = [  # named as in _BLOCKS
        ("numbers", _chain([*fill("median"), *([StandardScaler()] if scaled else [])]), numbers),
        ("booleans", _chain(fill("most_frequent")), booleans),
        ("nearly empty", SimpleImputer(strategy="median", keep_empty_features=True), empty),
        ("categories", one_hot, categories),
    ]
    used = [block for block in blocks if block[2]]
    return ColumnTransformer(used, sparse_threshold=0.0, verbose_feature_names_out=False)


def _nearly_empty(table: Table, column: Column) -> bool:
    """Whether some part of the rows may hold no value of this column at all, which no model can read."""
    return column.kind != "category" and len(table) - column.missing < FEWEST_VALUES


def _chain(steps: list[Any]) -> Any:
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*steps) if steps else "passthrough"


def is_preparation(estimator: Any) -> bool:
    """Whether an estimator is a model behind our fitted preparation, or one like it, in which each output is made from one feature alone.

    Somebody's own pipeline may have the same names and do something else.
    """
    from sklearn.compose import ColumnTransformer

    steps = dict(getattr(estimator, "steps", ()))
    step = steps.get(PREPARE)
    if (
        tuple(steps) != (PREPARE, MODEL)
        or not isinstance(step, ColumnTransformer)
        or not hasattr(step, "transformers_")
    ):
        return False
    return all(
        _by_itself(name, fitted, columns, step.output_indices_[name]) for name, fitted, columns in step.transformers_
    )


def _by_itself(name: str, fitted: Any, columns: Any, outputs: slice) -> bool:
    """Whether a block of a preparation is one of ours, and has as many outputs as ours would have."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    count: int = outputs.stop - outputs.start
    if name == "remainder":
        return count == 0
    if not all(isinstance(column, str) for column in columns):
        return False
    if name == "categories":
        return isinstance(fitted, OneHotEncoder) and count == sum(_widths(fitted))
    inner = [part for _, part in fitted.steps] if hasattr(fitted, "steps") else [fitted]
    plain = all(
        isinstance(part, SimpleImputer | StandardScaler) or _does_nothing(part, FunctionTransformer) for part in inner
    )
    return name in _BLOCKS and plain and count == len(columns)


def _does_nothing(part: Any, function: type) -> bool:
    """Whether a step hands its columns on as they are: scikit-learn makes a function without one of the word for that."""
    if isinstance(part, str):
        return part == "passthrough"
    return isinstance(part, function) and getattr(part, "func", part) is None


def prepared(pipeline: Pipeline, frame: pd.DataFrame) -> Prepared:
    """What the last step of one of our pipelines sees of these rows, with names and owners."""
    step = pipeline.named_steps[PREPARE]
    values = np.asarray(step.transform(frame), dtype=np.float64)
    return Prepared(values, tuple(str(name) for name in step.get_feature_names_out()), _owners(step))


def _owners(step: ColumnTransformer) -> tuple[str, ...]:
    """The column behind every output, in the order of the outputs."""
    owners: list[str] = []
    for name, fitted, columns in step.transformers_:
        if name == "categories":
            owners += [column for column, count in zip(columns, _widths(fitted), strict=True) for _ in range(count)]
        elif name != "remainder":
            owners += columns
    return tuple(owners)


def _widths(one_hot: Any) -> list[int]:
    """How many yes-or-no columns each feature became: all rare values share one."""
    rare = one_hot.infrequent_categories_ if one_hot.max_categories is not None else [None] * len(one_hot.categories_)
    return [
        len(known) - (len(few) - 1 if few is not None else 0)
        for known, few in zip(one_hot.categories_, rare, strict=True)
    ]


def filled_notes(table: Table, filled: bool) -> tuple[str, ...]:
    """What is done about empty cells, as sentences; nothing where there are none."""
    numbers = [column for column in table.columns if column.missing and column.kind != "category"]
    texts = [column for column in table.columns if column.missing and column.kind == "category"]
    to_fill = [column for column in numbers if filled or _nearly_empty(table, column)]
    as_they_are = [column for column in numbers if column not in to_fill]
    notes = []
    if to_fill:
        notes.append(f"Empty cells are filled with the usual value of the column: {_counted(to_fill)}.")
    if as_they_are:
        notes.append(f"This model can read empty cells as they are: {_counted(as_they_are)}.")
    if texts:
        notes.append(f"An empty cell counts as a value of its own: {_counted(texts)}.")
    return tuple(notes)


def _counted(columns: list[Column]) -> str:
    shown = [f"{column.name} ({column.missing:,})" for column in columns[:6]]
    return ", ".join(shown) + (f" and {len(columns) - 6:,} more" if len(columns) > 6 else "")
