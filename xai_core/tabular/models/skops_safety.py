"""Whether a skops file may be opened and asked: its size, its types, and what is in the parts that run compiled code.

skops rebuilds objects from a list of types and names what it does not know. It leaves trees out of what it trusts because scikit-learn
follows their nodes without looking: here every node is looked at before a model is asked anything.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np

from xai_core.errors import ModelUnavailable
from xai_core.tabular.models.object_graph import parts

MOST_BYTES = 500 * 2**20
"""Of the file, and of what is packed in it."""
TREES = ("sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")
"""Types that are rebuilt because their content is checked afterwards."""
HOLDERS = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
)
"""Types that skops does not list though they are plain Python that only holds numbers."""
FAMILIES = frozenset(
    "calibration compose decomposition discriminant_analysis dummy ensemble feature_selection impute linear_model naive_bayes "
    "neural_network pipeline preprocessing tree".split()
)
"""Parts of scikit-learn that predict with NumPy or with trees. Others follow numbers from the file in compiled code, unchecked."""
BROKEN = (
    ArithmeticError, AttributeError, EOFError, ImportError, LookupError, MemoryError, NotImplementedError, OSError, RuntimeError, TypeError,
    ValueError, zipfile.BadZipFile,
)  # fmt: skip
"""What a file that was cut, altered or made for another release leads to."""


def opened(data: bytes) -> Any:
    """The estimator in a skops file, which may be asked safely. Raises ModelUnavailable with the reason."""
    _check_size(data)
    _check_types(data)
    estimator = _rebuilt(data)
    check_content(estimator)
    return estimator


def untrusted_types(data: bytes) -> list[str]:
    """The types in a skops file that would not be rebuilt. Raises ModelUnavailable for bytes that are no skops file."""
    import skops.io

    try:
        found = skops.io.get_untrusted_types(data=data)
    except BROKEN as error:
        raise ModelUnavailable(
            "This is not a skops file, or it is damaged. Save the fitted model with skops.io.dump(model, 'a.skops') and choose that file."
        ) from error
    return [name for name in found if name not in TREES + HOLDERS]


def _check_size(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = max(sum(each.file_size for each in packed.infolist()), len(data))
    except BROKEN:
        return  # said better where its types are read
    if size > MOST_BYTES:
        raise ModelUnavailable(
            f"A model may have up to {MOST_BYTES // 2**20} MB unpacked. Got {size // 2**20:,} MB. Use a smaller model."
        )


def _check_types(data: bytes) -> None:
    unknown = untrusted_types(data)
    if unknown:
        shown = ", ".join(unknown[:12]) + (f" and {len(unknown) - 12} more" if len(unknown) > 12 else "")
        raise ModelUnavailable(
            f"The file contains types that are not known to be safe, so it was not opened: {shown[:800]}. "
            "Own models may be made of scikit-learn's own parts only."
        )


def _rebuilt(data: bytes) -> Any:
    import skops.io

    try:
        return skops.io.loads(data, trusted=[*TREES, *HOLDERS])
    except BROKEN as error:
        raise ModelUnavailable(
            "The model in this file cannot be rebuilt: it is damaged or from another release of scikit-learn."
        ) from error


def check_content(estimator: Any) -> None:
    """Refuse parts that run compiled code on numbers from the file, unless these numbers were looked at. Raises ModelUnavailable."""
    from sklearn.base import BaseEstimator

    if not isinstance(estimator, BaseEstimator):
        raise ModelUnavailable(
            f"The file holds no scikit-learn model. Got {type(estimator).__name__}. Save the fitted model itself."
        )
    for part in parts(estimator):
        if isinstance(part, BaseEstimator):
            _check_family(part)
            _check_trees_of(part)


def _check_family(part: Any) -> None:
    if type(part).__module__.split(".")[1] not in FAMILIES:
        raise ModelUnavailable(
            f"{type(part).__name__} cannot be checked for safety and is not taken. Models of these parts of scikit-learn are: "
            f"{', '.join(sorted(FAMILIES))}."
        )


def _check_trees_of(owner: Any) -> None:
    """Refuse trees that point backwards, outside themselves or to features that their owner does not have."""
    nodes = [found for found in map(_nodes, parts(owner)) if found is not None]
    width = getattr(owner, "n_features_in_", 0)
    grid: Any = getattr(owner, "estimators_", None)
    sound = True
    if isinstance(grid, np.ndarray) and grid.ndim == 2:  # gradient boosting writes one column an outcome
        sound = grid.shape[1] == getattr(owner, "n_trees_per_iteration_", None)
    of_trees = type(owner).__module__.split(".")[1] in ("ensemble", "tree")
    if not sound or not all(_walkable(*found, width if of_trees else None) for found in nodes):
        raise ModelUnavailable(
            "A tree in this file points outside itself: the file is damaged or was altered. Save the model again."
        )


def _nodes(part: Any) -> tuple[Any, Any, Any, Any, bool] | None:
    """Left child, right child, leaf or not, and feature of every node of a tree, and whether it asks about numbers only."""
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
    from sklearn.tree._tree import Tree

    if isinstance(part, Tree):
        return part.children_left, part.children_right, part.children_left == -1, part.feature, True
    if isinstance(part, TreePredictor):
        nodes = part.nodes
        return (
            nodes["left"],
            nodes["right"],
            nodes["is_leaf"] != 0,
            nodes["feature_idx"],
            not nodes["is_categorical"].any(),
        )
    return None


def _walkable(left: Any, right: Any, leaf: Any, feature: Any, numbers_only: bool, width: int | None) -> bool:
    """Whether every inner node's children exist and come after it, so that each walk ends in a leaf, and its feature exists."""
    inner = np.flatnonzero(~leaf)
    children = np.stack([left[inner], right[inner]]).astype(np.int64)
    features = np.asarray(feature)[inner].astype(np.int64)
    known = width is None or bool(np.all((features >= 0) & (features < width)))
    return numbers_only and known and len(leaf) > 0 and bool(np.all((children > inner) & (children < len(leaf))))
