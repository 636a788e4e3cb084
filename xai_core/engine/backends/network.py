"""The network that a backend runs, and the input that it is built with."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from xai_core.engine.backends.with_features import NetworkWithFeatures
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate
from xai_core.models.layers import Layer

# From a batch of inputs to rows of logits, (N, classes), or of logits and pooled features; float32 on the CPU.
Run = Callable[[torch.Tensor], torch.Tensor]


def network_to_run(model: Classifier, layer: Layer | None) -> nn.Module:
    """Return a private copy of the network, or with a layer one that adds this layer's pooled features."""
    return isolate(model.module) if layer is None else NetworkWithFeatures(model, layer)


def example_input(model: Classifier, layer: Layer | None = None) -> torch.Tensor:
    """Return a black picture as the network takes it: prepared, (1, C, H, W); with a layer as bytes, uint8 (1, H, W,
    C).
    """
    channels, side = model.preprocessing.channels, model.side
    if layer is None:
        return torch.zeros((1, channels, side, side))
    return torch.zeros((1, side, side, channels), dtype=torch.uint8)


def weight_bytes(model: Classifier) -> int:
    """Return the bytes of a network's weights."""
    return sum(weights.numel() * weights.element_size() for weights in model.module.parameters())
