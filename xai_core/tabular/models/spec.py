"""Specs of table models: words, parameters, facts for explanations, builder of the last step.

Each family has a file in `families`. Estimators are imported by their builders: choosing a model must not wait for all
libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from xai_core.arrays import Int64
from xai_core.params import Float, Int, Param, Value
from xai_core.registry import Registry

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

T = TypeVar("T")
Build = Callable[["Table", Mapping[str, Value], int], Any]
# From the unfitted last step, the classes (None for a regression) and groups of the rows to learn from, (N,), and a
# seed to arguments of its `fit`.
KeepGroups = Callable[[Any, "Int64 | None", Int64, int], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class TabularModelSpec:
    """A kind of model: words for the page, facts for explanations, and its builder."""

    name: str
    title: str
    sentence: str
    """One sentence for a visitor on the way this model decides."""
    paper: str
    rank: int
    """Place in lists: models that can be read come first."""
    params: tuple[Param, ...] = ()
    glass_box: bool = False
    """Readable as it is, see `glass_box`."""
    tree_based: bool = False
    """Known to shap's TreeExplainer."""
    differentiable: bool = False
    """Has a torch module."""
    prepared: bool = True
    """False if it reads the table's own columns."""
    scaled: bool = False
    """Needs numbers of one scale."""
    filled: bool = True
    """Cannot read empty cells."""
    converges: bool = False
    """Learns in rounds until it converges, in fewer than its `max_iter` if all is well."""
    max_rows: int = 200_000
    """Rows it learns from at most: more would take minutes."""
    build: Build
    """Unfitted last step of the pipeline, from the table, checked parameters and a seed."""
    keep_groups_together: KeepGroups | None = None
    """For a last step that splits its rows itself: sets it up so that it keeps groups together."""


TABULAR_MODELS: Registry[TabularModelSpec] = Registry("kind of model", order=lambda spec: spec.rank)

DEPTH = Int(
    name="depth",
    title="Depth",
    help="Questions asked in a row, at most. More fit the table better and are harder to read.",
    default=4,
    low=1,
    high=10,
)
TREES = Int(
    name="trees",
    title="Number of trees",
    help="More trees give a steadier answer and take longer.",
    default=100,
    low=10,
    high=500,
    step=10,
)
LEAF = Int(
    name="leaf",
    title="Rows in a leaf",
    help="The fewest rows a final answer may rest on. More make a simpler model.",
    default=5,
    low=1,
    high=200,
    unit="rows",
)
FREEDOM = Float(
    name="freedom",
    title="Freedom (C)",
    help="How far the model may go to fit every row. Less makes a simpler model.",
    default=1.0,
    low=0.001,
    high=1000.0,
    step=0.1,
    advanced=True,
)
WIDTH = Int(
    name="width",
    title="Width",
    help="Neurons in each of the two hidden layers.",
    default=32,
    low=2,
    high=256,
    unit="neurons",
    advanced=True,
)


def select_by_task(table: Table, classifier: T, regressor: T) -> T:
    """Return the one that fits the table's target."""
    return classifier if table.task == "classification" else regressor


def scale_target(regressor: Any) -> Any:
    """Wrap a regressor whose defaults expect a target of about one."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(regressor=regressor, transformer=StandardScaler())
