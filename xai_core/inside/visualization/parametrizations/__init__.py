"""Ways to write a picture as numbers to optimize, one file each; importing this package registers them."""

from __future__ import annotations

import sys

from xai_core.registry import discover

discover(sys.modules[__name__])
