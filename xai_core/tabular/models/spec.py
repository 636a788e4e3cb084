"""The models a table can be learnt with, as data: words, parameters, facts for who explains them, and how to build the last step.

scikit-learn's estimators, the explainable boosting machine of interpret-core (Nori et al. 2019, arXiv:1909.09223) and a torch network.
Estimators are imported by their builders: choosing a model must not wait for all libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xai_core.params import Float, Int, Param, Value
from xai_core.registry import Registry

if TYPE_CHECKING:
    from xai_core.tabular.data.builtin import Table

Build = Callable[["Table", Mapping[str, Value], int], Any]


@dataclass(frozen=True, kw_only=True)
class TabularModelSpec:
    """One kind of model: words for the page, facts for those who explain it, and how to build it."""

    name: str
    title: str
    sentence: str
    """One sentence for a visitor: how this model decides."""
    paper: str
    params: tuple[Param, ...] = ()
    glass_box: bool = False
    """It can be read as it is, see `glass_box`."""
    tree_based: bool = False
    """shap's TreeExplainer knows it."""
    differentiable: bool = False
    """It has a torch module."""
    prepared: bool = True
    """False if it reads the table's own columns."""
    scaled: bool = False
    """It needs numbers of one scale."""
    filled: bool = True
    """It cannot read empty cells."""
    settles: bool = False
    """It learns in rounds until it has settled: fewer than its `max_iter`, if all is well."""
    most_rows: int = 200_000
    """It learns from at most so many rows: more would take minutes."""
    build: Build
    """The unfitted last step of the pipeline, from the table, checked parameters and a seed."""


TABULAR_MODELS: Registry[TabularModelSpec] = Registry("kind of model")

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


def for_task(table: Table, classifier: Callable[[], Any], regressor: Callable[[], Any]) -> Any:
    """The one of two that fits the table's target."""
    return classifier() if table.task == "classification" else regressor()
