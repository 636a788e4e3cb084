"""Where in a picture a channel found what it answers to."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

from xai_core.engine.scheduler import SCHEDULER
from xai_core.engine.tapped import maps_of
from xai_core.errors import InvalidParam, UnknownName
from xai_core.imageset._pass import Pass
from xai_core.imageset._reading import Pictures, Reader
from xai_core.imageset.corruptions import corrupted
from xai_core.imageset.sets import find_set
from xai_core.models import load_model
from xai_core.models.classifier import Classifier
from xai_core.results import Floats

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the seen picture's sides, 0..1."""


def reader_of(found: Pass, imageset: Pictures | None = None, classifier: Classifier | None = None) -> tuple[Reader, Classifier]:
    """What opens the pictures of a pass as they were run, and its model; looked up where they are not given. Raises UnknownName."""
    pictures, model = imageset or find_set(found.set_id), classifier or load_model(found.model)
    if pictures is None:
        raise UnknownName("This picture set is no longer kept on this computer. Choose or upload it again.")
    return Reader(pictures, model.preprocessing, corrupted(found.corruption)), model


def activated_region(
    found: Pass,
    row: int,
    channel: int,
    share: float = 0.5,
    imageset: Pictures | None = None,
    classifier: Classifier | None = None,
) -> Box:
    """The part of the seen picture that a channel answers to: around its maximum, all places that reach `share` of it and touch.

    By a fresh forward of that one picture. A channel that is nowhere positive marks only the place of its maximum. The part is as
    coarse as the layer's grid, and what the channel looked at may reach beyond it. `imageset` and `classifier` are looked up where they
    are not given. Raises InvalidParam, UnknownName, and what opening the picture raises.
    """
    for what, index, count in (("picture", row, len(found)), ("channel", channel, found.pooled.shape[1])):
        if not 0 <= index < count:
            raise InvalidParam(f"The {what} must be a whole number from 0 to {count - 1}. Got {str(index)[:60]}.")
    if not 0 < share <= 1:
        raise InvalidParam(f"The share of the maximum must be above 0 and at most 1. Got {str(share)[:60]}.")
    reader, model = reader_of(found, imageset, classifier)
    with SCHEDULER.turn():
        maps = maps_of(model.module, model.layer(found.layer), reader.input(row).to(model.device))[1]
    return box_around(maps[0, channel].cpu().numpy(), share)


def box_around(values: Floats, share: float) -> Box:
    """Around the maximum of a map (rows, columns), the cells above `share` of it that hang together by sides."""
    top = np.unravel_index(int(values.argmax()), values.shape)
    high = values >= share * values[top]
    if values[top] <= 0:
        high = np.zeros_like(high)
    high[top] = True
    pieces, _ = label(high)
    rows, columns = np.nonzero(pieces == pieces[top])
    height, width = values.shape
    return columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height
