"""How long does a t-SNE map of 5,000 pictures take against scikit-learn's, at an equal or better map of the same data?

Both bring the data down to 50 principal components first, and both maps are judged by the same two numbers: the
Kullback-Leibler divergence over the affinities of those components, all pairs, which is what both make small, and
scikit-learn's trustworthiness over the full data. The time of ours holds everything that a visitor waits for, finding
its trustworthiness included.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from functools import cached_property
from statistics import median

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.manifold import trustworthiness as by_sklearn

from benchmarks.harness.array_contest import TableAnswer, TableRow
from benchmarks.harness.contest import Bench, Floats, peak_memory
from benchmarks.harness.limits import seconds_of
from xai_core.imageset.projection.maps import make_map
from xai_core.imageset.projection.neighbours import neighbour_table
from xai_core.imageset.projection.principal_components import MAX_COMPONENTS

MOST_RATIO = 0.5
SLACK = 0.005
"""A trustworthiness that is lower by less than this is equal: seeds differ by more."""
TITLE, PEER = "t-SNE map", "scikit-learn"


@dataclass(frozen=True, eq=False)
class Judged:
    """A map (n, 2) and how good it is."""

    divergence: float
    trust: float


@dataclass(frozen=True, eq=False)
class Contest:
    """The same data for both: pooled activations of a network look like this, classes with a few directions each, all
    positive.
    """

    count: int = 5_000
    width: int = 1_280
    classes: int = 20
    perplexity: float = 30.0

    @cached_property
    def data(self) -> Floats:
        rng = np.random.default_rng(0)
        centres, directions = (
            rng.normal(size=(self.classes, self.width)),
            rng.normal(size=(self.classes, 12, self.width)),
        )
        of = rng.integers(self.classes, size=self.count)
        own = np.einsum("nk,nkd->nd", rng.normal(size=(self.count, 12)) / 2, directions[of])
        noise = rng.normal(size=(self.count, self.width)) / 2
        found: Floats = np.maximum(centres[of] + own + noise, 0).astype(np.float32)
        return found

    @cached_property
    def affinities(self) -> csr_matrix:
        """The joint probabilities that both maps try to keep, (n, n)."""
        from openTSNE.affinity import joint_probabilities_nn  # type: ignore[import-untyped]  # ships no types

        table = neighbour_table(self.narrow(), int(3 * self.perplexity))
        return joint_probabilities_nn(table.rows, table.distances, [self.perplexity])

    def narrow(self) -> Floats:
        """The first 50 principal components, or all data where they are fewer."""
        if min(self.data.shape) <= MAX_COMPONENTS:
            return self.data
        found: Floats = PCA(MAX_COMPONENTS, random_state=0).fit_transform(self.data)
        return found

    def ours(self) -> Floats:
        return make_map(self.data, "tsne", params={"perplexity": self.perplexity}).points

    def theirs(self) -> Floats:
        points: Floats = TSNE(perplexity=self.perplexity, random_state=0).fit_transform(self.narrow())
        return points

    def judged(self, points: Floats) -> Judged:
        trust = float(by_sklearn(self.data, points, n_neighbors=5))
        return Judged(self._divergence(points.astype(np.float64)), trust)

    def _divergence(self, points: Floats) -> float:
        """Of the whole map in nats, over all pairs, a thousand points at a time."""
        total = 0.0
        for start in range(0, len(points), 1000):
            total += (1 / (1 + _squares(points[start : start + 1000], points))).sum()
        pairs = self.affinities.tocoo()
        near = 1 / (1 + ((points[pairs.row] - points[pairs.col]) ** 2).sum(axis=1))
        return float((pairs.data * np.log(pairs.data / near * (total - len(points)))).sum())


def _squares(some: Floats, points: Floats) -> Floats:
    found: Floats = ((some[:, None] - points[None]) ** 2).sum(axis=2)
    return found


def answer(bench: Bench, contest: Contest | None = None) -> TableAnswer:
    """Memory first, then `repeats` rounds of both; the largest difference is how much worse our divergence is, 0 where
    it is better.
    """
    contest = contest or Contest()
    memory, judged = [], []
    for run in (contest.ours, contest.theirs):
        contest.data  # noqa: B018  # made before the memory is looked at
        with peak_memory() as taken:
            points = run()
        memory.append(taken.extra_mb)
        judged.append(contest.judged(points))
    pairs = []
    for turn in range(bench.repeats):
        bench.say(f"{TITLE}: round {turn + 1} of {bench.repeats}")
        gc.collect()
        pairs.append((seconds_of(contest.ours), seconds_of(contest.theirs)))
    ours, theirs = judged
    size = (
        f"{contest.count:,} × {contest.width:,}; KL {ours.divergence:.3f} and {theirs.divergence:.3f}, "
        f"trustworthiness {ours.trust:.3f} and {theirs.trust:.3f}"
    )
    row = TableRow(
        question=TITLE,
        peer=PEER,
        size=size,
        ours_s=median(own for own, _ in pairs),
        peer_s=median(other for _, other in pairs),
        ratio=median(own / other for own, other in pairs),
        ours_mb=memory[0],
        peer_mb=memory[1],
        difference=max(ours.divergence - theirs.divergence, 0.0),
    )
    return TableAnswer(row, missed(row, ours, theirs))


def missed(row: TableRow, ours: Judged, theirs: Judged) -> tuple[str, ...]:
    """A sentence for everything that was not reached."""
    lines = {
        f"ours / peer is {row.ratio:.4g}, to reach: at most {MOST_RATIO:g}": row.ratio <= MOST_RATIO,
        f"the divergence is {ours.divergence:.4f}, to reach: at most {theirs.divergence:.4f}": ours.divergence
        <= theirs.divergence,
        f"trustworthiness is {ours.trust:.4f}, to reach: at least {theirs.trust:.4f} less {SLACK:g}": ours.trust
        >= theirs.trust - SLACK,
    }
    return tuple(f"{row.question} against {row.peer}: {line}" for line, reached in lines.items() if not reached)
