"""The pointing game: does the strongest place of a map lie on a known object?

Zhang et al. 2018, arXiv:1608.00507, with a tolerance of about one place of the common grain.
"""

from __future__ import annotations

import numpy as np

from xai_core.arrays import Bool
from xai_core.results import Attribution
from xai_core.trust.map_agreement import average_places

# Share of a place, averaged like the map, that the object must cover.
MIN_COVER = 0.1


def points_at(attribution: Attribution, mask: Bool) -> bool | None:
    """Return whether the strongest place of a map lies on the object; `mask` is (H, W), True on it.

    None where the map is flat or has values that are not finite.
    """
    heat = attribution.heatmap.astype(np.float64)
    if not np.isfinite(heat).all() or np.ptp(heat) == 0:
        return None
    cover = average_places(mask.astype(np.float64))
    return bool(cover.flat[int(average_places(heat).argmax())] >= MIN_COVER)
