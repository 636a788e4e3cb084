"""One picture that belongs to no set, described as those of a set are: so that it can be placed among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from xai_core.arrays import Float32
from xai_core.engine.backends.forward import forward_with_features
from xai_core.engine.backends.with_features import WithFeatures
from xai_core.engine.jobs import Job
from xai_core.images import Picture
from xai_core.imageset.projection.pixels import small
from xai_core.imageset.runs.inference import choose_layer, count_channels
from xai_core.imageset.thumbnails import make_thumbnail
from xai_core.models.classifier import Classifier


def describe_picture(
    picture: Picture, model: Classifier, layer: str | None = None, job: Job[Any] | None = None
) -> Float32:
    """What the layer (None: the recommended one) makes of one picture, (C,): a row as of `Pass.pooled`. Raises as `run_pass` does."""
    chosen = choose_layer(model, layer)
    seen = torch.tensor(model.preprocessing.input_bytes(picture)[None])
    rows = forward_with_features(model, chosen)(seen, job)
    found: Float32 = WithFeatures.from_rows(rows, count_channels(chosen)).mean[0].numpy()
    return found


def describe_pixels(picture: Picture, side: int = 32) -> Float32:
    """The pixels of one picture, (3·side²,) in 0..1: a row as of `pixels`."""
    return small(np.asarray(make_thumbnail(picture)), side)
