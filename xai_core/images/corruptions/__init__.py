"""Corruptions, one file each; importing this package registers them all."""

import sys

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption
from xai_core.registry import discover

discover(sys.modules[__name__])

__all__ = ["CORRUPTIONS", "Corruption"]
