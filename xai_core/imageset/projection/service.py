"""Maps in the background: equal requests share one job, and finished maps are kept for a while."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float32, Int64
from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.projection.kinds import MAPS
from xai_core.imageset.projection.maps import MAX_POINTS, PERPLEXITIES, make_map, small_multiples, stratified
from xai_core.imageset.projection.pixels import read_pixels
from xai_core.imageset.projection.spec import Map
from xai_core.imageset.rows import check_rows
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.imageset.sets.library import find_set
from xai_core.params import check_seed, resolve

# Points of each of several small maps: more could not be seen, and take long.
MAX_MULTIPLES_POINTS = 2_000
# One long map at a time, since it uses all cores. A map is small: 20,000 points are 400 KB.
_POOL = JobPool("maps", workers=1, quick_workers=1, keep=32, timeout=CLOSED_TAB_S)


def start_map(
    source: ModelOutputs | ImageSet,
    kind: str = "tsne",
    dimensions: int = 2,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    rows: npt.ArrayLike | None = None,
    session_id: str = "",
) -> Job[Map]:
    """Make a map in the background: of a run's pooled features, or of the pixels of a set. Equal requests share a job.

    `rows` None: all valid ones, above 20,000 a sample with each label's share, as the notes of the map say.

    Raises:
        UnknownName: if there is no such kind.
        InvalidParam: if a parameter, the seed or a row is not allowed.

    >>> from xai_core.imageset import load_set
    >>> start_map(load_set("digits"), "pca", rows=range(10)).wait().points.shape
    (10, 2)
    """
    spec, seed = MAPS.get(kind), check_seed(seed)
    values = resolve(spec.params, params, 0)
    selected, note = _select_rows(source, rows, MAX_POINTS, seed)

    def work(job: Job[Map]) -> Map:
        return _add_note(make_map(_read_data(source, job), kind, dimensions, values, seed, selected, job), note)

    key = _key(source, selected, kind, dimensions, values, seed)
    return _POOL.start(key, work, spec.cost(len(selected)), session_id, _estimate_bytes(source, len(selected)))


def start_multiples(
    source: ModelOutputs | ImageSet,
    perplexities: Sequence[float] = PERPLEXITIES,
    seeds: Sequence[int] = (0, 1),
    rows: npt.ArrayLike | None = None,
    session_id: str = "",
) -> Job[list[Map]]:
    """Make `small_multiples` of at most 2,000 pictures in the background. Raises as `start_map`."""
    selected, note = _select_rows(source, rows, MAX_MULTIPLES_POINTS, check_seed(seeds[0]) if seeds else 0)

    def work(job: Job[list[Map]]) -> list[Map]:
        maps = small_multiples(_read_data(source, job), perplexities, seeds, selected, job)
        return [_add_note(made_map, note) for made_map in maps]

    key = _key(source, selected, list(perplexities), list(seeds))
    return _POOL.start(key, work, 8 * len(selected), session_id, _estimate_bytes(source, len(selected)))


def _select_rows(
    source: ModelOutputs | ImageSet, rows: npt.ArrayLike | None, max_rows: int, seed: int
) -> tuple[Int64, str]:
    """Return the valid rows, at most `max_rows` with each label's share, and a sentence if some were left out."""
    if isinstance(source, ImageSet):
        dataset: ImageSet | None = source
        candidates = np.unique(check_rows(rows, len(source)))
    else:
        dataset = find_set(source.set_id)
        candidates = np.unique(check_rows(rows, len(source.valid)))
        candidates = candidates[np.asarray(source.valid)[candidates]]
    labels = dataset.labels[candidates] if dataset is not None else np.zeros(len(candidates), dtype=np.int64)
    sample, note = stratified(labels, max_rows, seed)
    return candidates[sample], note


def _read_data(source: ModelOutputs | ImageSet, job: Job[Any]) -> Float32:
    return read_pixels(source, job=job) if isinstance(source, ImageSet) else source.mean


def _add_note(made_map: Map, note: str) -> Map:
    return replace(made_map, notes=(note, *made_map.notes)) if note else made_map


def _key(source: ModelOutputs | ImageSet, rows: Int64, *settings: object) -> str:
    """Return a key made of everything that decides the map."""
    origin = ("pixels" if isinstance(source, ImageSet) else "pass", source.id)
    text = json.dumps([origin, hashlib.sha256(rows.tobytes()).hexdigest(), settings])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _estimate_bytes(source: ModelOutputs | ImageSet, count: int) -> int:
    """Return the bytes of the rows, of their copy without the mean, and of blocks of distances."""
    width = 3072 if isinstance(source, ImageSet) else source.mean.shape[1]
    return 3 * 4 * count * width + 64 * 2**20
