"""Attacks on pictures, one file each; importing this package registers them all."""

from __future__ import annotations

import sys

from xai_core.attacks.base.spec import ATTACKS, AttackSpec
from xai_core.attacks.run.attack import EPSILON, AttackPlan, attack, plan_attack, start_attack
from xai_core.attacks.run.attacked import Attacked
from xai_core.attacks.run.consequences import Answer, smallest_epsilon, try_as_jpeg, try_on_models
from xai_core.registry import discover

discover(sys.modules[__name__])

__all__ = [
    "ATTACKS",
    "EPSILON",
    "Answer",
    "AttackPlan",
    "AttackSpec",
    "Attacked",
    "attack",
    "plan_attack",
    "smallest_epsilon",
    "start_attack",
    "try_as_jpeg",
    "try_on_models",
]
