"""Does the map distinguish any place from any other?"""

from __future__ import annotations

import numpy as np

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence


def run(evidence: Evidence) -> Check | None:
    """Amber where all values are equal; None on any other map."""
    values = evidence.values
    if not np.isfinite(values).all() or float(np.ptp(values)) > 0:
        return None
    return Check("flat", "amber", f"The map is empty: it found no place that counts for {evidence.label} more than another.", 0.0)


CHECKS.add(CheckSpec("flat", run))
