"""Is every value of the map a number?"""

from __future__ import annotations

import numpy as np

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence


def run(evidence: Evidence) -> Check | None:
    """Red with the count of values that are not finite; None on a sound map."""
    broken = int(np.count_nonzero(~np.isfinite(evidence.values)))
    if not broken:
        return None
    return Check(
        "finite",
        "red",
        f"{broken} values of this map are not numbers: the computation broke down. Do not use it.",
        float(broken),
    )


CHECKS.add(CheckSpec("finite", run))
