"""The filters of the first convolution: what the network looks for in every small patch of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from xai_core.arrays import Bool, Float32, Float64
from xai_core.errors import NotApplicable
from xai_core.inside.layer_table import layer_table
from xai_core.models.classifier import Classifier

# Share of a filter's variation along one direction from which it counts as an edge, and of colour in its energy from
# which it counts as a colour filter.
MIN_DIRECTION, MIN_COLOUR = 0.8, 0.5
# Below this share of its energy, the variation of a filter is none: it is flat.
_MIN_VARIATION = 0.1
_RANDOM_FILTERS = 500
_ANGLES = 24


@dataclass(frozen=True, eq=False)
class Filters:
    """The first convolution's weights, (F, C, rows, columns), and which of them look like edges or colours."""

    layer: str
    values: Float32
    edges: Bool
    """Filters that change along one direction only, (F,): edges and stripes, of light or of colour."""
    colours: Bool
    """Filters that compare colours rather than light and dark, (F,)."""
    random_edges: float
    """Share of filters of random numbers, of the same size, that pass as edges."""


def first_filters(model: Classifier) -> Filters:
    """Return the filters of the first convolution that sees the picture. Raises NotApplicable where there is none.

    >>> from xai_core import load_model
    >>> first_filters(load_model("small_cnn")).values.shape
    (4, 1, 3, 3)
    """
    modules = dict(model.module.named_modules())
    channels = model.preprocessing.channels
    for row in layer_table(model):
        module = modules.get(row.name)
        if isinstance(module, nn.Conv2d) and module.in_channels == channels and module.groups == 1:
            values = module.weight.detach().float().cpu().numpy().copy()
            values.flags.writeable = False
            noise = np.random.default_rng(0).normal(size=(_RANDOM_FILTERS, *values.shape[1:]))
            edges, random_edges = (_direction_shares(filters) > MIN_DIRECTION for filters in (values, noise))
            return Filters(row.name, values, edges, _colour_shares(values) > MIN_COLOUR, float(random_edges.mean()))
    raise NotApplicable(f"{model.title} has no first convolution whose filters could be drawn as small pictures.")


def _colour_shares(filters: Float32 | Float64) -> Float64:
    """Return the share of each filter's energy that differs between the channels, (F,)."""
    grey = filters.mean(1, keepdims=True)
    energy = np.square(filters).sum((1, 2, 3))
    shares: Float64 = np.square(filters - grey).sum((1, 2, 3)) / np.maximum(energy, 1e-12)
    return shares.astype(np.float64)


def _direction_shares(filters: Float32 | Float64) -> Float64:
    """Return how far each filter changes along one direction only, (F,): 1 a straight edge or stripe, 0 flat.

    The share of its variation that a curve of third degree along the best of some directions reproduces, in the best
    mixture of its colours.
    """
    count, channels, rows, columns = filters.shape
    pixels = filters.reshape(count, channels, -1).astype(np.float64)
    varying = pixels - pixels.mean(2, keepdims=True)
    variation, energy = np.square(varying).sum((1, 2)), np.square(pixels).sum((1, 2))
    _, sizes, patterns = np.linalg.svd(varying, full_matrices=False)
    main = sizes[:, :1] * patterns[:, 0]
    down, across = (axis.ravel() for axis in np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j])
    best = np.zeros(count)
    for angle in np.linspace(0, np.pi, _ANGLES, endpoint=False):
        along = across * np.cos(angle) + down * np.sin(angle)
        basis, _ = np.linalg.qr(np.stack([along**degree for degree in range(4)], axis=1))
        best = np.maximum(best, np.square(main @ basis[:, 1:]).sum(1))
    shares: Float64 = best / np.maximum(variation, 1e-12)
    return np.where(variation > _MIN_VARIATION * energy, shares, 0.0)
