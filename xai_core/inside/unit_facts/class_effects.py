"""Effect of one channel on every class, measured by hiding it in the pictures that excite it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from xai_core.arrays import Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.errors import InvalidParam
from xai_core.inside.feature_maps import run_from_layer
from xai_core.inside.visualization.pooled_features import BATCH, Pictures, prepare_batch
from xai_core.models.classifier import Classifier


@dataclass(frozen=True, eq=False)
class ClassEffects:
    """Mean fall of each class's logit when the channel is set to zero, (classes,), over so many pictures."""

    values: Float64
    pictures: int

    def strongest(self, sign: int, count: int = 5) -> Int64:
        """Return the classes that the channel adds most to (sign 1) or takes most from (-1); none without effect."""
        order = np.argsort(-sign * self.values, kind="stable")[:count]
        return np.asarray(order[sign * self.values[order] > 0])


def class_effects(
    model: Classifier, layer: str, channel: int, pictures: Pictures, job: Job[Any] | None = None
) -> ClassEffects:
    """Return what a channel adds to each class in pictures, by the difference that hiding it makes.

    `job` counts forward passes. Raises InvalidParam, UnknownName, Cancelled.
    """
    record, job = model.layer(layer), job or Job()
    if not 0 <= channel < record.channels or not len(pictures):
        raise InvalidParam(
            f"The layer {record.name!r} has channels 0 to {record.channels - 1}, and at least one picture is needed. "
            f"Got channel {channel} and {len(pictures)} pictures."
        )
    job.expect(job.done + 2 * len(pictures))
    total = np.zeros(len(model.labels))
    for first in range(0, len(pictures), BATCH):
        inputs = prepare_batch(model, pictures, first)
        with SCHEDULER.slot(job, 2 * len(inputs)), torch.no_grad():
            plain, maps = run_from_layer(model, record, inputs)
            # In the last call of the layer, whose maps go on to the answer.
            hidden, _ = run_from_layer(model, record, inputs, (np.full(len(inputs), channel), len(maps)))
        total += (plain - hidden).double().sum(0).cpu().numpy()
        job.tick(2 * len(inputs))
    return ClassEffects(total / len(pictures), len(pictures))
