"""Has the model an opinion at all that could be explained?"""

from __future__ import annotations

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence

UNSURE = 0.2
HARDLY = 0.01


def run(evidence: Evidence) -> Check | None:
    """Amber where the best class stays under 0.2, or the explained class under 0.01; None otherwise."""
    top, own = evidence.top_probability, evidence.probability
    if top < UNSURE:
        return Check(
            "model_unsure", "amber", f"The model itself is unsure: its best guess gets only {100 * top:.0f} %.", top
        )
    if own < HARDLY:
        sentence = f"The model gives {evidence.label} almost no score ({100 * own:.2g} %): this shows what little speaks for it."
        return Check("model_unsure", "amber", sentence, own)
    return None


CHECKS.add(CheckSpec("model_unsure", run))
