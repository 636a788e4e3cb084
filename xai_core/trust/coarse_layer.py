"""Is the layer's grid fine enough to point at anything small?"""

from __future__ import annotations

import numpy as np

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence

FEWEST = 5
"""Places a side. Below it, one place covers more than a twenty-fifth of the picture."""


def run(evidence: Evidence) -> Check | None:
    """Amber for a grid under 5 x 5; None for a finer one, for methods without a layer, and for a map that singles out nothing."""
    rows, columns = (int(evidence.details.get(f"grid_{side}", FEWEST)) for side in ("rows", "columns"))
    if min(rows, columns) >= FEWEST or np.ptp(evidence.values) == 0:
        return None
    sentence = (
        f"This layer has only {rows} × {columns} places: it cannot point at anything small. An earlier layer is finer."
    )
    return Check("coarse_layer", "amber", sentence, float(min(rows, columns)))


CHECKS.add(CheckSpec("coarse_layer", run))
