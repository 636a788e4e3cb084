"""t-SNE: neighbours stay neighbours (van der Maaten and Hinton 2008), by openTSNE (Poličar, Stražar, Zupan 2024).

Repulsion is summed over a tree (Barnes-Hut) or, between many points in the plane, on a grid (`_repulsion`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_core.arrays import Float32, Float64
from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.imageset.projection.fft_repulsion import Gradient
from xai_core.imageset.projection.kinds.pca import principal
from xai_core.imageset.projection.kinds.spec import MAPS, Layout, MapSpec
from xai_core.imageset.projection.neighbours import NeighbourTable, neighbour_table
from xai_core.params import Choice, Float, Int, Value

PACKAGE = "openTSNE"
COMPONENTS = 50
"""t-SNE starts from so many principal components: further ones are mostly noise, and take time."""
EARLY = 250
"""First steps, in which neighbours pull twelve times as hard so that groups find together."""
EXAGGERATION = 12
PREPARING = 60
"""What finding components and neighbours counts as, in steps."""
STEPS_A_TICK = 10
GRID_FROM = 1_500
"""Points from which the grid is quicker than the tree."""
START_SPREAD = 1e-4
"""Standard deviation of the starting points: far below any distance on the finished map."""


class _LearningRate(Float):
    """0 stands for a rate that follows from the number of pictures (Belkina et al. 2019)."""

    def check(self, value: object, side: int) -> float:
        """As every Float, and nothing between 0 and 10. Raises InvalidParam."""
        rate = super().check(value, side)
        if 0 < rate < 10:
            raise self.refuse("0 (chosen automatically) or a number from 10 to 1000", value)
        return rate


@dataclass(frozen=True)
class Course:
    """One run of t-SNE over neighbours that are already known."""

    perplexity: float
    iterations: int
    learning_rate: float
    """0: the number of points, over the exaggeration while there is one."""


def reduced(data: Float32, seed: int) -> tuple[Float32, tuple[str, ...]]:
    """The first 50 principal components of wider data (n, D), and a sentence that says so."""
    if data.shape[1] <= COMPONENTS or len(data) <= COMPONENTS:
        return data, ()
    found, share = principal(data, COMPONENTS, seed)
    told = f"First the {data.shape[1]:,} numbers of a picture were brought down to {COMPONENTS} (PCA)"
    return found, (f"{told}, which keep {100 * share:.0f} % of their differences.",)


def possible_perplexity(wanted: float, count: int) -> tuple[float, tuple[str, ...]]:
    """The perplexity that `count` points allow, a third of the others at most, and a sentence where it is not the one wanted."""
    most = (count - 1) / 3
    if wanted <= most:
        return wanted, ()
    return most, (
        f"With only {count} pictures the perplexity is {most:.1f} instead of {wanted:g}: each picture has few others.",
    )


def start_points(values: Float32, dimensions: int, start: str, seed: int) -> Float64:
    """Where the points begin, (n, dimensions): tiny, and never two at one place, since equal points could not be told apart by the tree."""
    noise = np.random.default_rng(seed).normal(0, START_SPREAD, (len(values), dimensions))
    if start == "random":
        return noise
    shadow = principal(values, dimensions, seed)[0].astype(np.float64)
    points: Float64 = shadow / shadow[:, 0].std() * START_SPREAD + noise / 100
    return points


def run(table: NeighbourTable, start: Float64, course: Course, job: Job[Any]) -> Layout:
    """Let the points move until the map is made. Ticks EARLY + iterations steps. Raises Cancelled within ten steps."""
    from openTSNE import TSNEEmbedding  # type: ignore[import-untyped]  # ships no types
    from openTSNE.affinity import PerplexityBasedNN  # type: ignore[import-untyped]
    from openTSNE.nearest_neighbors import PrecomputedNeighbors  # type: ignore[import-untyped]

    def tell(_step: int, _error: float, _points: object) -> bool:
        job.tick(STEPS_A_TICK)
        return False

    near = table.find_nearest(int(3 * course.perplexity))
    index = PrecomputedNeighbors(near.rows, near.distances)
    affinities = PerplexityBasedNN(knn_index=index, perplexity=course.perplexity, n_jobs=cores.CORES)
    on_grid = len(start) >= GRID_FROM and start.shape[1] == 2  # in space it would be too large
    gradient = Gradient(cores.CORES, on_grid)
    points = TSNEEmbedding(
        start,
        affinities,
        negative_gradient_method=gradient,
        n_jobs=cores.CORES,
        learning_rate=course.learning_rate or "auto",
        callbacks=[tell],
        callbacks_every_iters=STEPS_A_TICK,
    )
    points.optimize(EARLY, exaggeration=EXAGGERATION, momentum=0.5, inplace=True)
    points.optimize(course.iterations, momentum=0.8, inplace=True)
    return Layout(np.asarray(points, dtype=np.float32), float(gradient.divergence(points, affinities.P)))


def run_slowly(values: Float32, start: Float64, course: Course, job: Job[Any]) -> Layout:
    """As `run`, by scikit-learn: for computers for which openTSNE is not built. Slower, and cannot be stopped on the way."""
    from sklearn.manifold import TSNE

    steps = EARLY + course.iterations
    model = TSNE(
        n_components=start.shape[1],
        perplexity=course.perplexity,
        learning_rate=course.learning_rate or "auto",
        max_iter=steps,
        init=start.astype(np.float32),
    )
    points = model.fit_transform(values)
    job.tick(steps)
    return Layout(np.asarray(points, dtype=np.float32), float(model.kl_divergence_))


def from_table(
    values: Float32, table: NeighbourTable, dimensions: int, params: Mapping[str, Value], seed: int, job: Job[Any]
) -> Layout:
    """The map of values (n, D <= 50) whose neighbours are known. Ticks EARLY + iterations steps."""
    perplexity, said = possible_perplexity(float(params["perplexity"]), len(values))
    start = start_points(values, dimensions, str(params["start"]), seed)
    course = Course(perplexity, int(params["iterations"]), float(params["learning_rate"]))
    found = (
        run(table, start, course, job) if importlib.util.find_spec(PACKAGE) else run_slowly(values, start, course, job)
    )
    return Layout(found.points, found.kl, said)


def _place(data: Float32, dimensions: int, params: Mapping[str, Value], seed: int, job: Job[Any]) -> Layout:
    values, said = reduced(data, seed)
    perplexity, _ = possible_perplexity(float(params["perplexity"]), len(values))
    table = neighbour_table(values, max(int(3 * perplexity), 1), job, PREPARING)
    found = from_table(values, table, dimensions, params, seed, job)
    return Layout(found.points, found.kl, (*said, *found.notes))


MAPS.add(
    MapSpec(
        name="tsne",
        title="t-SNE (neighbours stay together)",
        about="Keeps pictures together that are alike. Good at showing groups; the distances between groups and their sizes mean nothing.",
        place=_place,
        params=(
            Float(
                name="perplexity",
                title="Perplexity",
                help="About how many neighbours each picture tries to stay close to. Small: many little groups. Large: a few big ones.",
                default=30.0,
                low=5.0,
                high=50.0,
                step=1.0,
            ),
            Int(
                name="iterations",
                title="Steps",
                help="How often all points move a little, after 250 first steps in which groups find together.",
                default=500,
                low=250,
                high=2000,
                step=50,
            ),
            _LearningRate(
                name="learning_rate",
                title="Learning rate",
                help="How far the points move in a step, 10 to 1000. 0 chooses it by the number of pictures.",
                advanced=True,
                default=0.0,
                low=0.0,
                high=1000.0,
                step=10.0,
            ),
            Choice(
                name="start",
                title="Start",
                help="Where the points begin. From PCA, the whole comes out alike every time; from chance, each seed gives another map.",
                advanced=True,
                default="pca",
                options={"pca": "PCA", "random": "by chance"},
            ),
        ),
        steps=lambda params: PREPARING + EARLY + int(params["iterations"]),
        source="van der Maaten and Hinton 2008, Visualizing data using t-SNE, Journal of Machine Learning Research 9.",
    )
)
