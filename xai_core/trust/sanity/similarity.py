"""Similarity of two maps: rank correlation of signed and of absolute values, and structural similarity (SSIM)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from scipy.stats import spearmanr

from xai_core.arrays import Float64
from xai_core.trust.map_agreement import average_places

# Places a side at which maps are compared: finer than regions, so that outlines stay outlines.
GRAIN = 56
MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "signed": "Order of places (Spearman)",
        "absolute": "Order of strengths, without signs (Spearman)",
        "structure": "Look of the map (SSIM)",
    }
)


def is_flat(heat: Float64) -> bool:
    """Return whether a map (H, W) is the same everywhere, or not a map of numbers at all."""
    return not np.isfinite(heat).all() or bool(np.ptp(heat) <= 1e-9 * np.abs(heat).max(initial=0.0))


def compare_heats(first: Float64, second: Float64) -> dict[str, float]:
    """Return the similarity of two maps (H, W) by each of MEASURES; NaN where one of them is flat.

    >>> heat = np.arange(64.0).reshape(8, 8)
    >>> {name: round(value, 3) for name, value in compare_heats(heat, heat).items()}
    {'signed': 1.0, 'absolute': 1.0, 'structure': 1.0}
    """
    if is_flat(first) or is_flat(second):
        return dict.fromkeys(MEASURES, float("nan"))
    # Here, because pages that only look for finished tests need none of it.
    from skimage.metrics import structural_similarity

    signed = [average_places(heat, GRAIN) for heat in (first, second)]
    sizes = [average_places(np.abs(heat), GRAIN) for heat in (first, second)]
    shown = [heat / np.abs(heat).max() for heat in sizes]
    # An odd window that fits the map.
    window = min(7, (min(shown[0].shape) - 1) // 2 * 2 + 1)
    alike = structural_similarity(*shown, data_range=1.0, win_size=window)  # type: ignore[no-untyped-call]
    return {"signed": _rank(*signed), "absolute": _rank(*sizes), "structure": float(alike)}


def _rank(first: Float64, second: Float64) -> float:
    # Absolute values of a map may be all the same.
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearmanr(first.ravel(), second.ravel()).statistic)
