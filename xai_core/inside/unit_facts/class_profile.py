"""Profile of a class: mean contributions of channels and of parts over pictures of the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_core.arrays import Float, Float64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.inside.head import head_layer, read_head, target_weights
from xai_core.inside.parts import Parts, explain_parts
from xai_core.inside.visualization.pooled_features import Pictures
from xai_core.methods.run.explain import TargetLike, resolve_target
from xai_core.models.classifier import Classifier


@dataclass(frozen=True, eq=False)
class ClassChannels:
    """Mean contribution of every channel of the last layer to a class's logit, (F,), and its weight, (F,)."""

    values: Float64
    weights: Float64
    layer: str | None
    pictures: int


def class_channels(
    model: Classifier, target: TargetLike, features: Float, job: Job[Any] | None = None
) -> ClassChannels:
    """Return weight times mean of each channel, from pooled features (n, F) of pictures of the class.

    Raises NotApplicable (the network does not end in one linear layer) and InvalidParam (no picture, other features).
    """
    resolved = resolve_target(model, target)
    head = read_head(model, model.zero_input, job)
    if resolved is None or not len(features) or features.shape[1] != head.weight.shape[1]:
        raise InvalidParam(
            f"A class and at least one picture of it with {head.weight.shape[1]} features are needed. "
            f"Got an array of shape {np.shape(features)}."
        )
    weights, _ = target_weights(head, resolved)
    return ClassChannels(features.mean(0, dtype=np.float64) * weights, weights, head_layer(model), len(features))


def class_parts(
    model: Classifier, target: TargetLike, parts: Parts, pictures: Pictures, job: Job[Any] | None = None
) -> Float64:
    """Return what each part adds to a class's logit on average over pictures of the class, (K,). `job` counts them.

    Raises as `explain_parts` does, and InvalidParam without a picture.
    """
    if not len(pictures):
        raise InvalidParam("At least one picture of the class is needed. Got none.")
    job = job or Job()
    job.expect(job.done + len(pictures))
    total = np.zeros(len(parts.directions))
    for number in range(len(pictures)):
        total += explain_parts(model, pictures[number], parts, target, job).values
        job.tick(1)
    return total / len(pictures)
