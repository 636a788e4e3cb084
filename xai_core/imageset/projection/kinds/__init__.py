"""Kinds of map, one file each; importing this package registers them all in MAPS."""

import sys

from xai_core.imageset.projection.spec import MAPS
from xai_core.registry import discover

__all__ = ["MAPS"]

discover(sys.modules[__name__])
