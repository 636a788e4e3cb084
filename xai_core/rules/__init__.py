"""Other ways back through a network: rules that replace the derivative of some functions while a gradient is computed."""

from __future__ import annotations

from xai_core.rules._base import RectifierRule
from xai_core.rules.deconvolution import Deconvolution
from xai_core.rules.deep_lift import DeepLift, Lift
from xai_core.rules.guided import Guided
from xai_core.rules.relevance import Composite, Relevance

__all__ = ["Composite", "Deconvolution", "DeepLift", "Guided", "Lift", "RectifierRule", "Relevance"]
