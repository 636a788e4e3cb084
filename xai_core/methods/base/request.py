"""The request that a method's `run` is given: one call's own input, module and random numbers, and the evaluator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn

from xai_core.arrays import Float32
from xai_core.engine.evaluator import Evaluator
from xai_core.engine.jobs import Job
from xai_core.errors import NotApplicable
from xai_core.images import make_baseline
from xai_core.methods.base.previews import OfferPreview, make_no_preview
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate
from xai_core.models.layers import Layer
from xai_core.params import ParamReader, Value
from xai_core.results import Target


@dataclass(eq=False)
class Request(ParamReader):
    """One call of one method: nothing in it is shared with other calls except the weights under `module` and the
    engine.
    """

    model: Classifier
    pixels: Float32
    """The picture as the model sees it, (H, W, C) in 0..1."""
    x: torch.Tensor
    """The prepared picture, (1, C, H, W) on the model's device."""
    logits: torch.Tensor
    """Logits of the picture, (1, classes)."""
    target: Target
    layer: Layer | None
    params: Mapping[str, Value]
    evaluator: Evaluator
    job: Job[object]
    rng: np.random.Generator
    offer_preview: OfferPreview = make_no_preview
    """Takes a function that draws the map as far as it is known; called only if a preview is due."""
    baseline: torch.Tensor | None = None
    """The last baseline that the method asked for, (1, C, H, W): the class that the model sees in it is checked
    afterwards.
    """

    @cached_property
    def module(self) -> nn.Module:
        """A private copy of the network: hook it freely, it is thrown away with the request."""
        return isolate(self.model.module)

    @property
    def required_layer(self) -> Layer:
        """The layer to explain. Raises NotApplicable for a network without one."""
        if self.layer is None:
            raise NotApplicable(f"{self.model.title} has no layer that still knows where things are in the picture.")
        return self.layer

    @property
    def score(self) -> float:
        """The target's score for the picture itself."""
        return float(self.evaluator.select(self.logits)[0])

    def make_baseline(self, kind: str) -> torch.Tensor:
        """Return a picture without the evidence, prepared like the input: (1, C, H, W) on the model's device."""
        picture = make_baseline(self.pixels, kind, self.rng)
        self.baseline = self.model.preprocessing.to_tensor(picture).to(self.x.device)
        return self.baseline
