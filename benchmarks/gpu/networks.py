"""The networks of the proof, each on the CPU and on the device: the bundled ones, and three architectures of the zoo.

The zoo's have seeded random weights, so that nothing is downloaded.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torchvision.models import get_model

import xai_core
from xai_core.models.cache import use_full_precision
from xai_core.models.classifier import Classifier, Preprocessing

BUNDLED = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "small_cnn")
ZOO = ("resnet18", "convnext_tiny", "vit_b_16")
SIDE = 224
_SEED = 7


@dataclass(frozen=True)
class Pair:
    """One network on the CPU and on the device."""

    name: str
    cpu: Classifier
    device: Classifier


def load_pairs(device: torch.device, quick: bool) -> Iterator[Pair]:
    """Yield the networks one after the other; only the smallest if `quick`."""
    for name in ("small_cnn",) if quick else BUNDLED:
        yield Pair(name, xai_core.load_model(name, "cpu"), xai_core.load_model(name, device))
    for name in () if quick else ZOO:
        cpu = _build_zoo_network(name)
        yield Pair(name, _wrap(name, cpu, torch.device("cpu")), _wrap(name, copy.deepcopy(cpu).to(device), device))


def _wrap(name: str, module: nn.Module, device: torch.device) -> Classifier:
    use_full_precision(device)
    module = module.eval().requires_grad_(False)
    steps = Preprocessing(256, SIDE, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    labels = tuple(f"class {number}" for number in range(1000))
    return Classifier(name, name, "benchmark", module, steps, labels, f"seed {_SEED} of {name}", device, None)


def _build_zoo_network(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(_SEED)
        module: nn.Module = get_model(name, weights=None)
        for part in module.modules():
            # Torchvision starts the head of ViT at zero, where every map is flat.
            if isinstance(part, nn.Linear) and not part.weight.any():
                nn.init.normal_(part.weight, std=0.1)
        # Norms take the statistics of noise: with fresh ones activations vanish or explode.
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = None
        with torch.no_grad():
            module.train()(torch.rand(4, 3, SIDE, SIDE) * 2 - 1)
    return module
