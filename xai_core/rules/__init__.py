"""Backward rules: replacements for the derivative of some functions while a gradient is computed."""

from __future__ import annotations

from xai_core.rules.base import RectifierRule
from xai_core.rules.deconvolution import Deconvolution
from xai_core.rules.deep_lift import DeepLift, Lift
from xai_core.rules.guided import Guided
from xai_core.rules.lrp_rules import Composite
from xai_core.rules.redirected import Redirected
from xai_core.rules.relevance import Relevance

__all__ = ["Composite", "Deconvolution", "DeepLift", "Guided", "Lift", "RectifierRule", "Redirected", "Relevance"]
