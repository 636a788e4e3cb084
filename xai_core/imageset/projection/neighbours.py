"""Exact nearest neighbours of pictures by their numbers, a few megabytes at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from xai_core.arrays import Bool, Float32, Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.imageset.projection.spec import Map
from xai_core.imageset.rows import iter_blocks

Metric = Literal["cosine", "euclidean"]
BLOCK_BYTES = 16 * 2**20
# Points whose neighbours are found in one go, between two checks for a cancel.
QUERIES = 1_000
PLACING_NEIGHBOURS = 10
PLACEMENT_NOTE = (
    "Your picture stands between the pictures that are most like it. The map was not made anew with it, "
    "so its place is approximate: trust the list of neighbours more than the spot."
)


@dataclass(frozen=True, eq=False)
class NeighbourTable:
    """Nearest neighbours of each of n points, nearest first, the point itself left out."""

    rows: Int64
    """(n, k)"""
    distances: Float64
    """(n, k), Euclidean."""

    def nearest(self, count: int) -> NeighbourTable:
        """Return the table of the first `count` neighbours."""
        return NeighbourTable(
            np.ascontiguousarray(self.rows[:, :count]), np.ascontiguousarray(self.distances[:, :count])
        )


def neighbour_table(data: Float32, k: int, job: Job[Any] | None = None, steps: int = 0) -> NeighbourTable:
    """Return the k nearest neighbours of every row of (n, D) by Euclidean distance, exact; 1 <= k < n.

    Raises Cancelled between blocks.

    >>> neighbour_table(np.float32([[0], [1], [5]]), 1).rows.tolist()
    [[1], [0], [1]]
    """
    from sklearn.neighbors import NearestNeighbors

    finder = NearestNeighbors(algorithm="brute").fit(data)
    rows = np.empty((len(data), k), dtype=np.int64)
    distances = np.empty((len(data), k))
    for block in iter_blocks(len(data), QUERIES, job or Job(), steps):
        # One more than asked for: the nearest is usually the point itself.
        block_distances, block_rows = finder.kneighbors(data[block], k + 1)
        others = _exclude_self(block_rows, np.arange(block.start, block.stop))
        rows[block], distances[block] = block_rows[others].reshape(-1, k), block_distances[others].reshape(-1, k)
    return NeighbourTable(rows, distances)


def _exclude_self(neighbours: Int64, own: Int64) -> Bool:
    """Mark k of each row (n, k + 1): not the point itself, or not the last where equal points crowd it out."""
    itself: Bool = neighbours == own[:, None]
    itself[~itself.any(axis=1), -1] = True
    return ~itself


def find_nearest(data: Float32, query: Float32, k: int = 12, metric: Metric = "cosine") -> tuple[Int64, Float32]:
    """Return rows and distances, each (at most k,), of the rows of (N, D) nearest to a query (D,), nearest first.

    Exact, also for a memory-mapped array larger than memory. Cosine: 1 minus the cosine of the angle, 0..2. Euclidean:
    in the data's unit. Equal distances come in the order of rows; rows without numbers are left out. Raises
    InvalidParam.

    >>> find_nearest(np.float32([[1, 0], [0, 1]]), np.float32([0, 2]), k=1)[0].tolist()
    [1]

    """
    query = np.asarray(query, dtype=np.float32).ravel()
    if metric not in get_args(Metric):
        raise InvalidParam(f"The distance must be {' or '.join(get_args(Metric))}. Got {str(metric)[:60]!r}.")
    if data.ndim != 2 or data.shape[1] != len(query):
        raise InvalidParam(
            f"The picture must be described by {data.shape[-1]} numbers like those it is compared with. "
            f"Got {len(query)}."
        )
    if k < 1:
        raise InvalidParam(f"The number of neighbours must be 1 or more. Got {k}.")
    rows, distances = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    for block in iter_blocks(len(data), max(BLOCK_BYTES // (4 * data.shape[1]), 1), Job()):
        # Let each block compete with the best so far, so that memory holds one block.
        rows = np.concatenate([rows, np.arange(block.start, block.stop)])
        distances = np.concatenate([distances, _distances(np.asarray(data[block], dtype=np.float32), query, metric)])
        best = np.argsort(distances, kind="stable")[:k]
        rows, distances = rows[best], distances[best]
    finite = np.isfinite(distances)
    return rows[finite], distances[finite]


def _distances(block: Float32, query: Float32, metric: Metric) -> Float32:
    """Return the distance of each row of (n, D) to the query; infinite where there are no numbers."""
    with np.errstate(invalid="ignore", over="ignore"):
        if metric == "euclidean":
            values = np.linalg.norm(block - query, axis=1)
        else:
            lengths = np.linalg.norm(block, axis=1) * np.linalg.norm(query)
            # A row of length 0 has no direction: its distance becomes 1.
            values = 1 - (block @ query) / np.where(lengths > 0, lengths, 1)
    distances: Float32 = np.where(np.isnan(values), np.inf, values).astype(np.float32)
    return distances


def place_among(pictures: Map, data: Float32, query: Float32, k: int = PLACING_NEIGHBOURS) -> Float32:
    """Return the place of a new picture (D,) on a map of `data` (N, D), (2,) or (3,): the mean of its neighbours.

    Approximate, as `PLACEMENT_NOTE` says: the points do not move to make room. Neighbours are Euclidean, as for the map
    itself. Each counts by 1 / distance², so that a picture that is on the map already comes to stand on itself.
    """
    rows, distances = find_nearest(data[pictures.rows], query, k, "euclidean")
    # Keep the weight of an equal picture finite.
    floor = 1e-6 * max(float(distances.max(initial=0)), 1e-12)
    weights = 1 / np.maximum(distances.astype(np.float64), floor) ** 2
    place: Float32 = np.average(pictures.points[rows], axis=0, weights=weights).astype(np.float32)
    return place
