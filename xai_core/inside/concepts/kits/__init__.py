"""Kits of ideas, one file each; importing this package registers them all."""

import sys

from xai_core.registry import discover

discover(sys.modules[__name__])
