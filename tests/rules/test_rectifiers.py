"""Backward rules against closed forms, Captum where it is right, and the plain gradient where the rule is the plain
one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from captum.attr import Deconvolution as CaptumDeconvolution, GuidedBackprop as CaptumGuided
from torch import nn
from torchvision.models import resnet18
from torchvision.models.vgg import cfgs, make_layers

from xai_core.models.isolation import isolate, out_of_place
from xai_core.rules import Deconvolution, Guided, RectifierRule, Redirected

WAYS = {
    "function": lambda x: F.relu(x),
    "function in place": lambda x: F.relu(x * 1, inplace=True),
    "module": lambda x: nn.ReLU()(x),
    "module in place": lambda x: nn.ReLU(inplace=True)(x * 1),
    "torch.relu": lambda x: torch.relu(input=x),
    "torch.relu_": lambda x: torch.relu_(x * 1),
    "method": lambda x: x.relu(),
    "method in place": lambda x: (x * 1).relu_(),
    "relu6": lambda x: F.relu6(x),
    "relu6 module": lambda x: nn.ReLU6(inplace=True)(x * 1),
    "hardtanh": lambda x: F.hardtanh(x, 0.0, 6.0),
    "hardtanh module": lambda x: nn.Hardtanh(0.0, 6.0)(x),
    "hardtanh in place": lambda x: F.hardtanh_(x * 1, 0, 6),
    "clamp": lambda x: torch.clamp(x, min=0),
    "clamp method": lambda x: x.clamp(0, 6),
    "clamp in place": lambda x: (x * 1).clamp_(0),
    "clamp_min": lambda x: x.clamp_min(0.0),
    "threshold": lambda x: F.threshold(x, 0.0, 0.0),
}
NOT_RECTIFIERS = {
    "hardtanh": lambda x: F.hardtanh(x),
    "clamp from below": lambda x: x.clamp(-1, 1),
    "clamp from above": lambda x: x.clamp(max=0.5),
    "clamp by a tensor": lambda x: x.clamp(min=torch.zeros(())),
    "threshold": lambda x: F.threshold(x, 0.0, 5.0),
    "leaky": lambda x: F.leaky_relu(x, 0.1),
    "silu": lambda x: F.silu(x),
    "gelu": lambda x: F.gelu(x),
    "hardswish": lambda x: F.hardswish(x),
}
X = torch.tensor([-2.0, -1.0, 1.0, 2.0])
UP = torch.tensor([3.0, -3.0, 3.0, -3.0])
"""The four cases of a rectifier: closed or open, asked for more or for less."""


def back(way, rule) -> torch.Tensor:
    x = X.clone().requires_grad_(True)
    with rule:
        y = way(x)
    return torch.autograd.grad((y * UP).sum(), x)[0]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_four_cases(way):
    assert back(WAYS[way], RectifierRule()).tolist() == [0, 0, 3, -3]
    assert back(WAYS[way], Guided()).tolist() == [0, 0, 3, 0]
    assert back(WAYS[way], Deconvolution()).tolist() == [3, 0, 3, 0]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_values_stay_and_each_call_counts(way):
    x = X.clone().requires_grad_(True)
    with out_of_place(), Guided() as rule:
        result = [WAYS[way](x) for _ in range(3)]
        assert all(torch.equal(output, X.clamp(0)) for output in result) and torch.equal(x, X)
    assert rule.rectifier_count == 3


def test_the_ceiling_closes_a_rectifier_but_not_a_deconvolution():
    x = torch.tensor([5.0, 7.0], requires_grad=True)
    for rule, expected in ((RectifierRule(), [1, 0]), (Guided(), [1, 0]), (Deconvolution(), [1, 1])):
        with rule:
            y = F.relu6(x)
        assert y.tolist() == [5, 6] and torch.autograd.grad(y.sum(), x)[0].tolist() == expected


def test_a_blocked_picture_gets_what_pushes_it_back_between_the_bounds():
    """Rows: all too low, all too high, one place open. A gradient says in which direction the output shall go."""
    x = torch.tensor([[-1.0, -2], [7, 8], [-1, 2]], requires_grad=True)
    up = torch.tensor([[3.0, -4], [3, -4], [5, 6]])
    for rule, expected in ((RectifierRule(), [[0, 0], [0, 0], [0, 6]]), (Redirected(), [[3, 0], [0, -4], [0, 6]])):
        with rule:
            y = F.relu6(x)
        assert torch.autograd.grad((y * up).sum(), x)[0].tolist() == expected


@pytest.mark.parametrize("way", NOT_RECTIFIERS, ids=str)
def test_nothing_else_is_touched(way):
    x = X.clone().requires_grad_(True)
    y = NOT_RECTIFIERS[way](x)
    plain = torch.autograd.grad((y * UP).sum(), x)[0]
    with Guided() as rule:
        same = NOT_RECTIFIERS[way](x)
    assert (
        rule.rectifier_count == 0
        and torch.equal(y, same)
        and torch.equal(torch.autograd.grad((same * UP).sum(), x)[0], plain)
    )


def test_an_in_place_call_keeps_its_effect():
    start = X.clone().requires_grad_(True)
    x = start * 1
    with Guided():
        x.relu_()  # the result is not taken: the network reads x
        y = x * 2
    assert y.tolist() == [0, 0, 2, 4] and torch.autograd.grad((y * UP).sum(), start)[0].tolist() == [0, 0, 6, 0]


def test_what_the_input_does_not_reach_is_not_counted():
    with Guided() as rule:
        F.relu(X)
        with torch.no_grad():
            F.relu(X.clone().requires_grad_(True))
    assert rule.rectifier_count == 0


def gradient(module: nn.Module, x: torch.Tensor, target: int, rule=None) -> torch.Tensor:
    x = x.clone().requires_grad_(True)
    with out_of_place(), rule or RectifierRule():
        score = module(x)[0, target]
    return torch.autograd.grad(score, x)[0]


def vgg11(num_classes: int) -> nn.Module:
    """Without the two wide linear layers, whose weights take seconds to draw."""
    return nn.Sequential(
        make_layers(cfgs["A"]), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, num_classes)
    )


@pytest.mark.parametrize("make", [resnet18, vgg11], ids=lambda make: make.__name__)
@pytest.mark.parametrize(("ours", "theirs"), [(Guided, CaptumGuided), (Deconvolution, CaptumDeconvolution)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_is_captums_where_captum_is_right(make, ours, theirs):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module, x = isolate(make(num_classes=10)), torch.rand(1, 3, 32, 32)
    expected = theirs(isolate(module)).attribute(x.clone(), target=5)
    result, plain = gradient(module, x, 5, ours()), gradient(module, x, 5)
    assert (plain - expected).norm() > 0.1 * plain.norm(), "the case would be trivial"
    assert (result - expected).norm() <= 1e-4 * expected.norm()


def test_eight_threads_with_different_rules_do_not_meet():
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU6(), nn.Flatten(), nn.Linear(8 * 144, 4)
    )
    x, rules = torch.randn(1, 3, 16, 16), [RectifierRule, Guided, Deconvolution]
    serial = [gradient(module, x, 1, rule()) for rule in rules]
    assert all((a - b).norm() > 0.01 * a.norm() for a, b in pairwise(serial))
    with ThreadPoolExecutor(8) as pool:
        result = list(pool.map(lambda number: (number % 3, gradient(module, x, 1, rules[number % 3]())), range(96)))
    assert all(torch.equal(output, serial[number]) for number, output in result)


def test_the_rule_ends_with_its_context_also_after_an_error():
    x = X.clone().requires_grad_(True)
    with pytest.raises(ZeroDivisionError), Guided():
        raise ZeroDivisionError
    assert torch.autograd.grad((F.relu(x) * UP).sum(), x)[0].tolist() == [0, 0, 3, -3]
