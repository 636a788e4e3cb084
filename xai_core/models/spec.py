"""The declaration of a model, as data, before it is loaded; `MODELS` collects them from the family files."""

from __future__ import annotations

import threading
from collections import OrderedDict
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
    fingerprint: str = ""
    """Part of the hash of an own model: two may have the same weights and other classes."""
    build: Callable[[Progress | None], Built]
    """Loads the network. Raises ModelUnavailable where the weights are missing, broken or out of reach."""


# Own models are small: their weights, or a head on a bundled network.
MAX_OWN_MODELS = 512


class ModelRegistry(Registry[ModelSpec]):
    """The bundled and fetched models, which everybody sees, and own ones, which visitors have made.

    `get` and `in` know an own model by its name, which nobody can guess; iteration, `len` and `specs` leave it out.
    """

    def __init__(self) -> None:
        super().__init__("model")
        self._own: OrderedDict[str, ModelSpec] = OrderedDict()
        self._lock = threading.Lock()

    def put_own(self, spec: ModelSpec) -> ModelSpec:
        """Keep an own model; beyond MAX_OWN_MODELS the one used longest ago is dropped."""
        with self._lock:
            self._own[spec.name] = spec
            self._own.move_to_end(spec.name)
            while len(self._own) > MAX_OWN_MODELS:
                self._own.popitem(last=False)
        return spec

    def is_own(self, name: object) -> bool:
        """Return True for a model that a visitor has made."""
        return name in self._own

    def get(self, name: str) -> ModelSpec:
        with self._lock:
            spec = self._own.get(name) if isinstance(name, str) else None
            if spec is not None:
                self._own.move_to_end(name)
                return spec
        return super().get(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self.is_own(name)


MODELS = ModelRegistry()
