"""Check on a visualization: from which layer on does the network treat it unlike the photographs its unit likes?

Made pictures may excite a unit on a path that no photograph takes (Geirhos et al. 2024, arXiv:2306.04719).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from PIL import Image

from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.inside.visualization.pooled_features import read_pooled_features
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer

MAX_LAYERS = 16
MIN_PICTURES = 3
ALIKE = 0.5
# Layers that tell both groups of photographs apart by less in the cosine have nothing to say.
MIN_CONTRAST = 0.1


@dataclass(frozen=True)
class PhotographCheck:
    """Likeness of a picture to the photographs that a unit likes, by layer: 1 like one of them, 0 like others."""

    layers: tuple[str, ...]
    likeness: tuple[float, ...]
    limit: float = ALIKE
    """Below it the network treats the picture more like other photographs."""

    @property
    def first_unlike(self) -> str | None:
        """The layer from which on the likeness stays below the limit; None if it is above in the last one."""
        first = None
        for layer, likeness in zip(reversed(self.layers), reversed(self.likeness), strict=True):
            if likeness >= self.limit:
                break
            first = layer
        return first


def choose_layers(model: Classifier) -> tuple[Layer, ...]:
    """Return at most MAX_LAYERS layers, evenly over the depth of the network."""
    layers = model.offered_layers
    count = min(len(layers), MAX_LAYERS)
    return tuple(layers[(number + 1) * len(layers) // count - 1] for number in range(count))


def compare_with_photographs(
    model: Classifier,
    picture: Image.Image,
    liked: Sequence[Image.Image],
    others: Sequence[Image.Image],
    job: Job[Any] | None = None,
) -> PhotographCheck:
    """Compare a made picture with photographs that its unit likes and with others, layer by layer.

    Cosines are those of maps averaged over places, less the mean of all photographs. Layers that do not tell both
    groups apart are left out.

    Raises InvalidParam for fewer than three photographs of either kind.
    """
    if min(len(liked), len(others)) < MIN_PICTURES:
        raise InvalidParam(
            f"At least {MIN_PICTURES} photographs of each kind are needed to compare with. "
            f"Got {len(liked)} and {len(others)}."
        )
    layers, own = choose_layers(model), job or Job()
    pictures = [picture, *liked, *others]
    own.expect(len(pictures))
    features = read_pooled_features(model, layers, pictures, own)
    results = []
    for layer in layers:
        values = features[layer.name]
        # What all photographs have in common would make everything look alike.
        unit_vectors = F.normalize(values - values[1:].mean(0), dim=1)
        own_vector, good, bad = unit_vectors.split([1, len(liked), len(others)])
        among = good @ good.T
        same = float((among.sum() - among.trace()) / (len(good) * (len(good) - 1)))
        different, likeness = float((good @ bad.T).mean()), float((own_vector @ good.T).mean())
        if same - different >= MIN_CONTRAST:
            results.append((layer.name, (likeness - different) / (same - different)))
    return PhotographCheck(tuple(name for name, _ in results), tuple(value for _, value in results))
