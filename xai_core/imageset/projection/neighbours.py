"""Which pictures are most alike: exact nearest neighbours by their numbers, a few megabytes at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from xai_core.arrays import Bool, Float32, Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.imageset.projection.kinds.spec import Map
from xai_core.imageset.rows import iter_blocks

Metric = Literal["cosine", "euclidean"]
BLOCK_BYTES = 16 * 2**20
QUERIES = 1_000
"""Points whose neighbours are found in one go, between two looks whether to stop."""
PLACED_BY = 10
PLACEMENT_NOTE = (
    "Your picture stands between the pictures that are most like it. The map was not made anew with it, so its place is approximate: "
    "trust the list of neighbours more than the spot."
)


@dataclass(frozen=True, eq=False)
class NeighbourTable:
    """The nearest neighbours of each of n points, nearest first, the point itself left out."""

    rows: Int64
    """(n, k)"""
    distances: Float64
    """(n, k), Euclidean."""

    def find_nearest(self, count: int) -> NeighbourTable:
        """The first `count` of them."""
        return NeighbourTable(
            np.ascontiguousarray(self.rows[:, :count]), np.ascontiguousarray(self.distances[:, :count])
        )


def neighbour_table(data: Float32, k: int, job: Job[Any] | None = None, worth: int = 0) -> NeighbourTable:
    """The k nearest neighbours of every row of (n, D) by Euclidean distance, exact; 1 <= k < n. Raises Cancelled between blocks."""
    from sklearn.neighbors import NearestNeighbors

    finder = NearestNeighbors(algorithm="brute").fit(data)
    rows = np.empty((len(data), k), dtype=np.int64)
    distances = np.empty((len(data), k))
    for part in iter_blocks(len(data), QUERIES, job or Job(), worth):
        far, near = finder.kneighbors(data[part], k + 1)
        others = _others(near, np.arange(part.start, part.stop))
        rows[part], distances[part] = near[others].reshape(-1, k), far[others].reshape(-1, k)
    return NeighbourTable(rows, distances)


def _others(near: Int64, own: Int64) -> Bool:
    """All but one of each row (n, k + 1): not the point itself or, where so many equal ones crowd it out, not the last."""
    itself: Bool = near == own[:, None]
    itself[~itself.any(axis=1), -1] = True
    return ~itself


def find_nearest(data: Float32, query: Float32, k: int = 12, metric: Metric = "cosine") -> tuple[Int64, Float32]:
    """Row numbers and distances, each (at most k,), of the rows of (N, D) nearest to a query (D,), nearest first.

    Exact, also for a memory-mapped array larger than memory. Cosine: 1 minus the cosine of the angle, 0..2. Euclidean: in the data's
    unit. Equal distances come in the order of rows; rows that hold no numbers (pictures that failed) are left out. Raises InvalidParam.
    """
    query = np.asarray(query, dtype=np.float32).ravel()
    if metric not in get_args(Metric):
        raise InvalidParam(f"The distance must be {' or '.join(get_args(Metric))}. Got {str(metric)[:60]!r}.")
    if data.ndim != 2 or data.shape[1] != len(query):
        raise InvalidParam(
            f"The picture must be described by {data.shape[-1]} numbers like those it is compared with. Got {len(query)}."
        )
    if k < 1:
        raise InvalidParam(f"The number of neighbours must be 1 or more. Got {k}.")
    best, far = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    for part in iter_blocks(len(data), max(BLOCK_BYTES // (4 * data.shape[1]), 1), Job()):
        best = np.concatenate([best, np.arange(part.start, part.stop)])
        far = np.concatenate([far, _distances(np.asarray(data[part], dtype=np.float32), query, metric)])
        chosen = np.argsort(far, kind="stable")[:k]
        best, far = best[chosen], far[chosen]
    known = np.isfinite(far)
    return best[known], far[known]


def _distances(block: Float32, query: Float32, metric: Metric) -> Float32:
    """Of each row of (n, D) to the query; infinite where there are no numbers."""
    with np.errstate(invalid="ignore", over="ignore"):
        if metric == "euclidean":
            far = np.linalg.norm(block - query, axis=1)
        else:
            lengths = np.linalg.norm(block, axis=1) * np.linalg.norm(query)
            far = 1 - (block @ query) / np.where(lengths > 0, lengths, 1)
    found: Float32 = np.where(np.isnan(far), np.inf, far).astype(np.float32)
    return found


def place_among(made: Map, data: Float32, query: Float32, k: int = PLACED_BY) -> Float32:
    """Where a new picture (D,) belongs on a map of `data` (N, D), (2,) or (3,): the mean of its neighbours, near ones counting more.

    Approximate, as `PLACED` says: the points do not move to make room. Neighbours are Euclidean, as for the map itself. Each counts by
    1 / distance², so that a picture that is on the map already comes to stand on itself.
    """
    near, far = find_nearest(data[made.rows], query, k, "euclidean")
    weights = 1 / np.maximum(far.astype(np.float64), 1e-6 * max(float(far.max(initial=0)), 1e-12)) ** 2
    place: Float32 = np.average(made.points[near], axis=0, weights=weights).astype(np.float32)
    return place
