"""Why did the model say that? A thin, checked layer over Captum: the same names in the dashboard, a notebook and the command line."""

from __future__ import annotations

from xai_core import threads  # noqa: F401  # first: before torch is loaded
from xai_core.engine.jobs import Job
from xai_core.errors import (
    Cancelled,
    InvalidImage,
    InvalidParam,
    ModelUnavailable,
    NotApplicable,
    UnknownName,
    XaiError,
)
from xai_core.images import SAMPLES, image_sha256, read_image
from xai_core.methods import (
    METHODS,
    MethodSpec,
    Plan,
    Status,
    TargetLike,
    compare,
    engine_note,
    explain,
    find,
    find_picture,
    forget_picture,
    guess,
    keep_picture,
    leave,
    leave_models,
    plan,
    predict,
    ready,
    start,
    start_model,
    status,
    stop,
    store_note,
    warm,
    watch,
    watch_model,
)
from xai_core.methods._cards import method_card
from xai_core.models import MODELS, load_model
from xai_core.models.classifier import Classifier
from xai_core.results import Attribution, Check, Prediction
from xai_core.trust import Agreement, agreement

__all__ = [
    "METHODS",
    "MODELS",
    "SAMPLES",
    "Agreement",
    "Attribution",
    "Cancelled",
    "Check",
    "Classifier",
    "InvalidImage",
    "InvalidParam",
    "Job",
    "MethodSpec",
    "ModelUnavailable",
    "NotApplicable",
    "Plan",
    "Prediction",
    "Status",
    "TargetLike",
    "UnknownName",
    "XaiError",
    "agreement",
    "compare",
    "engine_note",
    "explain",
    "find",
    "find_picture",
    "forget_picture",
    "guess",
    "image_sha256",
    "keep_picture",
    "leave",
    "leave_models",
    "load_model",
    "method_card",
    "plan",
    "predict",
    "read_image",
    "ready",
    "start",
    "start_model",
    "status",
    "stop",
    "store_note",
    "warm",
    "watch",
    "watch_model",
]
