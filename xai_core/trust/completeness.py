"""Do the shares add up to the change of the score, where the method promises that they do?

The completeness axiom of Sundararajan et al. 2017, arXiv:1703.01365.
"""

from __future__ import annotations

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence

GOOD, POOR = 0.01, 0.10


def run(evidence: Evidence) -> Check | None:
    """Green up to a gap of 1 % of f(x) - f(baseline), amber up to 10 %, red above; None where the method reports no gap."""
    gap = evidence.details.get("completeness_gap")
    if gap is None:
        return None
    percent = f"{100 * gap:.1f} %" if gap < 10 else "far more than 100 %"
    if gap <= GOOD:
        return Check("completeness", "green", f"The shares add up to the change of the score (off by {percent}).", gap)
    if gap <= POOR:
        return Check(
            "completeness", "amber", f"The shares miss the change of the score by {percent}: read them with care.", gap
        )
    return Check(
        "completeness", "red", f"The shares miss the change of the score by {percent}: do not rely on this map.", gap
    )


CHECKS.add(CheckSpec("completeness", run))
