"""Metrics of one map, one file each; importing this package registers them all."""

from __future__ import annotations

import sys

from xai_core.registry import discover
from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec

discover(sys.modules[__name__])

__all__ = ["METRICS", "MetricRequest", "MetricSpec"]
