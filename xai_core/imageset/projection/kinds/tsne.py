"""t-SNE: neighbours stay neighbours (van der Maaten and Hinton 2008), by openTSNE (Poličar, Stražar, Zupan 2024).

Repulsion is summed over a tree (Barnes-Hut) or, between many points in the plane, on a grid (`fft_repulsion`).
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
from xai_core.imageset.projection.neighbours import NeighbourTable, neighbour_table
from xai_core.imageset.projection.principal_components import project, reduce_columns
from xai_core.imageset.projection.spec import MAPS, Layout, MapSpec
from xai_core.params import Choice, Float, Int, Value

PACKAGE = "openTSNE"
# First steps, in which neighbours pull twelve times as hard so that groups find together.
EARLY_STEPS = 250
EXAGGERATION = 12
# Steps of progress for finding components and neighbours.
PREPARATION_STEPS = 60
STEPS_A_TICK = 10
# Points from which the grid is quicker than the tree.
MIN_GRID_POINTS = 1_500
# Standard deviation of the starting points: far below any distance on the finished map.
START_DEVIATION = 1e-4


class _LearningRate(Float):
    """A rate of which 0 stands for one that follows from the number of pictures (Belkina et al. 2019)."""

    def check(self, value: object, side: int) -> float:
        """Check like every Float, and refuse what lies between 0 and 10. Raises InvalidParam."""
        rate = super().check(value, side)
        if 0 < rate < 10:
            raise self.refuse("0 (chosen automatically) or a number from 10 to 1000", value)
        return rate


@dataclass(frozen=True)
class Schedule:
    """Parameters of one run of t-SNE over neighbours that are already known."""

    perplexity: float
    iterations: int
    learning_rate: float
    """0: the number of points, over the exaggeration while there is one."""


def limit_perplexity(perplexity: float, count: int) -> tuple[float, tuple[str, ...]]:
    """Return the perplexity that `count` points allow, a third of the others at most, and a sentence if it is lower.

    >>> limit_perplexity(30.0, 1000)
    (30.0, ())
    """
    highest = (count - 1) / 3
    if perplexity <= highest:
        return perplexity, ()
    note = (
        f"With only {count} pictures the perplexity is {highest:.1f} instead of {perplexity:g}: "
        "each picture has few others."
    )
    return highest, (note,)


def start_points(values: Float32, dimensions: int, start: str, seed: int) -> Float64:
    """Return tiny starting points, (n, dimensions), no two equal: a tree could not tell them apart."""
    noise = np.random.default_rng(seed).normal(0, START_DEVIATION, (len(values), dimensions))
    if start == "random":
        return noise
    components = project(values, dimensions, seed)[0].astype(np.float64)
    # Scale the first component to the deviation; a trace of noise separates equal pictures.
    points: Float64 = components / components[:, 0].std() * START_DEVIATION + noise / 100
    return points


def optimize(table: NeighbourTable, start: Float64, schedule: Schedule, job: Job[Any]) -> Layout:
    """Move the points until the map is made. Ticks EARLY_STEPS + iterations. Raises Cancelled within ten steps."""
    from openTSNE import TSNEEmbedding  # type: ignore[import-untyped]  # ships no types
    from openTSNE.affinity import PerplexityBasedNN  # type: ignore[import-untyped]
    from openTSNE.nearest_neighbors import PrecomputedNeighbors  # type: ignore[import-untyped]

    def tick(_step: int, _error: float, _points: object) -> bool:
        job.tick(STEPS_A_TICK)
        # False lets openTSNE go on; a cancel is raised by the tick itself.
        return False

    # Affinities beyond three times the perplexity are next to zero.
    nearest = table.nearest(int(3 * schedule.perplexity))
    index = PrecomputedNeighbors(nearest.rows, nearest.distances)
    affinities = PerplexityBasedNN(knn_index=index, perplexity=schedule.perplexity, n_jobs=cores.CORES)
    # In space the grid would be too large.
    on_grid = len(start) >= MIN_GRID_POINTS and start.shape[1] == 2
    gradient = Gradient(cores.CORES, on_grid)
    points = TSNEEmbedding(
        start,
        affinities,
        negative_gradient_method=gradient,
        n_jobs=cores.CORES,
        learning_rate=schedule.learning_rate or "auto",
        callbacks=[tick],
        callbacks_every_iters=STEPS_A_TICK,
    )
    # Pull the groups together first, then spread them at a higher momentum.
    points.optimize(EARLY_STEPS, exaggeration=EXAGGERATION, momentum=0.5, inplace=True)
    points.optimize(schedule.iterations, momentum=0.8, inplace=True)
    # The tree's sum is approximate: a perfect map may come out below zero.
    divergence = max(float(gradient.divergence(points, affinities.P)), 0.0)
    return Layout(np.asarray(points, dtype=np.float32), divergence)


def optimize_with_sklearn(values: Float32, start: Float64, schedule: Schedule, job: Job[Any]) -> Layout:
    """Do the same by scikit-learn, where openTSNE is not built: slower, and cannot be stopped on the way."""
    from sklearn.manifold import TSNE

    steps = EARLY_STEPS + schedule.iterations
    model = TSNE(
        n_components=start.shape[1],
        perplexity=schedule.perplexity,
        learning_rate=schedule.learning_rate or "auto",
        max_iter=steps,
        init=start.astype(np.float32),
    )
    points = model.fit_transform(values)
    # Count all steps at the end: scikit-learn reports none on the way.
    job.tick(steps)
    return Layout(np.asarray(points, dtype=np.float32), float(model.kl_divergence_))


def place_with_neighbours(
    values: Float32, table: NeighbourTable, dimensions: int, params: Mapping[str, Value], seed: int, job: Job[Any]
) -> Layout:
    """Return the map of values (n, D <= 50) whose neighbours are known. Ticks EARLY_STEPS + iterations."""
    perplexity, notes = limit_perplexity(float(params["perplexity"]), len(values))
    start = start_points(values, dimensions, str(params["start"]), seed)
    schedule = Schedule(perplexity, int(params["iterations"]), float(params["learning_rate"]))
    if importlib.util.find_spec(PACKAGE):
        layout = optimize(table, start, schedule, job)
    else:
        layout = optimize_with_sklearn(values, start, schedule, job)
    return Layout(layout.points, layout.kl, notes)


def _place(data: Float32, dimensions: int, params: Mapping[str, Value], seed: int, job: Job[Any]) -> Layout:
    values, notes = reduce_columns(data, seed)
    # The note is left to `place_with_neighbours`, which limits the perplexity again.
    perplexity, _ = limit_perplexity(float(params["perplexity"]), len(values))
    table = neighbour_table(values, max(int(3 * perplexity), 1), job, PREPARATION_STEPS)
    layout = place_with_neighbours(values, table, dimensions, params, seed, job)
    return Layout(layout.points, layout.kl, (*notes, *layout.notes))


MAPS.add(
    MapSpec(
        name="tsne",
        title="t-SNE (neighbours stay together)",
        about="Keeps pictures together that are alike. Good at showing groups; the distances between groups "
        "and their sizes mean nothing.",
        place=_place,
        params=(
            Float(
                name="perplexity",
                title="Perplexity",
                help="About how many neighbours each picture tries to stay close to. Small: many little groups. "
                "Large: a few big ones.",
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
                help="Where the points begin. From PCA, the whole comes out alike every time; from chance, "
                "each seed gives another map.",
                advanced=True,
                default="pca",
                options={"pca": "PCA", "random": "by chance"},
            ),
        ),
        count_steps=lambda params: PREPARATION_STEPS + EARLY_STEPS + int(params["iterations"]),
        source="van der Maaten and Hinton 2008, Visualizing data using t-SNE, Journal of Machine Learning Research 9.",
    )
)
