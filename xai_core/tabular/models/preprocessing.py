"""Preparation of a table's columns for a model: empty cells filled, numbers scaled, categories as yes-or-no columns.

There is one preparation for all models, so that explanations know which feature each prepared column was made from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from xai_core.arrays import Float64

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    from xai_core.tabular.data.column import Column
    from xai_core.tabular.data.table import Table

# A numeric column with fewer values is filled for every model: a part of the rows may have none at all.
MIN_VALUES = 50
# Yes-or-no columns of a feature; rarer values share the last one.
MAX_CATEGORIES = 20
# Names of a pipeline's two steps.
PREPARE, MODEL = "prepare", "model"
_BLOCKS = frozenset(("numbers", "booleans", "nearly empty", "categories"))
# scikit-learn's name for the column of rare values.
_INFREQUENT = "infrequent_sklearn"


class PreparedRows(NamedTuple):
    """N rows as the last step of a pipeline gets them."""

    values: Float64
    """(N, outputs)."""
    names: tuple[str, ...]
    """Each output in words: "income", "district = north", "district is missing"."""
    owners: tuple[str, ...]
    """The table's feature that each output was made from."""


def output_name(column: str, category: object) -> str:
    """Return the name of a yes-or-no column; scikit-learn calls it by this signature."""
    # Only NaN differs from itself.
    if category is None or category != category:
        return f"{column} is missing"
    return f"{column} = another value" if category == _INFREQUENT else f"{column} = {category}"


def build_preparation(table: Table, *, scaled: bool, filled: bool) -> ColumnTransformer:
    """Return an unfitted preparation for this table's columns.

    `filled`: empty numeric cells get the median of the training rows, yes-or-no cells the commoner value; else they
    stay NaN. `scaled`: numbers and dates get mean 0 and standard deviation 1. Yes-or-no columns stay 0 and 1. An empty
    cell of a category is a category of its own.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    def fill(strategy: str) -> list[Any]:
        return [SimpleImputer(strategy=strategy, keep_empty_features=True)] if filled else []

    empty = [] if filled else [column.name for column in table.columns if _is_nearly_empty(table, column)]
    numbers = [
        column.name for column in table.columns if column.kind in ("numeric", "date") and column.name not in empty
    ]
    booleans = [column.name for column in table.columns if column.kind == "boolean" and column.name not in empty]
    categories = [column.name for column in table.columns if column.kind == "category"]
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MAX_CATEGORIES,
        sparse_output=False,
        feature_name_combiner=output_name,
    )
    # Named as in _BLOCKS.
    blocks = [
        ("numbers", _build_chain([*fill("median"), *([StandardScaler()] if scaled else [])]), numbers),
        ("booleans", _build_chain(fill("most_frequent")), booleans),
        ("nearly empty", SimpleImputer(strategy="median", keep_empty_features=True), empty),
        ("categories", one_hot, categories),
    ]
    blocks_with_columns = [block for block in blocks if block[2]]
    return ColumnTransformer(blocks_with_columns, sparse_threshold=0.0, verbose_feature_names_out=False)


def _is_nearly_empty(table: Table, column: Column) -> bool:
    """Return whether a part of the rows may hold no value of this column at all, which no model can read."""
    return column.kind != "category" and len(table) - column.missing < MIN_VALUES


def _build_chain(steps: list[Any]) -> Any:
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*steps) if steps else "passthrough"


def is_preparation(estimator: Any) -> bool:
    """Return whether an estimator is a model behind our fitted preparation, or one like it.

    Each of its outputs is made from one feature alone. An own pipeline may have the same names and do something else.
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
        _is_per_feature(name, fitted, columns, step.output_indices_[name])
        for name, fitted, columns in step.transformers_
    )


def _is_per_feature(name: str, fitted: Any, columns: Any, outputs: slice) -> bool:
    """Return whether a block of a preparation is like one of ours, and has as many outputs."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    count: int = outputs.stop - outputs.start
    if name == "remainder":
        return count == 0
    if not all(isinstance(column, str) for column in columns):
        return False
    if name == "categories":
        return isinstance(fitted, OneHotEncoder) and count == sum(_count_outputs(fitted))
    steps = [step for _, step in fitted.steps] if hasattr(fitted, "steps") else [fitted]
    acts_per_column = all(
        isinstance(step, SimpleImputer | StandardScaler) or _is_passthrough(step, FunctionTransformer) for step in steps
    )
    return name in _BLOCKS and acts_per_column and count == len(columns)


def _is_passthrough(step: Any, function_step: type) -> bool:
    # A fitted scikit-learn holds a function step without a function in the place of the word.
    if isinstance(step, str):
        return step == "passthrough"
    return isinstance(step, function_step) and getattr(step, "func", step) is None


def prepare_rows(pipeline: Pipeline, frame: pd.DataFrame) -> PreparedRows:
    """Return the rows as the last step of one of our pipelines gets them, with names and owners."""
    step = pipeline.named_steps[PREPARE]
    values = np.asarray(step.transform(frame), dtype=np.float64)
    return PreparedRows(values, tuple(str(name) for name in step.get_feature_names_out()), _find_owners(step))


def _find_owners(step: ColumnTransformer) -> tuple[str, ...]:
    """Return the column behind every output, in the order of the outputs."""
    owners: list[str] = []
    for name, fitted, columns in step.transformers_:
        if name == "categories":
            owners += [
                column for column, count in zip(columns, _count_outputs(fitted), strict=True) for _ in range(count)
            ]
        elif name != "remainder":
            owners += columns
    return tuple(owners)


def _count_outputs(one_hot: Any) -> list[int]:
    """Return the number of yes-or-no columns of each feature: all rare values share one."""
    rare = one_hot.infrequent_categories_ if one_hot.max_categories is not None else [None] * len(one_hot.categories_)
    return [
        len(categories) - (len(infrequent) - 1 if infrequent is not None else 0)
        for categories, infrequent in zip(one_hot.categories_, rare, strict=True)
    ]


def missing_cell_notes(table: Table, filled: bool) -> tuple[str, ...]:
    """Return sentences about what happens to empty cells; none where there are none."""
    numbers = [column for column in table.columns if column.missing and column.kind != "category"]
    texts = [column for column in table.columns if column.missing and column.kind == "category"]
    to_fill = [column for column in numbers if filled or _is_nearly_empty(table, column)]
    as_they_are = [column for column in numbers if column not in to_fill]
    notes = []
    if to_fill:
        notes.append(f"Empty cells are filled with the usual value of the column: {_list_counts(to_fill)}.")
    if as_they_are:
        notes.append(f"This model can read empty cells as they are: {_list_counts(as_they_are)}.")
    if texts:
        notes.append(f"An empty cell counts as a value of its own: {_list_counts(texts)}.")
    return tuple(notes)


def _list_counts(columns: list[Column]) -> str:
    shown = [f"{column.name} ({column.missing:,})" for column in columns[:6]]
    return ", ".join(shown) + (f" and {len(columns) - 6:,} more" if len(columns) > 6 else "")
