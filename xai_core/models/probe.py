"""A place in a private copy of a network where a layer's maps can be read, and differentiated by."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from xai_core.models.layers import Layer


def probe_layer(module: nn.Module, layer: Layer) -> nn.Module:
    """Insert an identity module behind a layer of a private copy; its output is the activations (N, C, rows, columns).

    The graph starts at the layer: nothing before it needs a gradient, so the call costs little more than a forward
    pass. The rest of the network gets a clone, since it may overwrite the layer's output (ResNet adds its short cut in
    place).
    """
    probe = nn.Identity()

    def through_probe(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        leaf = output.detach().requires_grad_(True)
        return layer.from_maps(probe(layer.to_maps(leaf)), leaf).clone()

    module.get_submodule(layer.name).register_forward_hook(through_probe)
    return probe
