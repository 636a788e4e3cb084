"""Open skops files safely: check their size, their types, and the parts that run compiled code.

skops rebuilds objects from a list of types and names those it does not know. It does not trust trees, because
scikit-learn follows their nodes without checks: here every node is checked before a model predicts anything.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any, NamedTuple

import numpy as np

from xai_core.arrays import Bool, Int64
from xai_core.errors import ModelUnavailable
from xai_core.tabular.models.object_graph import iter_objects

# Of the file, and of what is packed in it.
MAX_BYTES = 500 * 2**20
# Types that are rebuilt because their content is checked afterwards.
TREE_TYPES = ("sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")
# Types that skops does not list though they are plain Python that only holds numbers.
DATA_TYPES = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
)
# Parts of scikit-learn that predict with NumPy or trees; others follow a file's numbers in unchecked compiled code.
FAMILIES = frozenset(
    "calibration compose decomposition discriminant_analysis dummy ensemble feature_selection impute linear_model "
    "naive_bayes neural_network pipeline preprocessing tree".split()
)
# Errors caused by a file that was cut, altered or made for another release.
BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)


def load_skops(data: bytes) -> Any:
    """Return the estimator in a skops file, checked so that it may predict.

    Raises:
        ModelUnavailable: it is too large, not known to be safe, damaged or no model, with the reason.
    """
    _check_size(data)
    _check_types(data)
    estimator = _rebuild(data)
    check_content(estimator)
    return estimator


def untrusted_types(data: bytes) -> list[str]:
    """Return the types in a skops file that would not be rebuilt.

    Raises:
        ModelUnavailable: bytes that are no skops file.
    """
    import skops.io

    try:
        types = skops.io.get_untrusted_types(data=data)
    except BROKEN as error:
        raise ModelUnavailable(
            "This is not a skops file, or it is damaged. Save the fitted model with skops.io.dump(model, 'a.skops') "
            "and choose that file."
        ) from error
    return [name for name in types if name not in TREE_TYPES + DATA_TYPES]


def _check_size(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = max(sum(entry.file_size for entry in archive.infolist()), len(data))
    except BROKEN:
        # Reading its types says better what is wrong.
        return
    if size > MAX_BYTES:
        raise ModelUnavailable(
            f"A model may have up to {MAX_BYTES // 2**20} MB unpacked. Got {size // 2**20:,} MB. Use a smaller model."
        )


def _check_types(data: bytes) -> None:
    unknown = untrusted_types(data)
    if unknown:
        shown = ", ".join(unknown[:12]) + (f" and {len(unknown) - 12} more" if len(unknown) > 12 else "")
        raise ModelUnavailable(
            f"The file contains types that are not known to be safe, so it was not opened: {shown[:800]}. "
            "Own models may be made of scikit-learn's own parts only."
        )


def _rebuild(data: bytes) -> Any:
    import skops.io

    try:
        return skops.io.loads(data, trusted=[*TREE_TYPES, *DATA_TYPES])
    except BROKEN as error:
        raise ModelUnavailable(
            "The model in this file cannot be rebuilt: it is damaged or from another release of scikit-learn."
        ) from error


def check_content(estimator: Any) -> None:
    """Check the numbers that compiled code follows: trees, and nothing else, may have some.

    Raises:
        ModelUnavailable: a part that cannot be checked, or a tree that points outside itself.
    """
    from sklearn.base import BaseEstimator

    if not isinstance(estimator, BaseEstimator):
        raise ModelUnavailable(
            f"The file holds no scikit-learn model. Got {type(estimator).__name__}. Save the fitted model itself."
        )
    for entry in iter_objects(estimator):
        if isinstance(entry, BaseEstimator):
            _check_family(entry)
            _check_trees(entry)


def _check_family(estimator: Any) -> None:
    if _family_name(estimator) not in FAMILIES:
        raise ModelUnavailable(
            f"{type(estimator).__name__} cannot be checked for safety and is not taken. Models of these parts of "
            f"scikit-learn are: {', '.join(sorted(FAMILIES))}."
        )


def _family_name(estimator: Any) -> str:
    """Return the part of scikit-learn that an estimator belongs to, such as "ensemble"."""
    return type(estimator).__module__.split(".")[1]


def _check_trees(estimator: Any) -> None:
    """Refuse trees that point backwards, outside themselves or to features that their estimator does not have."""
    trees = [nodes for nodes in map(_read_nodes, iter_objects(estimator)) if nodes is not None]
    # Containers such as pipelines reach the same trees, but count other features.
    has_own_trees = _family_name(estimator) in ("ensemble", "tree")
    features = getattr(estimator, "n_features_in_", 0) if has_own_trees else None
    if not _has_sound_grid(estimator) or not all(_is_sound(nodes, features) for nodes in trees):
        raise ModelUnavailable(
            "A tree in this file points outside itself: the file is damaged or was altered. Save the model again."
        )


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
    numbers_only: bool
    """False where it asks about categories, whose sets are not checked."""


def _read_nodes(entry: Any) -> _Nodes | None:
    """Return the nodes of a tree, None for other objects."""
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
    from sklearn.tree._tree import Tree

    if isinstance(entry, Tree):
        left, right = entry.children_left, entry.children_right
        return _Nodes(left, right, left == -1, entry.feature, True)
    if isinstance(entry, TreePredictor):
        nodes = entry.nodes
        numbers_only = not nodes["is_categorical"].any()
        return _Nodes(nodes["left"], nodes["right"], nodes["is_leaf"] != 0, nodes["feature_idx"], numbers_only)
    return None


def _is_sound(nodes: _Nodes, features: int | None) -> bool:
    """Return whether all children of inner nodes exist, come after them, and ask about one of the features.

    Children that come later make every path end in a leaf.
    """
    inner = np.flatnonzero(~nodes.is_leaf)
    children = np.stack([nodes.left[inner], nodes.right[inner]]).astype(np.int64)
    feature = np.asarray(nodes.feature)[inner].astype(np.int64)
    has_features = features is None or bool(np.all((feature >= 0) & (feature < features)))
    count = len(nodes.is_leaf)
    return nodes.numbers_only and has_features and count > 0 and bool(np.all((children > inner) & (children < count)))
