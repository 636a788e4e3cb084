"""Relevance against the formulas written out in NumPy, gradient times input, zennit, and its own promise that nothing
gets lost.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import resnet18
from zennit.composites import EpsilonGammaBox, EpsilonPlusFlat
from zennit.torchvision import ResNetCanonizer, VGGCanonizer

from tests.toy_networks import SIDE, Channels, Conv, Tokens, seed_weights
from xai_core.models.isolation import isolate, out_of_place
from xai_core.rules import Composite, Relevance
from xai_core.rules.lrp_rules import AlphaBeta, Box, Epsilon, Flat, Gamma, Plus, Rule
from xai_core.rules.relevance import find_steps

LOW, HIGH = torch.full((1, 3, 1, 1), -2.0).double(), torch.full((1, 3, 1, 1), 2.0).double()
RULES = [Epsilon(0.1), Gamma(0.25), AlphaBeta(), Plus()]
MIXED = {
    "flat": Composite(Plus(), Epsilon(), first=lambda low, high: Flat((low < high).to(low.dtype)), norms_pass=True),
    "box": Composite(Gamma(0.25), Epsilon(), first=Box, norms_pass=True),
}


def everywhere(rule: Rule) -> Composite:
    return Composite(rule, rule)


def picture(side: int = SIDE, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed)).double() * 4 - 2


def relevance(module: nn.Module, x: torch.Tensor, composite: Composite, target: int = 1) -> tuple[torch.Tensor, float]:
    """The input's relevance and the score it shares out."""
    x = x.clone().requires_grad_(True)
    with out_of_place(), Relevance(composite, x, LOW.to(x), HIGH.to(x)):
        out = module(x)
    assert torch.allclose(out, isolate(module)(x.detach())), "the mode changed what the network says"
    start = torch.zeros_like(out)
    start[0, target] = out[0, target].detach()
    (result,) = torch.autograd.grad(out, x, start)
    return result.detach(), float(start.sum())


def private(module: nn.Module) -> nn.Module:
    return isolate(module.double().eval())


def one_layer(rule: Rule, weight: np.ndarray, bias: np.ndarray, x: np.ndarray, relevance: np.ndarray) -> np.ndarray:
    """A rule's formula, one unit after the other."""
    z = weight @ x + bias
    down = np.zeros_like(x)
    for k, part in enumerate(relevance):
        c = weight[k] * x
        up, against = c.clip(min=0), c.clip(max=0)
        if isinstance(rule, Epsilon):
            share = c / (z[k] + rule.epsilon * np.sqrt((z**2).mean()) * (1 if z[k] >= 0 else -1))
        elif isinstance(rule, Gamma):
            own, b = (up, max(bias[k], 0)) if z[k] > 0 else (against, min(bias[k], 0))
            share = (c + rule.gamma * own) / (z[k] + rule.gamma * (own.sum() + b))
        elif isinstance(rule, AlphaBeta):
            share = rule.alpha * up / (up.sum() or 1) - rule.beta * against / (against.sum() or 1)
        else:
            share = up / (up.sum() or 1)
        down += part * (share + (1 - share.sum()) * np.abs(x) / np.abs(x).sum())
    return down


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_two_layers_by_hand(rule):
    rng = np.random.default_rng(4)
    a, b, c, d = rng.normal(size=(7, 6)), rng.normal(size=7), rng.normal(size=(3, 7)), rng.normal(size=3)
    module, x = nn.Sequential(nn.Linear(6, 7), nn.ReLU(), nn.Linear(7, 3)).double(), rng.normal(size=6)
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), (a, b, c, d), strict=True):
            parameter.copy_(torch.from_numpy(value)).requires_grad_(False)
    hidden = np.maximum(a @ x + b, 0)
    start = np.where(np.arange(3) == 1, c @ hidden + d, 0)
    expected = one_layer(rule, a, b, x, one_layer(rule, c, d, hidden, start))
    own = torch.from_numpy(x)[None].requires_grad_(True)
    with Relevance(everywhere(rule), own, own.detach() - 1, own.detach() + 1):
        out = module(own)
    (result,) = torch.autograd.grad(out, own, torch.from_numpy(start)[None])
    assert 2 <= (hidden > 0).sum() < 7 and (x < 0).any()
    assert np.abs(result[0].numpy() - expected).max() <= 1e-6 * np.abs(expected).max()
    assert result.sum().item() == pytest.approx(start.sum(), rel=1e-6)


def test_without_biases_and_damping_it_is_gradient_times_input():
    module, x = private(seed_weights(Conv(bias=False))), picture()
    module.last.max_val = 1e9  # a ceiling would be a bias
    own = x.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(module(own)[0, 1], own)
    result, score = relevance(module, x, everywhere(Epsilon(0)))
    assert abs(score) > 0.01 and (result - gradient * x).norm() <= 1e-4 * result.norm()


def remove_biases(module: nn.Module) -> nn.Module:
    """Batch norms that scale and do not shift: what zennit leaves with biases is not in question here."""
    generator = torch.Generator().manual_seed(2)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_var.uniform_(0.5, 2, generator=generator)
            nn.init.uniform_(part.weight, 0.5, 1.5, generator=generator)
        elif getattr(part, "bias", None) is not None:
            nn.init.zeros_(part.bias)
    return module.double().eval()


def vgg_like() -> nn.Module:
    wide = [(3, 8), (8, 12), (12, 16)]
    blocks = [[nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2)] for a, b in wide]
    head = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 20), nn.ReLU(), nn.Linear(20, 10)]
    return nn.Sequential(*[part for block in blocks for part in block], *head)


def draw_network(make, seed: int = 3) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return remove_biases(make())


def residual() -> nn.Module:
    return resnet18(num_classes=10)


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize(
    ("make", "canonizer"), [(vgg_like, VGGCanonizer), (residual, ResNetCanonizer)], ids=["vgg", "resnet18"]
)
def test_it_is_zennit_where_there_is_no_bias(make, canonizer, name):
    x = picture(64).requires_grad_(True)
    options = {"epsilon": 1e-9, "stabilizer": 1e-9, "canonizers": [canonizer()]}
    theirs = EpsilonPlusFlat(**options) if name == "flat" else EpsilonGammaBox(low=LOW, high=HIGH, **options)
    with theirs.context(draw_network(make)) as changed:
        out = changed(x)
        (expected,) = torch.autograd.grad(out, x, out.detach() * (torch.arange(10) == 1))
    result, score = relevance(isolate(draw_network(make)), x.detach(), MIXED[name])
    assert abs(score) > 1e-3 and (result - expected).norm() <= 1e-4 * expected.norm()


class Branches(nn.Module):
    """Short cuts, gates, joins with constants, pads, in-place writes: what a list of modules does not show."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.deep, self.gate, self.alone = nn.Conv2d(6, 6, 3, groups=6), nn.Linear(6, 6), nn.BatchNorm2d(12)
        self.constant, self.head = nn.Parameter(torch.empty(1, 2, SIDE, SIDE)), nn.Linear(14, 4)

    def forward(self, x):
        x = F.hardswish(self.norm(self.first(x)))
        y = F.silu(self.deep(F.pad(x, (1, 1, 1, 1))), inplace=True)
        y *= torch.sigmoid(self.gate(x.mean((2, 3))))[..., None, None]
        y += x
        y = self.alone(torch.cat([y - 0.3 * x, F.avg_pool2d(x, 3, 1, 1) * y], dim=1)).relu_()
        return self.head(F.max_pool2d(torch.cat([self.constant, y], 1), 2).mean((2, 3)) / 2)


@pytest.mark.parametrize("toy", [Conv, Channels, Tokens, Branches])
@pytest.mark.parametrize(
    "rule", [*RULES, *MIXED], ids=lambda rule: rule if isinstance(rule, str) else type(rule).__name__
)
def test_nothing_gets_lost(toy, rule):
    composite = MIXED[rule] if isinstance(rule, str) else everywhere(rule)
    for seed in range(3):
        module = private(seed_weights(toy(), seed))
        assert any(parameter.ndim == 1 and parameter.abs().max() > 0.3 for parameter in module.parameters()), (
            "no bias to lose"
        )
        result, score = relevance(module, picture(seed=seed), composite, 2)
        assert abs(score) > 1e-4 and abs(float(result.sum()) - score) <= 1e-4 * abs(score)


def test_a_picture_of_zeros_holds_the_whole_score_too():
    for composite in (*MIXED.values(), everywhere(Epsilon(0.1))):
        result, score = relevance(private(seed_weights(Conv())), torch.zeros(1, 3, SIDE, SIDE).double(), composite)
        assert abs(score) > 1e-3 and float(result.sum()) == pytest.approx(score, rel=1e-6)


def test_modules_functions_methods_and_in_place_calls_are_one():
    convolution, x = nn.Conv2d(3, 3, 3, padding=1).double(), picture()
    shared = nn.ReLU(inplace=True)
    ways = [
        lambda y: F.relu(convolution(F.relu(convolution(y)))),
        lambda y: shared(convolution(shared(convolution(y)))),
        lambda y: convolution(convolution(y).relu_()).clamp_(min=0),
        lambda y: torch.relu_(convolution(torch.relu(input=convolution(y)))),
    ]

    class Way(nn.Module):
        def __init__(self, way) -> None:
            super().__init__()
            self.way = way

        def forward(self, y):
            return self.way(y).mean((2, 3))

    convolution.requires_grad_(False)
    result = [relevance(Way(way), x, MIXED["box"])[0] for way in ways]
    assert result[0].abs().max() > 0 and all(torch.equal(result[0], value) for value in result[1:])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_batch_norm_is_part_of_the_convolution_before_it(rule):
    convolution, norm = seed_weights(nn.Conv2d(3, 4, 3)), seed_weights(nn.BatchNorm2d(4))
    norm.running_mean.copy_(torch.tensor([-1.0, 0.5, 1.0, -0.5]))
    norm.running_var.copy_(torch.tensor([0.5, 2.0, 1.0, 1.5]))
    assert norm.weight.min() < 0 < norm.weight.max(), "a scale of one sign changes nothing for some rules"
    two = private(nn.Sequential(convolution, norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    fused = private(nn.Sequential(torch.nn.utils.fuse_conv_bn_eval(convolution.eval(), norm.eval()), *two[2:]))
    for composite in (everywhere(rule), Composite(rule, rule, norms_pass=True)):
        result, expected = (relevance(module, picture(), composite)[0] for module in (two, fused))
        assert expected.norm() > 0 and (result - expected).norm() <= 1e-4 * expected.norm()


def walk(forward) -> tuple[set[tuple[str, str]], set[str]]:
    x = picture().requires_grad_(True)
    rules = Relevance(everywhere(Epsilon()), x, LOW, HIGH)
    with rules:
        out = forward(x)
    return find_steps(out), rules.untraceable


def test_a_step_without_a_rule_is_named_only_where_relevance_would_pass():
    assert ("unknown", "cumsum") in walk(lambda x: x.cumsum(1).mean((2, 3)))[0]
    gate = walk(lambda x: x.mean((2, 3)) * torch.sigmoid(x.cumsum(1).mean((2, 3))))
    assert not [name for kind, name in gate[0] if kind == "unknown"]

    def write_in_place(x):
        y = x * 1
        y[:, 0] = y[:, 1]
        return y.mean((2, 3))

    assert walk(write_in_place)[1] == {"setitem"}


def test_eight_threads_do_not_meet():
    module, composites = private(seed_weights(Branches())), [*MIXED.values(), everywhere(Epsilon(0.1))]
    jobs = [(number % 3, number % 5) for number in range(60)]
    serial = {job: relevance(module, picture(seed=job[1]), composites[job[0]])[0] for job in jobs}
    with ThreadPoolExecutor(8) as pool:
        result = list(pool.map(lambda job: relevance(module, picture(seed=job[1]), composites[job[0]])[0], jobs))
    assert len({values.numpy().tobytes() for values in serial.values()}) == 15
    assert all(
        torch.allclose(values, serial[job], rtol=1e-9, atol=1e-12) for job, values in zip(jobs, result, strict=True)
    )
