"""What the pages about maps call: maps made in the background, shared by all who ask for the same, and kept for a while."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float32, Int64
from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.projection.kinds.spec import MAPS, Map
from xai_core.imageset.projection.maps import MAX_POINTS, PERPLEXITIES, make_map, small_multiples, stratified
from xai_core.imageset.projection.pixels import read_pixels
from xai_core.imageset.rows import check_rows
from xai_core.imageset.sets.library import find_set
from xai_core.params import check_seed, resolve

if TYPE_CHECKING:
    from xai_core.imageset.runs.outputs import ModelOutputs

FEW_POINTS = 2_000
"""Points of each of several small maps: more could not be seen, and take long."""
_POOL = JobPool("maps", workers=1, quick_workers=1, keep=32, timeout=CLOSED_TAB_S)
"""One long map at a time, since it uses all cores. A map is small: 20,000 points are 400 KB."""
_QUICK = 1.0


def start_map(
    of: ModelOutputs | ImageSet,
    kind: str = "tsne",
    dimensions: int = 2,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    rows: npt.ArrayLike | None = None,
    session_id: str = "",
) -> Job[Map]:
    """Make a map in the background: the job to watch, by its `key`. Of a pass: what the model made of the pictures; of a set: their pixels.

    Equal requests share one job. `rows` None: all that could be read, above 20,000 a sample with each label's share, said in the notes.
    Raises UnknownName, InvalidParam.
    """
    chosen, seed = resolve(MAPS.get(kind).params, params, 0), check_seed(seed)
    used, said = _rows(of, rows, MAX_POINTS, seed)

    def work(job: Job[Map]) -> Map:
        return _with_note(make_map(_data(of, job), kind, dimensions, chosen, seed, used, job), said)

    key = _key(of, used, kind, dimensions, chosen, seed)
    return _POOL.start(key, work, _QUICK if kind == "pca" else len(used), session_id, _bytes(of, len(used)))


def start_multiples(
    of: ModelOutputs | ImageSet,
    perplexities: Sequence[float] = PERPLEXITIES,
    seeds: Sequence[int] = (0, 1),
    rows: npt.ArrayLike | None = None,
    session_id: str = "",
) -> Job[list[Map]]:
    """Several t-SNE maps of the same at most 2,000 pictures in the background, as `small_multiples` makes them. Raises as `start_map`."""
    used, said = _rows(of, rows, FEW_POINTS, check_seed(seeds[0]) if seeds else 0)

    def work(job: Job[list[Map]]) -> list[Map]:
        return [_with_note(each, said) for each in small_multiples(_data(of, job), perplexities, seeds, used, job)]

    key = _key(of, used, list(perplexities), list(seeds))
    return _POOL.start(key, work, 8 * len(used), session_id, _bytes(of, len(used)))


def _rows(of: ModelOutputs | ImageSet, rows: npt.ArrayLike | None, most: int, seed: int) -> tuple[Int64, str]:
    """The rows asked for that could be read, at most so many, each label with its share; and a sentence where some were left out."""
    imageset = of if isinstance(of, ImageSet) else find_set(of.set_id)
    count = len(of) if isinstance(of, ImageSet) else len(of.valid)
    asked = np.unique(check_rows(rows, count))
    if not isinstance(of, ImageSet):
        asked = asked[np.asarray(of.valid)[asked]]
    labels = imageset.labels[asked] if imageset is not None else np.zeros(len(asked), dtype=np.int64)
    drawn, said = stratified(labels, most, seed)
    return asked[drawn], said


def _data(of: ModelOutputs | ImageSet, job: Job[Any]) -> Float32:
    return read_pixels(of, job=job) if isinstance(of, ImageSet) else of.mean


def _with_note(made: Map, said: str) -> Map:
    return replace(made, notes=(said, *made.notes)) if said else made


def _key(of: ModelOutputs | ImageSet, rows: Int64, *chosen: object) -> str:
    """Names a request by everything that decides the map."""
    source = ("pixels" if isinstance(of, ImageSet) else "pass", of.id)
    text = json.dumps([source, hashlib.sha256(rows.tobytes()).hexdigest(), chosen])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _bytes(of: ModelOutputs | ImageSet, count: int) -> int:
    """The rows themselves, a copy with their mean taken off, and blocks of distances."""
    width = 3072 if isinstance(of, ImageSet) else of.mean.shape[1]
    return 3 * 4 * count * width + 64 * 2**20
