"""Where in a picture a channel found what it answers to."""

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

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the seen picture's sides, 0..1."""


def activated_region(
    found: ModelOutputs,
    row: int,
    channel: int,
    share: float = 0.5,
    imageset: Pictures | None = None,
    model: Classifier | None = None,
    job: Job[Any] | None = None,
) -> Box:
    """The part of the seen picture that a channel answers to: around its maximum, all places that reach `share` of it and touch.

    By a fresh forward of that one picture. A channel that is nowhere positive marks only the place of its maximum. The part is as
    coarse as the layer's grid, and what the channel looked at may reach beyond it. `imageset` and `classifier` are looked up where they
    are not given. `job` is whose turn it is. Raises InvalidParam, UnknownName, Cancelled, and what opening the picture raises.
    """
    check_index("picture", row, len(found))
    check_index("channel", channel, found.mean.shape[1])
    if not 0 < share <= 1:
        raise InvalidParam(f"The share of the maximum must be above 0 and at most 1. Got {str(share)[:60]}.")
    reader, model = reader_of(found, imageset, model)
    with SCHEDULER.slot(job):
        maps = logits_and_maps(model.module, model.layer(found.layer), reader.input(row).to(model.device))[1]
    return box_around(maps[0, channel].cpu().numpy(), share)


def box_around(values: Float32, share: float) -> Box:
    """Around the maximum of a map (rows, columns), the cells above `share` of it that hang together by sides."""
    top = np.unravel_index(int(values.argmax()), values.shape)
    high = values >= share * values[top]
    if values[top] <= 0:
        high = np.zeros_like(high)
    high[top] = True
    pieces, _ = label(high)
    rows, columns = np.nonzero(pieces == pieces[top])
    height, width = values.shape
    left, top, right, bottom = (
        columns.min() / width,
        rows.min() / height,
        (columns.max() + 1) / width,
        (rows.max() + 1) / height,
    )
    return float(left), float(top), float(right), float(bottom)
