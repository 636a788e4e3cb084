"""The declaration of a model, as data, before it is loaded; `MODELS` collects them from the family files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from xai_core.models.classifier import Preprocessing
from xai_core.models.weights import Progress, WeightsFile
from xai_core.registry import Registry

# A network with its weights, its preprocessing and its labels.
Built = tuple[nn.Module, Preprocessing, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One model: words for the page, facts for the engine, and how to build it."""

    name: str
    title: str
    sentence: str
    """One sentence for a visitor: what this network is."""
    family: str
    input_side: int
    """Side of the square input in pixels."""
    channels: int
    licence: str
    paper: str
    source: str
    """Origin of the weights."""
    bundled: bool
    """True if it works without a network connection after installation."""
    size_mb: float
    weights_file: WeightsFile | None = None
    """The file fetched on first use; None for bundled models."""
    prefer: str | None = None
    """Pattern for the name of the recommended layer; None leaves it to the structure."""
    wants_light_strokes: bool = False
    """True if it was trained on light strokes on a dark ground, so that ink on paper is to be inverted."""
    build: Callable[[Progress | None], Built]
    """Loads the network. Raises ModelUnavailable where the weights are missing, broken or out of reach."""


MODELS: Registry[ModelSpec] = Registry("model")
