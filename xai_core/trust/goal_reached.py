"""Did the search for a smallest part end with one that changes the answer, or only run out of rounds?"""

from __future__ import annotations

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence


def run(evidence: Evidence) -> Check | None:
    """Green with the part's share of the picture where it was enough, amber where it was not; None for methods that search for none."""
    reached, area = evidence.details.get("reached"), evidence.details.get("area")
    if reached is None or area is None:
        return None
    share = f"{100 * area:.0f} % of the picture"
    if reached:
        return Check("goal_reached", "green", f"These pieces, {share}, are enough to decide the answer.", area)
    return Check(
        "goal_reached", "amber", f"Even these pieces, {share}, did not decide the answer: allow more pieces.", area
    )


CHECKS.add(CheckSpec("goal_reached", run))
