"""Check the numbers that scikit-learn's compiled code follows without a check of its own: nodes of trees."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from xai_core.arrays import Bool, Int64
from xai_core.errors import ModelUnavailable
from xai_core.tabular.models.object_graph import iter_objects

# Words of 32 bits that hold a set of categories.
_SET_WORDS = 8


def check_trees(estimator: Any) -> None:
    """Refuse trees that point backwards, outside themselves or to features that their estimator does not have.

    Raises:
        ModelUnavailable: there is such a tree.
    """
    trees = [nodes for nodes in map(_read_nodes, iter_objects(estimator)) if nodes is not None]
    features = getattr(estimator, "n_features_in_", 0) if _asks_trees(estimator) else None
    is_sound = (
        _has_sound_grid(estimator)
        and _has_sound_categories(estimator, trees)
        and all(_is_sound(nodes, features) for nodes in trees)
    )
    if not is_sound:
        raise ModelUnavailable(
            "A tree in this file points outside itself: the file is damaged or was altered. Save the model again."
        )


def _asks_trees(estimator: Any) -> bool:
    """Return whether an estimator hands its own columns to trees that check nothing.

    Others, such as pipelines and votes, reach the same trees through parts that count their own features.
    """
    from sklearn.ensemble._forest import BaseForest
    from sklearn.ensemble._gb import BaseGradientBoosting
    from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
    from sklearn.tree import BaseDecisionTree

    return isinstance(estimator, (BaseDecisionTree, BaseForest, BaseGradientBoosting, BaseHistGradientBoosting))


def _has_sound_grid(estimator: Any) -> bool:
    """Return whether a grid of trees, (rounds, outcomes), has as many columns as its estimator writes."""
    trees: Any = getattr(estimator, "estimators_", None)
    if not isinstance(trees, np.ndarray) or trees.ndim != 2:
        return True
    return bool(trees.shape[1] == getattr(estimator, "n_trees_per_iteration_", None))


class _Nodes(NamedTuple):
    """Nodes of a tree, (nodes,) each."""

    left: Int64
    right: Int64
    is_leaf: Bool
    feature: Int64
    asks_category: Bool
    category_set: Int64
    """Number of the set of categories that go left."""
    sets: int
    """Number of such sets; -1 where they have the wrong form."""


def _read_nodes(entry: Any) -> _Nodes | None:
    """Return the nodes of a tree, None for other objects."""
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
    from sklearn.tree._tree import Tree

    if isinstance(entry, Tree):
        left, right = entry.children_left, entry.children_right
        none = np.zeros(len(left), dtype=np.int64)
        return _Nodes(left, right, left == -1, entry.feature, none > 0, none, 0)
    if isinstance(entry, TreePredictor):
        nodes, sets = entry.nodes, np.asarray(entry.raw_left_cat_bitsets)
        has_form = sets.ndim == 2 and sets.shape[1] == _SET_WORDS
        return _Nodes(
            nodes["left"],
            nodes["right"],
            nodes["is_leaf"] != 0,
            nodes["feature_idx"],
            nodes["is_categorical"] != 0,
            nodes["bitset_idx"],
            len(sets) if has_form else -1,
        )
    return None


def _is_sound(nodes: _Nodes, features: int | None) -> bool:
    """Return whether all children of inner nodes exist, come after them, and ask about one of the features.

    Children that come later make every path end in a leaf.
    """
    inner = np.flatnonzero(~nodes.is_leaf)
    children = np.stack([nodes.left[inner], nodes.right[inner]]).astype(np.int64)
    feature = np.asarray(nodes.feature)[inner].astype(np.int64)
    has_features = features is None or bool(np.all((feature >= 0) & (feature < features)))
    sets = np.asarray(nodes.category_set)[nodes.asks_category].astype(np.int64)
    has_sets = bool(np.all(sets < nodes.sets))
    count = len(nodes.is_leaf)
    return has_features and has_sets and count > 0 and bool(np.all((children > inner) & (children < count)))


def _has_sound_categories(estimator: Any, trees: list[_Nodes]) -> bool:
    """Return whether trees of histogram boosting ask for categories of categorical features only.

    Their preparation must hand on as many columns as the trees count.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if not isinstance(estimator, (HistGradientBoostingClassifier, HistGradientBoostingRegressor)):
        return True
    count = estimator.n_features_in_
    preparation = getattr(estimator, "_preprocessor", None)
    if preparation is not None and not _keeps_columns(preparation, count):
        return False
    split_features = [np.asarray(nodes.feature)[nodes.asks_category].astype(np.int64) for nodes in trees]
    features = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *split_features]))
    if not len(features):
        return True
    is_categorical = np.asarray(getattr(getattr(estimator, "_bin_mapper", None), "is_categorical_", ()))
    has_mask = is_categorical.shape == (count,) and is_categorical.dtype.kind in "bu"
    return bool(has_mask and features[0] >= 0 and features[-1] < count and np.all(is_categorical[features]))


def _keeps_columns(preparation: Any, count: int) -> bool:
    """Return whether histogram boosting's own preparation is as scikit-learn builds it: each column becomes one."""
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

    blocks: list[Any] = getattr(preparation, "transformers_", [])
    names = [block[0] for block in blocks]
    if type(preparation) is not ColumnTransformer or names[:2] != ["encoder", "numerical"]:
        return False
    # What is left over must not be handed on.
    if names[2:] not in ([], ["remainder"]) or any(block[1] != "drop" for block in blocks[2:]):
        return False
    (_, encoder, is_encoded), (_, numbers, is_number) = blocks[:2]
    masks = [np.asarray(mask) for mask in (is_encoded, is_number)]
    return (
        all(mask.shape == (count,) and mask.dtype == bool for mask in masks)
        and bool(np.all(masks[0] ^ masks[1]))
        and type(encoder) is OrdinalEncoder
        and encoder.n_features_in_ == len(encoder.categories_) == int(masks[0].sum())
        and (numbers == "passthrough" or type(numbers) is FunctionTransformer)
        and preparation.n_features_in_ == count
    )


def is_harmless_function(function: Any) -> bool:
    """Return whether a function in a model may be called: NumPy's and SciPy's own, and scikit-learn's check of rows."""
    from sklearn.utils.validation import check_array

    if isinstance(function, partial):
        return function.func is check_array and not function.args
    return function is None or isinstance(function, np.ufunc)
