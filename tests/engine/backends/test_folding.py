"""Folding norms away: the same gradients as the network, in every layout that norms come in."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.zoo_networks import zoo_model
from xai_core.engine.backends.folding import fold_network
from xai_core.models.isolation import isolate


def results(private: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    own = x.clone().requires_grad_(True)
    score = private(own)[:, -1].sum()
    return score.detach(), torch.autograd.grad(score, own)[0]


def norms(module: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "googlenet", "mobilenet_v3_large", "efficientnet_lite0"])
def test_a_folded_network_computes_the_same_gradients(name: str) -> None:
    module = isolate(
        zoo_model(name).module
    ).double()  # in single precision a rounding error at a kink may choose the other slope
    x = torch.rand(1, 3, 224, 224, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    before = {key: value.clone() for key, value in module.state_dict().items()}
    private = fold_network(module, x)
    assert norms(module) > 0 and norms(private) == 0
    if name == "resnet18":
        assert sum(isinstance(part, nn.Identity) for part in private.modules()) == norms(module), (
            "all of them follow a convolution"
        )
    score, gradient = results(isolate(module), x)
    folded_score, folded_gradient = results(private, x)
    assert (score - folded_score).abs() <= 1e-9 * score.abs()
    assert (gradient - folded_gradient).norm() <= 1e-9 * gradient.norm()
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items()), (
        "the shared network is as it was"
    )


class Knotted(nn.Module):
    """Layers that must not be folded: an output that is used twice, a convolution called twice, a norm on another's
    sum.
    """

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
    private = fold_network(module, x)
    (score, gradient), (folded_score, folded_gradient) = results(isolate(module), x), results(private, x)
    assert (score - folded_score).abs() <= 1e-9 * score.abs()
    assert (gradient - folded_gradient).norm() <= 1e-9 * gradient.norm()


class Standardised(nn.Conv2d):
    """A convolution that does more than its settings say."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return nn.functional.conv2d(x, weight, self.bias)


class Points(nn.Module):
    """Convolutions of one pixel of every kind, read by a forward of its own, too."""

    def __init__(self, kind: type[nn.Conv2d] = nn.Conv2d) -> None:
        super().__init__()
        self.plain, self.same = nn.Conv2d(3, 8, 1, bias=False), nn.Conv2d(8, 8, 1, padding="same")
        self.grouped, self.strided, self.padded = (
            nn.Conv2d(8, 8, 1, groups=2),
            nn.Conv2d(8, 8, 1, 2),
            nn.Conv2d(8, 8, 1, padding=1),
        )
        self.special = kind(8, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.same(torch.relu(self.plain(x))))
        y = self.strided(self.padded(torch.relu(self.grouped(y))))
        return torch.relu(self.special(nn.functional.conv2d(y, self.same.weight))).sum((2, 3))


@pytest.mark.parametrize("kind", [nn.Conv2d, Standardised])
@pytest.mark.parametrize("size", [(2, 2), (9, 6)])
def test_a_convolution_of_one_pixel_is_a_product(kind: type[nn.Conv2d], size: tuple[int, int]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = Points(kind).eval().double()
    x = torch.rand(2, 3, *size, dtype=torch.double, generator=torch.Generator().manual_seed(2))
    private = fold_network(module, x)
    known = {name for name, part in private.named_modules() if type(part) is not nn.Conv2d and name}
    assert known == ({"plain", "same", "special"} if kind is nn.Conv2d else {"special"}), (
        "one that is special leaves all as they were"
    )
    for own in (x, x.to(memory_format=torch.channels_last)):
        (score, gradient), (ours, our_gradient) = results(isolate(module), own), results(private, own)
        assert (score - ours).abs() <= 1e-12 * score.abs()
        assert gradient.norm() > 0 and (gradient - our_gradient).norm() <= 1e-12 * gradient.norm()
