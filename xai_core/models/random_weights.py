"""Random starting weights from a generator of their own; torch's layers draw theirs from the global one."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn


def initialize_network(build: Callable[[], nn.Module], generator: torch.Generator) -> nn.Module:
    """Return the network that `build` makes with He-uniform weights and zero biases, all drawn from `generator`."""
    with torch.device("meta"):
        module = build()
    module.to_empty(device="cpu")
    with torch.no_grad():
        for parameter in module.parameters():
            bound = math.sqrt(6 / parameter[0].numel()) if parameter.ndim > 1 else 0.0
            parameter.uniform_(-bound, bound, generator=generator)
    return module
