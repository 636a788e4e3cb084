"""Pictures of a set that some channels of several layers answer to most, found in one pass over the set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from xai_core.engine.jobs import Job
from xai_core.errors import XaiError
from xai_core.imageset.analysis.region import Box, box_around
from xai_core.imageset.image_set import ImageSet
from xai_core.inside.feature_maps import activations
from xai_core.inside.visualization.pooled_features import read_pooled_features
from xai_core.models.classifier import Classifier

# Share of the largest value that the framed places reach.
FRAMED_SHARE = 0.5


class Favourite(NamedTuple):
    """Row of a picture, the channel's largest value in it, and the box where the channel responds."""

    row: int
    value: float
    box: Box


@dataclass(frozen=True)
class _SetPictures:
    """Pictures of a set by row; one that cannot be read is black, and its row is noted."""

    dataset: ImageSet
    unread: set[int] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int, /) -> Image.Image:
        try:
            return self.dataset.open(index)
        except XaiError:
            self.unread.add(index)
            return Image.new("RGB", (64, 64))


def find_favourites(
    model: Classifier, dataset: ImageSet, channels: Mapping[str, int], k: int = 4, job: Job[Any] | None = None
) -> dict[str, Sequence[Favourite]]:
    """Return for one channel of each layer the k pictures with its largest values, the largest first.

    Nothing is stored: where a whole layer is wanted, `run_model` keeps its values. Raises UnknownName, InvalidParam or
    Cancelled.
    """
    own, pictures = job or Job(), _SetPictures(dataset)
    layers = [model.layer(name) for name in channels]
    own.expect(len(dataset))
    peaks = read_pooled_features(model, layers, pictures, own, pool="max")
    favourites: dict[str, Sequence[Favourite]] = {}
    for layer, (name, channel) in zip(layers, channels.items(), strict=True):
        values = peaks[layer.name][:, channel].numpy().copy()
        values[list(pictures.unread)] = -np.inf
        rows = np.argsort(-values, kind="stable")[: min(k, len(values) - len(pictures.unread))].tolist()
        favourites[name] = [
            Favourite(row, float(values[row]), _find_box(model, dataset.open(row), name, channel, own)) for row in rows
        ]
    return favourites


def _find_box(model: Classifier, picture: Image.Image, layer: str, channel: int, job: Job[Any]) -> Box:
    return box_around(activations(model, picture, layer, job).values[channel], FRAMED_SHARE)
