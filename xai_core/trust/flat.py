"""Does the map distinguish any place from any other?"""

from __future__ import annotations

import numpy as np

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence


def run(evidence: Evidence) -> Check | None:
    """Amber where all values are equal, green on any other map; None where not all of them are numbers."""
    values = evidence.values
    if not np.isfinite(values).all():
        return None
    if float(np.ptp(values)) > 0:
        return Check(
            "flat",
            "green",
            "The map is not empty: every value is a number, and some places count for more than others.",
        )
    return Check(
        "flat", "amber", f"The map is empty: it found no place that counts for {evidence.label} more than another.", 0.0
    )


CHECKS.add(CheckSpec("flat", run))
