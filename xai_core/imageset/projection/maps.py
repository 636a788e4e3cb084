"""Maps of a set of pictures: each a point, near those that are alike. PCA, t-SNE and, where installed, UMAP; in the plane or in space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float32, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.imageset.projection.kinds import tsne
from xai_core.imageset.projection.kinds.spec import MAPS, Layout, Map
from xai_core.imageset.projection.neighbours import neighbour_table
from xai_core.imageset.projection.quality import sentence, trustworthiness
from xai_core.imageset.rows import check_rows
from xai_core.params import Value, check_seed, resolve

MAX_POINTS = 20_000
"""Points that a map may have: more could not be told apart, and would no longer move smoothly."""
FEWEST_POINTS = 5
JUDGING = 20
"""What finding the trustworthiness counts as, in steps of t-SNE."""
PERPLEXITIES = (5.0, 15.0, 30.0, 50.0)


def make_map(
    data: Float32,
    kind: str = "tsne",
    dimensions: int = 2,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    rows: npt.ArrayLike | None = None,
    job: Job[Any] | None = None,
) -> Map:
    """A map of the chosen rows of (N, D), one picture's numbers a row. The same data, parameters and seed give the same map.

    Rows without numbers (pictures that failed) are left out; above 20,000 a sample is drawn, and both is said in the notes. `job` counts
    steps and can stop within ten of them. Raises UnknownName, InvalidParam, NotApplicable (a package is missing), Cancelled.
    """
    spec = MAPS.get(kind)
    chosen, seed, job = resolve(spec.params, params, 0), check_seed(seed), job or Job()
    missing = spec.refusal()
    if missing:
        raise NotApplicable(missing)
    if dimensions not in (2, 3):
        raise InvalidParam(f"A map has 2 or 3 dimensions. Got {str(dimensions)[:60]}.")
    job.expect(job.done + spec.steps(chosen) + JUDGING)
    kept, values, notes = _chosen(data, rows, seed)
    found = spec.place(values, dimensions, chosen, seed, job)
    return _judged(values, kept, found, kind, chosen, seed, notes, job)


def _judged(
    values: Float32,
    rows: Int64,
    found: Layout,
    kind: str,
    params: Mapping[str, Value],
    seed: int,
    notes: tuple[str, ...],
    job: Job[Any],
) -> Map:
    """The map with how far it may be trusted."""
    value = trustworthiness(values, found.points, seed, job, JUDGING)
    said = sentence(value, len(rows))
    return Map(found.points, rows, kind, params, seed, value, said, found.kl, (*notes, *found.notes))


def _chosen(data: Float32, rows: npt.ArrayLike | None, seed: int) -> tuple[Int64, Float32, tuple[str, ...]]:
    """Which rows come onto the map, their values as float32 of their own, and what to say about it. Raises InvalidParam."""
    kept = check_rows(rows, len(data))
    notes: list[str] = []
    if len(kept) > MAX_POINTS:
        drawn, said = stratified(np.zeros(len(kept), dtype=np.int64), MAX_POINTS, seed)
        kept = kept[drawn]
        notes.append(said)
    values = np.ascontiguousarray(data[kept], dtype=np.float32)
    good = np.isfinite(values).all(axis=1)
    if not good.all():
        notes.append(f"{int((~good).sum()):,} pictures that could not be read are not on the map.")
        kept, values = kept[good], values[good]
    if len(kept) < FEWEST_POINTS:
        raise InvalidParam(
            f"A map needs at least {FEWEST_POINTS} pictures. Got {len(kept)}. Choose more, or a larger set."
        )
    if not np.ptp(values, axis=0).any():
        raise InvalidParam(
            "All these pictures have the same numbers, so there is nothing to spread out. Choose others, or another layer."
        )
    return kept, values, tuple(notes)


def stratified(labels: npt.ArrayLike, count: int, seed: int = 0) -> tuple[Int64, str]:
    """At most `count` row numbers, ascending, in which every label (N,) has its share to within one; and a sentence, empty where all fit.

    Within a label rows are drawn by chance. Raises InvalidParam.
    """
    labels = np.asarray(labels)
    total = len(labels)
    if count < 1:
        raise InvalidParam(f"At least 1 picture must be drawn. Got {count}.")
    if total <= count:
        return np.arange(total), ""
    rng = np.random.default_rng(check_seed(seed))
    by_label = np.lexsort((rng.permutation(total), labels))
    # Evenly spaced places in a line sorted by label hit each label as often as its share says, up or down to a whole number.
    places = (np.arange(count) * total + rng.integers(total)) // count
    shares = ", each label with its share" if np.ptp(labels) else ""
    said = f"The map shows {count:,} of {total:,} pictures, drawn by chance{shares}: more would take too long."
    return np.sort(by_label[places]), said


def small_multiples(
    data: Float32,
    perplexities: Sequence[float] = PERPLEXITIES,
    seeds: Sequence[int] = (0, 1),
    rows: npt.ArrayLike | None = None,
    job: Job[Any] | None = None,
    params: Mapping[str, object] | None = None,
) -> list[Map]:
    """t-SNE of the same pictures in the plane, once for each seed and perplexity, seeds in the outer order.

    What looks the same in all of them may be real; what changes is not. The points start by chance, since from PCA all seeds would give
    one picture; `params` may say otherwise. Components and neighbours are found once for all. Raises as `make_map` does.
    """
    spec, job = MAPS.get("tsne"), job or Job()
    courses = [
        (resolve(spec.params, {"start": "random", **(params or {}), "perplexity": perplexity}, 0), check_seed(seed))
        for seed in seeds
        for perplexity in perplexities
    ]
    if not courses:
        raise InvalidParam("At least one perplexity and one seed are needed. Got none.")
    first = courses[0][1]
    kept, values, notes = _chosen(data, rows, first)
    job.expect(job.done + sum(spec.steps(chosen) - tsne.PREPARING + JUDGING for chosen, _ in courses) + tsne.PREPARING)
    narrow, said = tsne.reduced(values, first)
    widest, _ = tsne.possible_perplexity(max(float(chosen["perplexity"]) for chosen, _ in courses), len(values))
    table = neighbour_table(narrow, max(int(3 * widest), 1), job, tsne.PREPARING)
    made = []
    for chosen, seed in courses:
        found = tsne.from_table(narrow, table, 2, chosen, seed, job)
        found = replace(found, notes=(*said, *found.notes))
        made.append(_judged(values, kept, found, "tsne", chosen, seed, notes, job))
    return made
