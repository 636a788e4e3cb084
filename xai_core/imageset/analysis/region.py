"""The part of a picture that a channel answers to."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import label

from xai_core.arrays import Float32
from xai_core.engine.backends.with_features import logits_and_maps
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.errors import InvalidParam
from xai_core.imageset.rows import check_index
from xai_core.imageset.runs.loader import Pictures
from xai_core.imageset.runs.model_input import reader_of
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.models.classifier import Classifier

# Left, top, right, bottom as shares of the sides of the model's input, 0..1.
Box = tuple[float, float, float, float]


def activated_region(
    run: ModelOutputs,
    row: int,
    channel: int,
    share: float = 0.5,
    dataset: Pictures | None = None,
    model: Classifier | None = None,
    job: Job[Any] | None = None,
) -> Box:
    """Return the box around a channel's maximum and all places that reach `share` of it and touch.

    By a new forward pass of that one picture. A channel that is nowhere positive marks only the place of its maximum.
    The box is as coarse as the layer's grid, and the channel's receptive field may reach beyond it. Set and model are
    looked up where not given. Raises InvalidParam, UnknownName, Cancelled, and what opening the picture raises.
    """
    check_index("picture", row, len(run))
    check_index("channel", channel, run.mean.shape[1])
    if not 0 < share <= 1:
        raise InvalidParam(f"The share of the maximum must be above 0 and at most 1. Got {str(share)[:60]}.")
    reader, model = reader_of(run, dataset, model)
    with SCHEDULER.slot(job):
        _, maps = logits_and_maps(model.module, model.layer(run.layer), reader.tensor(row).to(model.device))
    return box_around(maps[0, channel].cpu().numpy(), share)


def box_around(values: Float32, share: float) -> Box:
    """Return the box around the maximum of a map (rows, columns) and the cells above `share` of it joined by sides.

    >>> box_around(np.float32([[0, 0], [0, 1]]), 0.5)
    (0.5, 0.5, 1.0, 1.0)
    """
    top = np.unravel_index(int(values.argmax()), values.shape)
    high = values >= share * values[top]
    if values[top] <= 0:
        high = np.zeros_like(high)
    high[top] = True
    regions, _ = label(high)
    rows, columns = np.nonzero(regions == regions[top])
    height, width = values.shape
    left, right = columns.min() / width, (columns.max() + 1) / width
    return float(left), float(rows.min() / height), float(right), float((rows.max() + 1) / height)
