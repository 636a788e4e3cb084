"""Trust in a map: checks of one map, agreement of several."""

from xai_core.trust.checks import CHECKS, CheckSpec, Evidence, run_checks
from xai_core.trust.map_agreement import Agreement, agreement

__all__ = ["CHECKS", "Agreement", "CheckSpec", "Evidence", "agreement", "run_checks"]
