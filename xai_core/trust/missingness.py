"""Does the model see something in the picture that stands for "nothing to see"?

Jain et al. 2022, arXiv:2204.08945: a filling that looks like a class itself biases every map made by removing parts of the picture.
"""

from __future__ import annotations

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence

SEEN = 0.5


def run(evidence: Evidence) -> Check | None:
    """Amber where the best class of the empty picture gets 0.5 or more; None below, and for methods without an empty picture."""
    best = evidence.details.get("baseline_confidence")
    if best is None or best < SEEN:
        return None
    sentence = f"The model is {100 * best:.0f} % sure of a class in the empty picture too, so it is not empty to it: try another filling."
    return Check("missingness", "amber", sentence, best)


CHECKS.add(CheckSpec("missingness", run))
