"""The attribution methods, one file each; importing this package registers them all."""

from __future__ import annotations

import sys

from xai_core.methods.base.spec import METHODS, MethodSpec
from xai_core.methods.run.explain import Plan, TargetLike, compare, engine_note, explain, plan, predict
from xai_core.methods.run.judge import describe_maps, judge
from xai_core.methods.run.service import (
    Status,
    delete_share,
    find,
    find_picture,
    find_share,
    find_shared_picture,
    forget_picture,
    guess,
    ready,
    share,
    start,
    start_model,
    status,
    store_note,
    warm,
)
from xai_core.registry import discover

discover(sys.modules[__name__])

__all__ = [
    "METHODS",
    "MethodSpec",
    "Plan",
    "Status",
    "TargetLike",
    "compare",
    "delete_share",
    "describe_maps",
    "engine_note",
    "explain",
    "find",
    "find_picture",
    "find_share",
    "find_shared_picture",
    "forget_picture",
    "guess",
    "judge",
    "plan",
    "predict",
    "ready",
    "share",
    "start",
    "start_model",
    "status",
    "store_note",
    "warm",
]
