"""Does a map with a special rule for rectifiers differ from the plain gradient at all?

On a network whose activations are none, or that a tool fails to see, such a map is the plain gradient under another name.
"""

from __future__ import annotations

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence

SAME = 1e-4
CLOSE = 0.05


def run(evidence: Evidence) -> Check | None:
    """Red up to a relative difference of 1e-4, amber up to 5 %; None above, and where the method has no such rule."""
    difference = evidence.details.get("guided_difference")
    if difference is None or difference > CLOSE:
        return None
    if difference <= SAME:
        sentence = "This map is identical to the plain gradient: its special rule found nothing to act on. Do not read it as more."
        return Check("guided_difference", "red", sentence, difference)
    sentence = f"This map differs from the plain gradient by only {100 * difference:.1f} %: read it as a gradient."
    return Check("guided_difference", "amber", sentence, difference)


CHECKS.add(CheckSpec("guided_difference", run))
