"""May this map be trusted? Checks, one file each; importing this package registers them all."""

from __future__ import annotations

import sys

from xai_core.registry import discover
from xai_core.trust._agreement import Agreement, agreement
from xai_core.trust._base import CHECKS, CheckSpec, Evidence, run_checks

discover(sys.modules[__name__])

__all__ = ["CHECKS", "Agreement", "CheckSpec", "Evidence", "agreement", "run_checks"]
