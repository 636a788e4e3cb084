"""Masks from maps: the strongest part of a map, and the probability of a class as that part grows.

Hiding it is the deletion curve, keeping it alone the insertion curve. Source: Petsiuk, Das and Saenko, "RISE" (BMVC
2018, arXiv:1806.07421).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, Float32
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.models.classifier import Classifier
from xai_core.what_if.hide import SURROUNDINGS, make_hider

# Shares of the picture that the slider offers.
SHARES = tuple(step / 20 for step in range(1, 20))


@dataclass(frozen=True)
class ThresholdCurve:
    """Probability of one class, by the share of the picture that is painted: hidden, and kept alone."""

    label: str
    whole: float
    """For the whole picture."""
    shares: tuple[float, ...]
    when_hidden: tuple[float, ...]
    when_alone: tuple[float, ...]
    """NaN where the share selects nothing."""


def select_strongest(heatmap: Float32, share: float) -> Bool:
    """Return where a map (H, W) is strongest, at most `share` of its pixels; True is evidence for.

    Equal values are taken together or not at all, so that no order of pixels decides.
    """
    values = np.nan_to_num(np.asarray(heatmap, dtype=np.float64), nan=-np.inf)
    if not 0 <= share <= 1:
        raise InvalidParam(f"The share of the picture must be from 0 to 1. Got {share:g}.")
    count = int(share * values.size)
    if count >= values.size:
        return np.ones(values.shape, dtype=bool)
    # The strongest value that is no longer in: all above it are fewer than allowed.
    limit = np.partition(values.ravel(), values.size - 1 - count)[values.size - 1 - count]
    strongest: Bool = values > limit
    return strongest


def follow_threshold(
    model: Classifier,
    image: Image.Image,
    heatmap: Float32,
    target: int,
    filling: str = SURROUNDINGS,
    seed: int = 0,
    shares: Sequence[float] = SHARES,
    job: Job[Any] | None = None,
) -> ThresholdCurve:
    """Return the probability of a class as the strongest part of a map grows, once hidden and once kept alone.

    Raises:
        InvalidParam: the map has another size than the model's picture.
        Cancelled: the job was cancelled.
    """
    if heatmap.shape != (model.side, model.side):
        raise InvalidParam(f"The map must be as large as the model's picture, {model.side} × {model.side} pixels.")
    job, forward, steps = job or Job(), forward_for(model), model.preprocessing
    job.expect(1 + 2 * len(shares))
    pixels = steps.to_pixels(steps.model_input(image))
    hider = make_hider(pixels, filling, seed)
    parts = [select_strongest(heatmap, share) for share in shares]

    def measure(picture: Float32) -> float:
        probability = float(forward(steps.to_tensor(picture).to(model.device), job)[0].softmax(0)[target])
        job.tick(1)
        return probability

    # A flat part hides nothing, and kept alone it leaves nothing to see.
    when_hidden = tuple(measure(hider(part)) for part in parts)
    when_alone = tuple(measure(hider(~part)) if part.any() else float("nan") for part in parts)
    whole = measure(pixels)
    return ThresholdCurve(
        model.labels[target], whole, tuple(float(part.mean()) for part in parts), when_hidden, when_alone
    )
