"""Why did the model say that? A thin, checked layer over Captum: the same names in the dashboard, a notebook and the command line."""

from __future__ import annotations

from xai_core.errors import Cancelled, InvalidImage, InvalidParam, ModelUnavailable, NotApplicable, UnknownName, XaiError
from xai_core.images import SAMPLES, read_image
from xai_core.methods import METHODS, compare, explain, predict, start, warm
from xai_core.models import MODELS, load_model
from xai_core.results import Attribution, Check, Prediction

__all__ = [
    "METHODS",
    "MODELS",
    "SAMPLES",
    "Attribution",
    "Cancelled",
    "Check",
    "InvalidImage",
    "InvalidParam",
    "ModelUnavailable",
    "NotApplicable",
    "Prediction",
    "UnknownName",
    "XaiError",
    "compare",
    "explain",
    "load_model",
    "predict",
    "read_image",
    "start",
    "warm",
]
