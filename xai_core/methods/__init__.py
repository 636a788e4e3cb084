"""The attribution methods, one file each; importing this package registers them all."""

from __future__ import annotations

import sys

from xai_core.methods._base import METHODS, MethodSpec
from xai_core.methods._run import (
    Plan,
    TargetLike,
    compare,
    engine_note,
    explain,
    leave,
    plan,
    predict,
    start,
    start_model,
    warm,
)
from xai_core.registry import discover

discover(sys.modules[__name__])

__all__ = [
    "METHODS",
    "MethodSpec",
    "Plan",
    "TargetLike",
    "compare",
    "engine_note",
    "explain",
    "leave",
    "plan",
    "predict",
    "start",
    "start_model",
    "warm",
]
