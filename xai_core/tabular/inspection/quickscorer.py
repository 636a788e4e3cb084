"""QuickScorer (Lucchese et al., SIGIR 2015): scores of boosted trees under many values of few columns, without walks.

Each leaf of a tree is a bit, the leftmost the lowest. A column's value rules out some leaves whatever the other columns
say; the leaf that a row reaches is the lowest bit that no column rules out. The columns that stay as they are are
combined once a row; the varied ones have only a few distinct masks in a tree, however long the grid is. On 20,000 rows
and a grid of 50 that is over ten times as fast as predicting, and the sums are the same to the last few digits. It
reads scikit-learn's private trees, so it is used only where it gives the model's own scores on a probe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, UInt64

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.models.table_model import TabularModel

# Column to the entry of a mask table that each row's value belongs to.
Bins = Mapping[int, npt.NDArray[np.intp]]
MAX_LEAVES = 64
ALL_LEAVES = ~np.uint64(0)


@dataclass(frozen=True, eq=False)
class BitTree:
    """One tree in bits."""

    masks: Mapping[int, UInt64]
    """Column to (bins + 1,) leaves that its value leaves possible; the last entry is for an empty cell."""
    leaves: Float64
    """(L,) values, left to right."""


@dataclass(frozen=True, eq=False)
class Forest:
    """All trees of a boosted model in bits."""

    trees: tuple[tuple[BitTree, ...], ...]
    """One tuple of trees an output: one output for a regression or two classes, else one a class."""
    thresholds: Mapping[int, Float64]
    start: Float64
    """(outputs,) score before any tree."""

    def find_bins(self, column: int, values: Float64) -> npt.NDArray[np.intp]:
        """Return the entry of a mask table that each value belongs to."""
        thresholds = self.thresholds[column]
        # A value equal to a threshold goes left, as in the trees.
        bins = np.searchsorted(thresholds, values, side="left")
        return np.where(np.isnan(values), len(thresholds) + 1, bins)


class LeafMasks(NamedTuple):
    """Leaves of one tree that the varied columns leave possible."""

    distinct: UInt64
    """(u,) masks that differ."""
    membership: Float64
    """(u, K) 1 where a variant has that mask, else 0."""

    @classmethod
    def build(cls, tree: BitTree, bins: Bins, size: int) -> LeafMasks:
        masks = np.full(size, ALL_LEAVES)
        for column in bins.keys() & tree.masks.keys():
            masks &= tree.masks[column].take(bins[column])
        # However long the grid is, there are at most as many masks as leaves.
        distinct, which = np.unique(masks, return_inverse=True)
        return cls(distinct, (which == np.arange(len(distinct))[:, None]).astype(np.float64))


@dataclass(frozen=True, eq=False)
class QuickScorer:
    """A boosted model ready to score rows under variants."""

    model: TabularModel
    forest: Forest
    varied: Mapping[int, Float64]
    """Prepared column to (K,) values."""
    size: int
    """K, the number of variants."""
    outcome: int | None
    """The class whose probability is scored; None for a regression."""

    def scores(self, rows: pd.DataFrame) -> Float64:
        """Return the scores of the rows under every variant, (N, K)."""
        values = self.model.prepare(rows).values
        bins = {
            column: self.forest.find_bins(column, values[:, column])
            for column in self.forest.thresholds
            if column not in self.varied
        }
        sums = [
            self._add_leaves(trees, masks, bins, len(values))
            for trees, masks in zip(self.forest.trees, self._variant_masks, strict=True)
        ]
        return self._link(np.stack(sums) + self.forest.start[:, None, None])

    def _add_leaves(self, trees: Sequence[BitTree], masks: Sequence[LeafMasks], bins: Bins, count: int) -> Float64:
        """Return the sums of the leaves over the trees, (N, K)."""
        # Leaves by distinct mask over all trees (N, U), times which variant has which mask (U, K).
        leaves = [
            self._find_leaves(tree, variants.distinct, bins, count) for tree, variants in zip(trees, masks, strict=True)
        ]
        sums: Float64 = np.concatenate(leaves, axis=1) @ np.concatenate([variants.membership for variants in masks])
        return sums

    def _find_leaves(self, tree: BitTree, distinct: UInt64, bins: Bins, count: int) -> Float64:
        """Return the values of the leaves that the rows reach under the u distinct masks, (N, u)."""
        # Leaves that the columns with the rows' own values leave possible.
        possible = np.full(count, ALL_LEAVES)
        for column, masks in tree.masks.items():
            if column not in self.varied:
                possible &= masks.take(bins[column])
        both = possible[:, None] & distinct
        # x & -x is the lowest bit; the number of ones below it is the leaf's number.
        leaves: Float64 = tree.leaves.take(np.bitwise_count((both & -both) - np.uint64(1)))
        return leaves

    @cached_property
    def _variant_masks(self) -> list[list[LeafMasks]]:
        bins = {
            column: self.forest.find_bins(column, values)
            for column, values in self.varied.items()
            if column in self.forest.thresholds
        }
        return [[LeafMasks.build(tree, bins, self.size) for tree in trees] for trees in self.forest.trees]

    def _link(self, raw: Float64) -> Float64:
        """Turn raw sums (outputs, N, K) into scores (N, K): unchanged for a regression, else probabilities."""
        from scipy.special import expit, softmax

        if not hasattr(self.model.last_step, "classes_"):
            values: Float64 = raw[0]
            return values
        order = self.model.class_order
        # A class that the trees never met gets a wrong column: the probe will show it.
        output = order.index(self.outcome) if self.outcome in order else 0
        # Two classes share one sum: the logit of the second class.
        if len(raw) == 1:
            positive: Float64 = expit(raw[0])
            return positive if output == 1 else 1 - positive
        shares: Float64 = softmax(raw, axis=0)[output]
        return shares


def encode_forest(boosted: Any) -> Forest | None:
    """Return the trees in bits; None for another kind of model, for large trees and for splits by categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if not isinstance(boosted, (HistGradientBoostingClassifier, HistGradientBoostingRegressor)):
        return None
    # Private names: another version of scikit-learn may lack them.
    rounds = getattr(boosted, "_predictors", None)
    start = getattr(boosted, "_baseline_prediction", None)
    if not rounds or start is None:
        return None
    outputs = [[tree.nodes for tree in trees] for trees in zip(*rounds, strict=True)]
    nodes = np.concatenate([tree for trees in outputs for tree in trees])
    leaves = max(int(tree["is_leaf"].sum()) for trees in outputs for tree in trees)
    if leaves > MAX_LEAVES or nodes["is_categorical"].any():
        return None
    # Pool the thresholds of all trees, so that each column is binned once.
    splits = nodes[nodes["is_leaf"] == 0]
    thresholds = {
        int(column): np.unique(splits["num_threshold"][splits["feature_idx"] == column])
        for column in np.unique(splits["feature_idx"])
    }
    trees = tuple(tuple(encode_tree(tree, thresholds) for tree in trees) for trees in outputs)
    return Forest(trees, thresholds, np.asarray(start, dtype=np.float64).ravel())


def encode_tree(nodes: npt.NDArray[Any], thresholds: Mapping[int, Float64]) -> BitTree:
    """Return one of scikit-learn's trees in bits, with its leaves numbered left to right."""
    left, right, is_leaf = (nodes[name].tolist() for name in ("left", "right", "is_leaf"))
    spans, leaves = _number_leaves(left, right, is_leaf)
    inner = nodes[nodes["is_leaf"] == 0]
    # Every column's table starts with all leaves possible.
    masks = {
        int(column): np.full(len(thresholds[int(column)]) + 2, ALL_LEAVES) for column in np.unique(inner["feature_idx"])
    }
    names = ("feature_idx", "num_threshold", "left", "missing_go_to_left")
    for column, threshold, below, missing_left in zip(*(inner[name].tolist() for name in names), strict=True):
        first, last = spans[below]
        # Clear the bits of the leaves below the left child.
        right_only = ~np.uint64((1 << last) - (1 << first))
        table = masks[column]
        # Values above the threshold go right and reach no leaf on the left.
        table[np.searchsorted(thresholds[column], threshold) + 1 : -1] &= right_only
        # The last entry is for empty cells, which go the way the node says.
        if not missing_left:
            table[-1] &= right_only
    return BitTree(masks, nodes["value"][leaves].astype(np.float64))


def _number_leaves(
    left: list[int], right: list[int], is_leaf: list[int]
) -> tuple[dict[int, tuple[int, int]], list[int]]:
    """Return for every node its leaves' numbers (first, one past the last), and the leaves' indices left to right."""
    spans: dict[int, tuple[int, int]] = {}
    leaves: list[int] = []

    def visit(node: int) -> None:
        first = len(leaves)
        if is_leaf[node]:
            leaves.append(node)
        else:
            # Left before right: that is the order of the bits.
            visit(left[node])
            visit(right[node])
        spans[node] = (first, len(leaves))

    visit(0)
    return spans, leaves
