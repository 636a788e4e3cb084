"""Maps of shaken pictures, brought back on the original picture and compared with its own map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from scipy.stats import spearmanr

from xai_core.arrays import Bool, Float32, Float64
from xai_core.engine.jobs import Job, PartJob
from xai_core.images.reading import Picture
from xai_core.methods import TargetLike, explain
from xai_core.models.classifier import Classifier
from xai_core.models.framing import frame_for_upload
from xai_core.params import check_seed
from xai_core.shakes.base.spec import SHAKES
from xai_core.trust.map_agreement import average_places

# Share of a place that both pictures must show, and fewest places, for a comparison.
_MIN_SHARE, _MIN_PLACES = 0.5, 16


@dataclass(frozen=True, eq=False)
class ShakenMap:
    """The map of one shaken picture."""

    value: float
    words: str
    """The value in words."""
    picture: Picture
    """The shaken picture as the model sees it."""
    heatmap: Float32
    """Its map, (H, W), in its own frame."""
    restored: Float32
    """The map in the original frame, (H, W); 0 outside `common`."""
    common: Bool
    """Places of the original that the shaken picture shows too, (H, W)."""
    is_exact: bool
    """True if no value had to be interpolated on the way back."""
    rank: float
    """Spearman's rank correlation with the map of the picture as it is, in the common area; NaN if one is flat."""


def shake_maps(
    model: Classifier,
    image: Image.Image,
    shake: str,
    values: Sequence[float],
    method: str,
    target: TargetLike = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> tuple[ShakenMap, ...]:
    """Explain one class (None: the top one of the picture as it is) on shaken pictures, and bring the maps back.

    The first map is that of the picture as it is. Both maps of a comparison are averaged over places of the common
    grain, so that a map of single pixels can be compared. Raises what `explain` raises, and InvalidParam for a value
    that is no step of the shake.
    """
    spec, seed, job = SHAKES.get(shake), check_seed(seed), job or Job()
    checked = [spec.check(value) for value in values]
    job.expect(1 + len(checked))
    original = explain(model, image, method, target, seed=seed, job=PartJob(job))
    job.tick(1)
    heat, steps = original.heatmap, model.preprocessing
    seen, everywhere = steps.model_input(image), np.ones(heat.shape, dtype=np.bool_)
    maps = [ShakenMap(0.0, "as it is", seen, heat, heat, everywhere, True, 1.0)]
    for value in checked:
        picture = spec.apply(seen, value, seed)
        # The methods take a picture of any size, which the model would resize and crop once more.
        upload = frame_for_upload(model, image, steps.to_bytes(picture))
        shaken = explain(model, upload, method, original.target, seed=seed, job=PartJob(job)).heatmap
        frame = spec.find_frame(seen.width, value, seed)
        restored, common = (shaken, everywhere) if frame is None else frame.restore(shaken)
        rank = correlate_maps(heat, restored, common)
        is_exact = frame is None or frame.is_exact
        maps.append(ShakenMap(value, spec.describe(value), picture, shaken, restored, common, is_exact, rank))
        job.tick(1)
    return tuple(maps)


def correlate_maps(first: Float32, second: Float32, common: Bool) -> float:
    """Return Spearman's rank correlation of two maps (H, W) over the places that are mostly in the common area.

    NaN where a map is flat there, or where too few places are left.
    """
    # Places at the border of the common area are averaged over what both show.
    shares = average_places(common.astype(np.float64))
    is_shared = shares >= _MIN_SHARE
    if is_shared.sum() < _MIN_PLACES:
        return float("nan")

    def average(values: Float32) -> Float64:
        places: Float64 = average_places(np.where(common, values, 0).astype(np.float64))[is_shared] / shares[is_shared]
        return places

    places = [average(values) for values in (first, second)]
    if any(np.ptp(values) == 0 or not np.isfinite(values).all() for values in places):
        return float("nan")
    return float(spearmanr(*places).statistic)
