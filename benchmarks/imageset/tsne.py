"""Time of a t-SNE map of 5,000 pictures against scikit-learn's, at an equal or better map of the same data.

Both reduce the data to 50 principal components first. Both maps are scored by the Kullback-Leibler divergence over the
affinities of those components (all pairs), which both minimise, and by scikit-learn's trustworthiness over the full
data. Our time includes the computation of trustworthiness.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from functools import cached_property
from statistics import median

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness as by_sklearn

from benchmarks.harness.array_contest import TableAnswer, TableRow
from benchmarks.harness.contest import Workload, peak_memory
from benchmarks.harness.limits import measure_seconds
from xai_core.arrays import Float
from xai_core.imageset.projection.maps import make_map
from xai_core.imageset.projection.neighbours import neighbour_table
from xai_core.imageset.projection.principal_components import MAX_COMPONENTS

MAX_RATIO = 0.5
TRUST_TOLERANCE = 0.005
"""Difference of trustworthiness that counts as equal; seeds differ by more."""
TITLE, PEER = "t-SNE map", "scikit-learn"


@dataclass(frozen=True, eq=False)
class MapScores:
    """Quality of a map (n, 2): Kullback-Leibler divergence in nats and trustworthiness."""

    divergence: float
    trust: float


@dataclass(frozen=True, eq=False)
class Contest:
    """Synthetic pooled features (n, width) for both: classes with a few directions each, all positive."""

    count: int = 5_000
    width: int = 1_280
    classes: int = 20
    perplexity: float = 30.0

    @cached_property
    def data(self) -> Float:
        rng = np.random.default_rng(0)
        centres, directions = (
            rng.normal(size=(self.classes, self.width)),
            rng.normal(size=(self.classes, 12, self.width)),
        )
        labels = rng.integers(self.classes, size=self.count)
        offsets = np.einsum("nk,nkd->nd", rng.normal(size=(self.count, 12)) / 2, directions[labels])
        noise = rng.normal(size=(self.count, self.width)) / 2
        features: Float = np.maximum(centres[labels] + offsets + noise, 0).astype(np.float32)
        return features

    @cached_property
    def affinities(self) -> csr_matrix:
        """The joint probabilities of the input points, (n, n)."""
        from openTSNE.affinity import joint_probabilities_nn  # type: ignore[import-untyped]  # ships no types

        table = neighbour_table(self.reduce(), int(3 * self.perplexity))
        return joint_probabilities_nn(table.rows, table.distances, [self.perplexity])

    def reduce(self) -> Float:
        """The first 50 principal components, or all data where they are fewer."""
        if min(self.data.shape) <= MAX_COMPONENTS:
            return self.data
        components: Float = PCA(MAX_COMPONENTS, random_state=0).fit_transform(self.data)
        return components

    def ours(self) -> Float:
        return make_map(self.data, "tsne", params={"perplexity": self.perplexity}).points

    def theirs(self) -> Float:
        points: Float = TSNE(perplexity=self.perplexity, random_state=0).fit_transform(self.reduce())
        return points

    def score(self, points: Float) -> MapScores:
        trust = float(by_sklearn(self.data, points, n_neighbors=5))
        return MapScores(self._divergence(points.astype(np.float64)), trust)

    def _divergence(self, points: Float) -> float:
        """Return the Kullback-Leibler divergence of a map in nats, over all pairs, in blocks of 1,000 points."""
        total = 0.0
        for start in range(0, len(points), 1000):
            total += (1 / (1 + _squared_distances(points[start : start + 1000], points))).sum()
        pairs = self.affinities.tocoo()
        near = 1 / (1 + ((points[pairs.row] - points[pairs.col]) ** 2).sum(axis=1))
        return float((pairs.data * np.log(pairs.data / near * (total - len(points)))).sum())


def _squared_distances(some: Float, points: Float) -> Float:
    squared: Float = ((some[:, None] - points[None]) ** 2).sum(axis=2)
    return squared


def measure_maps(workload: Workload, contest: Contest | None = None) -> TableAnswer:
    """Measure memory, then `repeats` rounds of both.

    The largest difference is our excess of divergence, 0 where ours is lower.
    """
    contest = contest or Contest()
    memory, scores = [], []
    for run in (contest.ours, contest.theirs):
        contest.data  # noqa: B018  # made before the memory is looked at
        with peak_memory() as taken:
            points = run()
        memory.append(taken.extra_mb)
        scores.append(contest.score(points))
    pairs = []
    for turn in range(workload.repeats):
        workload.log(f"{TITLE}: round {turn + 1} of {workload.repeats}")
        gc.collect()
        pairs.append((measure_seconds(contest.ours), measure_seconds(contest.theirs)))
    ours, theirs = scores
    size = (
        f"{contest.count:,} × {contest.width:,}; KL {ours.divergence:.3f} and {theirs.divergence:.3f}, "
        f"trustworthiness {ours.trust:.3f} and {theirs.trust:.3f}"
    )
    row = TableRow(
        question=TITLE,
        peer=PEER,
        size=size,
        ours_s=median(seconds for seconds, _ in pairs),
        peer_s=median(peer_seconds for _, peer_seconds in pairs),
        ratio=median(seconds / peer_seconds for seconds, peer_seconds in pairs),
        ours_mb=memory[0],
        peer_mb=memory[1],
        difference=max(ours.divergence - theirs.divergence, 0.0),
    )
    return TableAnswer(row, list_misses(row, ours, theirs))


def list_misses(row: TableRow, ours: MapScores, theirs: MapScores) -> tuple[str, ...]:
    """List the missed targets, one sentence each."""
    least_trust = theirs.trust - TRUST_TOLERANCE
    checks = (
        (row.ratio <= MAX_RATIO, f"ours / peer is {row.ratio:.4g}, to reach: at most {MAX_RATIO:g}"),
        (
            ours.divergence <= theirs.divergence,
            f"the divergence is {ours.divergence:.4f}, to reach: at most {theirs.divergence:.4f}",
        ),
        (
            ours.trust >= least_trust,
            f"trustworthiness is {ours.trust:.4f}, to reach: at least {theirs.trust:.4f} less {TRUST_TOLERANCE:g}",
        ),
    )
    return tuple(f"{row.question} against {row.peer}: {sentence}" for reached, sentence in checks if not reached)
