"""One picture that belongs to no set, described as those of a set are: so that it can be placed among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from xai_core.engine.forward import forward_with
from xai_core.engine.jobs import Job
from xai_core.engine.with_features import Tapped
from xai_core.images import Picture
from xai_core.imageset.projection.pixels import small
from xai_core.imageset.runs.run import channels_of, chosen_layer
from xai_core.imageset.thumbnails import thumb
from xai_core.models.classifier import Classifier
from xai_core.results import Floats

__all__ = ["describe_picture", "describe_pixels"]


def describe_picture(
    picture: Picture, classifier: Classifier, layer: str | None = None, job: Job[Any] | None = None
) -> Floats:
    """What the layer (None: the recommended one) makes of one picture, (C,): a row as of `Pass.pooled`. Raises as `run_pass` does."""
    chosen = chosen_layer(classifier, layer)
    seen = torch.tensor(classifier.preprocessing.values(picture)[None])
    rows = forward_with(classifier, chosen)(seen, job)
    found: Floats = Tapped.of(rows, channels_of(chosen)).mean[0].numpy()
    return found


def describe_pixels(picture: Picture, side: int = 32) -> Floats:
    """The pixels of one picture, (3·side²,) in 0..1: a row as of `pixels`."""
    return small(np.asarray(thumb(picture)), side)
