"""Baselines: pictures that stand for "nothing to see".

Source: Sturmfels, Lundberg and Lee, "Visualizing the Impact of Feature Attribution Baselines" (Distill 2020,
doi:10.23915/distill.00022).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from scipy.ndimage import gaussian_filter

from xai_core.arrays import Float32
from xai_core.errors import UnknownName

BASELINES: Mapping[str, str] = MappingProxyType(
    {
        "black": "black",
        "grey": "middle grey",
        "mean": "the picture's own mean colour",
        "blur": "a strongly blurred copy of the picture",
        "noise": "random noise",
    }
)


def make_baseline(pixels: Float32, kind: str, rng: np.random.Generator) -> Float32:
    """Return a baseline for `pixels`: a new (H, W, C) float32 array in 0..1.

    The blur is Gaussian with a tenth of the shorter side as sigma; `rng` is drawn from for noise only.

    Raises:
        UnknownName: `kind` is not one of BASELINES.

    >>> make_baseline(np.zeros((2, 2, 3), np.float32), "grey", np.random.default_rng(0)).max()
    np.float32(0.5)
    """
    if kind == "mean":
        return np.full(pixels.shape, pixels.mean(axis=(0, 1), dtype=np.float64), dtype=np.float32)
    if kind == "blur":
        sigma = min(pixels.shape[:2]) / 10
        blurred = gaussian_filter(pixels.astype(np.float32), (sigma, sigma, 0), mode="reflect")
        return np.asarray(blurred, dtype=np.float32)
    if kind == "noise":
        return rng.random(pixels.shape, dtype=np.float32)
    if kind in ("black", "grey"):
        return np.full(pixels.shape, 0.0 if kind == "black" else 0.5, dtype=np.float32)
    raise UnknownName.of("baseline", kind, BASELINES)
