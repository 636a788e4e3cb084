"""Tiny networks for the methods' oracles, and a layer's maps and gradients by plain autograd."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.zoo_networks import make_classifier, use_plain_torch
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate

SIDE, CLASSES = 16, 5


def seed_weights(module: nn.Module, seed: int = 5) -> nn.Module:
    """Draw the module's weights from this seed alone."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in module.parameters():
            fan = weight[0].numel() if weight.ndim > 1 else 8
            weight.copy_(torch.randn(weight.shape, generator=generator) * (2 / fan) ** 0.5)
    return module


class Linear(nn.Module):
    """Logits W x: every gradient is a row of W."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(CLASSES, 3 * SIDE * SIDE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) @ self.weight.T

    def row(self, target: int) -> np.ndarray:
        return self.weight[target].detach().numpy().reshape(3, SIDE, SIDE)


class Square(Linear):
    """Logits W x²: the gradient is 2 w x."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x * x)


class Conv(nn.Module):
    """Convolutions with rectifiers of three kinds (a reused in-place module, a function, ReLU6) and a linear head."""

    def __init__(self, bias: bool = True) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=bias)
        self.second = nn.Conv2d(8, 8, 3, padding=1, bias=bias)
        self.third = nn.Conv2d(8, 6, 3, padding=1, bias=bias)
        self.relu, self.last = nn.ReLU(inplace=True), nn.ReLU6()
        self.head = nn.Linear(6, CLASSES, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(self.relu(self.first(x)), 2)
        x = F.relu(self.second(self.relu(x)))
        return self.head(self.last(self.third(x)).mean((2, 3)))


class Channels(nn.Module):
    """Maps with the channels last, made by a linear layer on patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.mix, self.head = nn.Conv2d(3, 8, 2, 2), nn.Linear(8, 6), nn.Linear(6, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.mix(self.patches(x).permute(0, 2, 3, 1))
        return self.head(F.silu(x).square().mean((1, 2)))


class Tokens(nn.Module):
    """A class token before 16 patches, attention, and a head that reads the class token only."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, 8, 4, 4), nn.LayerNorm(8)
        self.attention, self.head = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, CLASSES)
        self.first = nn.Parameter(torch.empty(1, 1, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = self.norm(torch.cat([self.first.expand(len(x), -1, -1), x], dim=1))
        return self.head((x + self.attention(x, x, x, need_weights=False)[0])[:, 0])


def toy_model(module: nn.Module, seed: int = 5) -> Classifier:
    """Return a model with seeded weights, in plain torch with small batches."""
    return use_plain_torch(make_classifier(seed_weights(module, seed), SIDE, classes=CLASSES))


LAYERS = [(Conv, "third"), (Conv, "last"), (Conv, "relu"), (Channels, "mix"), (Tokens, "norm")]
"""A layer with negative values, one without, one that is called twice, one with the channels last, one of tokens."""


def maps_and_gradients_by_hand(model: Classifier, image, layer_name: str, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Return maps of the layer's last call and the logit's gradient by them, (C, rows, columns), in float64."""
    module, layer, outputs = isolate(model.module).double(), model.layer(layer_name), []

    def record(_module, _inputs, out):
        outputs.append(out)
        return out.clone()

    module.get_submodule(layer_name).register_forward_hook(record)
    score = module(model.prepare(image).double().requires_grad_(True))[0, target]
    (gradient,) = torch.autograd.grad(score, outputs[-1])
    return tuple(layer.to_maps(part)[0].detach().numpy() for part in (outputs[-1], gradient))


def upsample_to_picture(cam: np.ndarray, relu: bool = False) -> np.ndarray:
    """Upsample a map on the layer's grid to the picture."""
    raw = torch.from_numpy(np.maximum(cam, 0) if relu else cam)[None, None]
    return F.interpolate(raw, (SIDE, SIDE), mode="bilinear", align_corners=False)[0, 0].numpy()


def is_close(values: np.ndarray, expected: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Compare up to a share of the largest value, which must not be zero."""
    largest = np.abs(expected).max()
    return (
        values.shape == expected.shape and largest > 0 and bool(np.abs(values - expected).max() <= tolerance * largest)
    )
