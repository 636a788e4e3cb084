"""Maps of a set of pictures: each a point, near those that are alike, in the plane or in space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float32, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.formatting import join_words
from xai_core.imageset.projection.kinds import MAPS, tsne
from xai_core.imageset.projection.neighbours import neighbour_table
from xai_core.imageset.projection.principal_components import reduce_columns
from xai_core.imageset.projection.quality import compute_trustworthiness, describe_trustworthiness
from xai_core.imageset.projection.spec import Layout, Map
from xai_core.imageset.rows import check_rows
from xai_core.params import Value, check_seed, resolve

# More could not be told apart, and would no longer move smoothly.
MAX_POINTS = 20_000
MIN_POINTS = 5
# Steps of progress for the trustworthiness.
QUALITY_STEPS = 20
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
    """Return a map of the selected rows of (N, D), one picture's numbers a row; equal requests give equal maps.

    Rows without numbers are left out; above 20,000 a sample is drawn, and both is said in the notes. `job` counts steps
    and can stop within ten of them. Raises UnknownName, InvalidParam, NotApplicable (a package is missing), Cancelled.

    >>> make_map(np.eye(6, dtype=np.float32), "pca").points.shape
    (6, 2)
    """
    spec = MAPS.get(kind)
    settings, seed, job = resolve(spec.params, params, 0), check_seed(seed), job or Job()
    missing = spec.refusal()
    if missing:
        raise NotApplicable(missing)
    if dimensions not in (2, 3):
        raise InvalidParam(f"A map has 2 or 3 dimensions. Got {str(dimensions)[:60]}.")
    job.expect(job.done + spec.count_steps(settings) + QUALITY_STEPS)
    selected, values, notes = _select_values(data, rows, seed)
    layout = spec.place(values, dimensions, settings, seed, job)
    return _judge(values, selected, layout, kind, settings, seed, notes, job)


def _judge(
    values: Float32,
    rows: Int64,
    layout: Layout,
    kind: str,
    params: Mapping[str, Value],
    seed: int,
    notes: tuple[str, ...],
    job: Job[Any],
) -> Map:
    """Return the map of a layout with its trustworthiness."""
    value = compute_trustworthiness(values, layout.points, seed, job, QUALITY_STEPS)
    sentence = describe_trustworthiness(value, len(rows))
    return Map(layout.points, rows, kind, params, seed, value, sentence, layout.kl, (*notes, *layout.notes))


def _select_values(data: Float32, rows: npt.ArrayLike | None, seed: int) -> tuple[Int64, Float32, tuple[str, ...]]:
    """Return the rows of the map, a float32 copy of their values, and notes. Raises InvalidParam."""
    selected = check_rows(rows, len(data))
    notes: list[str] = []
    if len(selected) > MAX_POINTS:
        sample, note = stratified(np.zeros(len(selected), dtype=np.int64), MAX_POINTS, seed)
        selected = selected[sample]
        notes.append(note)
    values = np.ascontiguousarray(data[selected], dtype=np.float32)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        notes.append(f"{int((~finite).sum()):,} pictures that could not be read are not on the map.")
        selected, values = selected[finite], values[finite]
    if len(selected) < MIN_POINTS:
        raise InvalidParam(
            f"A map needs at least {MIN_POINTS} pictures. Got {len(selected)}. Choose more, or a larger set."
        )
    if not np.ptp(values, axis=0).any():
        raise InvalidParam(
            "All these pictures have the same numbers, so there is nothing to spread out. "
            "Choose others, or another layer."
        )
    return selected, values, tuple(notes)


def stratified(labels: npt.ArrayLike, count: int, seed: int = 0) -> tuple[Int64, str]:
    """Return at most `count` row numbers, ascending, in which every label (N,) has its share to within one, and a note.

    Within a label rows are drawn at random; the note is empty where all fit. Raises InvalidParam.

    >>> stratified([0, 0, 0, 0, 1, 1], 3)[0].shape
    (3,)
    """
    labels = np.asarray(labels)
    total = len(labels)
    if count < 1:
        raise InvalidParam(f"At least 1 picture must be drawn. Got {count}.")
    if total <= count:
        return np.arange(total), ""
    rng = np.random.default_rng(check_seed(seed))
    by_label = np.lexsort((rng.permutation(total), labels))
    # Evenly spaced places in the order of labels hit each label by its share, up or down to a whole number.
    places = (np.arange(count) * total + rng.integers(total)) // count
    shares = ", each label with its share" if np.ptp(labels) else ""
    note = f"The map shows {count:,} of {total:,} pictures, drawn at random{shares}: more would take too long."
    return np.sort(by_label[places]), note


class PerplexityChoice(NamedTuple):
    """Perplexities that give different maps of so many pictures, and what has become of the others."""

    requested: tuple[float, ...]
    effective: tuple[float, ...]
    """The perplexities in force: those requested, the last one capped where the pictures are too few."""
    note: str
    """A sentence on the cap; empty where there is none."""


def choose_perplexities(count: int, perplexities: Sequence[float] = PERPLEXITIES) -> PerplexityChoice:
    """Return the perplexities of maps of `count` pictures, ascending, of those above the cap only the first.

    >>> choose_perplexities(60).requested
    (5.0, 15.0, 30.0)
    >>> choose_perplexities(1000).note
    ''
    """
    effective: dict[float, float] = {}
    for perplexity in sorted(perplexities):
        effective.setdefault(tsne.limit_perplexity(perplexity, count)[0], perplexity)
    highest = max(effective)
    above = [f"{perplexity:g}" for perplexity in sorted(perplexities) if perplexity > highest]
    note = f"{count} pictures allow a perplexity of {highest:.1f} at most: it stands for {join_words(above)}."
    return PerplexityChoice(tuple(effective.values()), tuple(effective), note if above else "")


def small_multiples(
    data: Float32,
    perplexities: Sequence[float] = PERPLEXITIES,
    seeds: Sequence[int] = (0, 1),
    rows: npt.ArrayLike | None = None,
    job: Job[Any] | None = None,
    params: Mapping[str, object] | None = None,
) -> list[Map]:
    """Return t-SNE maps of the same pictures, one for each seed and perplexity, seeds in the outer order.

    Structure that is the same in all of them may be real. The points start by chance, since from PCA all seeds would
    give one picture; `params` may say otherwise. Components and neighbours are computed once. Raises as `make_map`.
    """
    spec, job = MAPS.get("tsne"), job or Job()
    requests = [
        (resolve(spec.params, {"start": "random", **(params or {}), "perplexity": perplexity}, 0), check_seed(seed))
        for seed in seeds
        for perplexity in perplexities
    ]
    if not requests:
        raise InvalidParam("At least one perplexity and one seed are needed. Got none.")
    first_seed = requests[0][1]
    selected, values, notes = _select_values(data, rows, first_seed)
    steps = [spec.count_steps(settings) - tsne.PREPARATION_STEPS for settings, _ in requests]
    job.expect(job.done + tsne.PREPARATION_STEPS + sum(steps) + QUALITY_STEPS * len(steps))
    components, reduction_notes = reduce_columns(values, first_seed)
    highest = max(float(settings["perplexity"]) for settings, _ in requests)
    widest, _ = tsne.limit_perplexity(highest, len(values))
    table = neighbour_table(components, max(int(3 * widest), 1), job, tsne.PREPARATION_STEPS)
    maps = []
    for settings, seed in requests:
        layout = tsne.place_with_neighbours(components, table, 2, settings, seed, job)
        layout = replace(layout, notes=(*reduction_notes, *layout.notes))
        maps.append(_judge(values, selected, layout, "tsne", settings, seed, notes, job))
    return maps
