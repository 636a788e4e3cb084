"""Folding norms away: the same gradients as the network, in every layout that norms come in."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.networks import network
from xai_core.engine.folding import folded
from xai_core.engine.isolation import isolate


def results(private: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    own = x.clone().requires_grad_(True)
    score = private(own)[:, -1].sum()
    return score.detach(), torch.autograd.grad(score, own)[0]


def norms(module: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "googlenet", "mobilenet_v3_large", "efficientnet_lite0"])
def test_a_folded_network_computes_the_same_gradients(name: str) -> None:
    module = isolate(network(name).module).double()  # in single precision a rounding error at a kink may choose the other slope
    x = torch.rand(1, 3, 224, 224, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    before = {key: value.clone() for key, value in module.state_dict().items()}
    private = folded(module, x)
    assert norms(module) > 0 and norms(private) == 0
    if name == "resnet18":
        assert sum(isinstance(part, nn.Identity) for part in private.modules()) == norms(module), "all of them follow a convolution"
    score, gradient = results(isolate(module), x)
    folded_score, folded_gradient = results(private, x)
    assert (score - folded_score).abs() <= 1e-9 * score.abs()
    assert (gradient - folded_gradient).norm() <= 1e-9 * gradient.norm()
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items()), "the shared network is as it was"


class Knotted(nn.Module):
    """What must not be folded: an output that is used twice, a convolution called twice, a norm on another's sum."""

    def __init__(self) -> None:
        super().__init__()
        self.twice_used, self.twice_called = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 1)
        self.one, self.two, self.three = (nn.BatchNorm2d(3) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.twice_used(x)
        y = self.one(y) + y
        y = self.two(self.twice_called(self.twice_called(y)))
        return self.three(y + x).mean((2, 3))


def test_what_cannot_be_folded_is_left_right() -> None:
    generator = torch.Generator().manual_seed(4)
    module = Knotted().eval().double()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(generator=generator)
            part.running_var.uniform_(0.5, 3, generator=generator)
    x = torch.rand(1, 3, 8, 8, dtype=torch.double, generator=generator)
    private = folded(module, x)
    (score, gradient), (folded_score, folded_gradient) = results(isolate(module), x), results(private, x)
    assert (score - folded_score).abs() <= 1e-9 * score.abs()
    assert (gradient - folded_gradient).norm() <= 1e-9 * gradient.norm()
