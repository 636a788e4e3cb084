"""Attacks on pictures, one file each; importing this package registers them all."""

from __future__ import annotations

import sys

from xai_core.attacks.base.spec import ATTACKS, AttackSpec
from xai_core.attacks.run.attack import EPSILON, AttackPlan, attack, plan_attack, start_attack, strength_param
from xai_core.attacks.run.attacked import Attacked
from xai_core.attacks.run.consequences import (
    Answer,
    MapChange,
    compare_maps,
    smallest_epsilon,
    try_as_jpeg,
    try_on_bundled_models,
    try_on_models,
)
from xai_core.attacks.run.wording import describe_attack, list_findings
from xai_core.registry import discover

discover(sys.modules[__name__])

__all__ = [
    "ATTACKS",
    "EPSILON",
    "Answer",
    "AttackPlan",
    "AttackSpec",
    "Attacked",
    "MapChange",
    "attack",
    "compare_maps",
    "describe_attack",
    "list_findings",
    "plan_attack",
    "smallest_epsilon",
    "start_attack",
    "strength_param",
    "try_as_jpeg",
    "try_on_bundled_models",
    "try_on_models",
]
