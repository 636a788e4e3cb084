"""Does the simple stand-in say what the model says?

The weighted R² of the surrogate on its own samples; Ribeiro et al. 2016, arXiv:1602.04938, section 3.4 on local fidelity.
"""

from __future__ import annotations

from xai_core.results import Check
from xai_core.trust._base import CHECKS, CheckSpec, Evidence

GOOD, POOR = 0.6, 0.3


def run(evidence: Evidence) -> Check | None:
    """Green from R² 0.6, amber from 0.3, red below; None where there is no surrogate."""
    fit = evidence.details.get("surrogate_r2")
    if fit is None:
        return None
    share = f"{max(100 * fit, 0):.0f} % of what the model does near this picture"
    if fit >= GOOD:
        return Check("surrogate_fit", "green", f"The simple stand-in explains {share}.", fit)
    if fit >= POOR:
        return Check("surrogate_fit", "amber", f"The simple stand-in explains only {share}: read it with care.", fit)
    return Check("surrogate_fit", "red", f"The simple stand-in explains only {share}: do not rely on this map.", fit)


CHECKS.add(CheckSpec("surrogate_fit", run))
