"""Shakes: harmless changes of a picture, one file each, and what they do to the answer and to its explanation.

Importing this package registers them all.
"""

from __future__ import annotations

import sys

from xai_core.registry import discover
from xai_core.shakes.base.spec import GROUPS, SHAKES, Shake
from xai_core.shakes.run.curves import Curve, Point, shake_all, shake_picture
from xai_core.shakes.run.maps import ShakenMap, shake_maps
from xai_core.shakes.run.mixes import Mix, Mixes, mix_shakes
from xai_core.shakes.run.wording import describe_curve, describe_mixes, describe_restored_maps, describe_weakest

discover(sys.modules[__name__])

__all__ = [
    "GROUPS",
    "SHAKES",
    "Curve",
    "Mix",
    "Mixes",
    "Point",
    "Shake",
    "ShakenMap",
    "describe_curve",
    "describe_mixes",
    "describe_restored_maps",
    "describe_weakest",
    "mix_shakes",
    "shake_all",
    "shake_maps",
    "shake_picture",
]
