"""Pictures of a set beside one's own: the nearest of a wanted class, and the nearest that the model calls otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float32, Int64
from xai_core.errors import NotApplicable
from xai_core.imageset.projection.neighbours import find_nearest
from xai_core.imageset.runs.outputs import ModelOutputs


@dataclass(frozen=True)
class Counterpart:
    """A picture of the set, and its cosine distance (0 to 2) in the network's features."""

    row: int
    distance: float
    by_label: bool
    """True if the set's label names its class, False if only the model does."""


def find_of_class(run: ModelOutputs, truth: npt.ArrayLike, features: Float32, target: int, label: str) -> Counterpart:
    """Return the picture of a class that is nearest to `features` (C,), best one that the model also calls so.

    `truth` (N,) has the model's class of each label, -1 unknown. Raises NotApplicable where there is no such picture.
    """
    known, predicted = np.asarray(truth) == target, np.asarray(run.predictions) == target
    for rows, by_label in ((known & predicted, True), (known & run.valid, True), (predicted, False)):
        if rows.any():
            row, distance = _find_nearest_of(run, np.flatnonzero(rows), features)
            return Counterpart(row, distance, by_label)
    raise NotApplicable(
        f"This set has no picture of {label}: none is labelled so, and the model calls none so. Choose another set, or "
        "another class."
    )


def list_answers(run: ModelOutputs, source: int, count: int = 5) -> tuple[int, ...]:
    """Return the classes that the model says most often in a set, `source` left out, the most frequent first."""
    classes, counts = np.unique(np.asarray(run.predictions)[run.valid], return_counts=True)
    order = classes[np.argsort(-counts, kind="stable")]
    return tuple(order[order != source][:count].tolist())


def find_unlike(run: ModelOutputs, features: Float32, source: int) -> Counterpart | None:
    """Return the nearest picture to `features` (C,) that the model does not call `source`; None where there is none."""
    rows = np.flatnonzero(run.valid & (np.asarray(run.predictions) != source))
    if not len(rows):
        return None
    row, distance = _find_nearest_of(run, rows, features)
    return Counterpart(row, distance, False)


def _find_nearest_of(run: ModelOutputs, rows: Int64, features: Float32) -> tuple[int, float]:
    places, distances = find_nearest(np.asarray(run.mean)[rows], features, 1)
    return int(rows[places[0]]), float(distances[0])
