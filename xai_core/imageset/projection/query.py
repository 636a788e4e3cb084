"""Numbers of one picture that belongs to no set, like those of a set: so that it can be placed among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from xai_core.arrays import Float32
from xai_core.engine.backends.forward import forward_with_features
from xai_core.engine.backends.with_features import WithFeatures
from xai_core.engine.jobs import Job
from xai_core.images import Picture
from xai_core.imageset.projection.pixels import pixel_row
from xai_core.imageset.runs.inference import choose_layer
from xai_core.imageset.thumbnails import make_thumbnail
from xai_core.models.classifier import Classifier


def describe_picture(
    picture: Picture, model: Classifier, layer: str | None = None, job: Job[Any] | None = None
) -> Float32:
    """Return the pooled features of a layer (None: the recommended one), (C,): a row of `ModelOutputs.mean`.

    Raises as `run_model` does.
    """
    target_layer = choose_layer(model, layer)
    inputs = torch.tensor(model.preprocessing.input_bytes(picture)[None])
    rows = forward_with_features(model, target_layer)(inputs, job)
    features: Float32 = WithFeatures.from_rows(rows, target_layer.channels).mean[0].numpy()
    return features


def describe_pixels(picture: Picture, side: int = 32) -> Float32:
    """Return the pixels of one picture, (3·side²,) in 0..1: a row of `read_pixels`."""
    return pixel_row(np.asarray(make_thumbnail(picture)), side)
