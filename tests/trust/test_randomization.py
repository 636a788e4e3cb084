"""Random weights: shared ones are never touched, norms and order are right, and no map passes for being noise."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import xai_core
from tests.toy_networks import Tokens, seed_weights, toy_model
from tests.zoo_networks import make_classifier, use_plain_torch
from xai_core import METHODS, trust
from xai_core.methods.base.spec import RawMap
from xai_core.models.isolation import isolate
from xai_core.trust.sanity.own_weights import (
    copy_with_own_weights,
    list_weight_owners,
    make_shuffled_model,
    measure_norms,
    shuffle_weights,
)
from xai_core.trust.sanity.similarity import compare_heats


class Vgg(nn.Module):
    """Convolutions with rectifiers and pooling, as in VGG, and a linear layer."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        steps, channels = nn.Sequential(), 3
        for block, size in enumerate((width, 2 * width, 2 * width)):
            for place in range(2):
                steps.add_module(f"conv{block}{place}", nn.Conv2d(channels, size, 3, padding=1))
                steps.add_module(f"relu{block}{place}", nn.ReLU())
                channels = size
            steps.add_module(f"pool{block}", nn.MaxPool2d(2))
        self.classifier, self.features = nn.Linear(channels * 16, 10), steps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x).flatten(1))


class Normed(nn.Module):
    """Two convolutions with batch norms."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6)
        self.second, self.last = nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6)
        self.head = nn.Linear(6, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.last(self.second(self.norm(self.first(x)).relu())).relu().mean((2, 3)))


@pytest.fixture(scope="module")
def vgg() -> xai_core.Classifier:
    return use_plain_torch(make_classifier(seed_weights(Vgg()), 32, name="vgg like"))


@pytest.fixture(scope="module")
def cat():
    return xai_core.SAMPLES.get("chelsea").load()


def hash_weights(module: nn.Module) -> str:
    return hashlib.sha256(b"".join(value.numpy().tobytes() for value in module.state_dict().values())).hexdigest()


def test_the_shared_weights_stay_while_visitors_predict(vgg, cat) -> None:
    before, expected = hash_weights(vgg.module), [p for *_, p in xai_core.predict(vgg, cat).classes]
    done, wrong = threading.Event(), []

    def visit() -> None:
        while not done.is_set():
            # Batches of several visitors differ in the last bits.
            wrong.extend(np.abs([p for *_, p in xai_core.predict(vgg, cat).classes] - np.array(expected)) > 1e-4)

    visitors = [threading.Thread(target=visit) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    try:
        result = trust.randomization(vgg, cat, "saliency", groups=2, seeds=2)
    finally:
        done.set()
        for visitor in visitors:
            visitor.join()
    assert hash_weights(vgg.module) == before and wrong and not any(wrong)
    assert result.similarity[-1] < 0.9, "the copies were scrambled"


def test_an_isolated_copy_would_have_been_scrambled(vgg) -> None:
    """The danger is real: such a copy shares its storage, the one used here does not."""
    shared = {weight.data_ptr() for weight in vgg.module.state_dict().values()}
    assert {weight.data_ptr() for weight in isolate(vgg.module).state_dict().values()} == shared
    own = copy_with_own_weights(vgg.module)
    assert not {weight.data_ptr() for weight in own.state_dict().values()} & shared
    normed = Normed().eval()
    own = copy_with_own_weights(normed)
    assert not {v.data_ptr() for v in own.state_dict().values()} & {v.data_ptr() for v in normed.state_dict().values()}


def test_a_shuffle_keeps_the_values_of_each_weight(vgg) -> None:
    own = copy_with_own_weights(vgg.module)
    shuffle_weights(own, ["features.conv00"], torch.Generator().manual_seed(0))
    for (name, weight), (_, original) in zip(own.named_parameters(), vgg.module.named_parameters(), strict=True):
        assert torch.equal(weight.flatten().sort().values, original.flatten().sort().values)
        assert torch.equal(weight, original) != name.startswith("features.conv00")


def test_norms_are_those_of_the_pictures() -> None:
    module = seed_weights(Normed()).eval()
    pictures = torch.rand(32, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    own = copy_with_own_weights(module)
    measure_norms(own, pictures)
    maps = module.first(pictures)
    batches = torch.stack([part.var((0, 2, 3)) for part in maps.split(8)])
    assert torch.allclose(own.norm.running_mean, maps.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(own.norm.running_var, batches.mean(0), rtol=1e-4)
    assert own.norm.momentum == 0.1 and not any(part.training for part in own.modules())
    assert torch.equal(module.norm.running_mean, torch.zeros(6))


def test_groups_go_by_execution_and_tokens_count(vgg) -> None:
    owners = list_weight_owners(vgg)
    assert owners[-1] == "classifier", "declared first, executed last"
    depths = [vgg.layer(name).depth for name in owners[:-1]]
    assert depths == sorted(depths) and len(owners) == 7
    tokens = list_weight_owners(toy_model(Tokens()))
    assert tokens[0] == "" and tokens[-1] == "head" and {"attention", "attention.out_proj"} <= set(tokens)


def test_guided_backpropagation_fails_and_a_gradient_does_not(vgg, cat) -> None:
    guided = trust.randomization(vgg, cat, "guided_backprop", groups=2)
    assert guided.verdict == "unchanged" and trust.check_randomization(guided).level == "red"
    assert guided.layers == ("classifier", "features.conv00 to features.conv21")
    assert guided.ceiling == 1.0 and guided.floor < 0.5
    plain = trust.randomization(vgg, cat, "saliency", groups=2)
    assert plain.verdict == "changed" and trust.check_randomization(plain) is None
    assert "evidence of nothing" in trust.describe_randomization(plain)[1]


def replace_run(monkeypatch: pytest.MonkeyPatch, run, random: bool) -> None:
    """Let saliency be something else."""
    spec = replace(METHODS.get("saliency"), run=run, random=random)
    monkeypatch.setitem(METHODS._specs, "saliency", spec)


@pytest.mark.parametrize(
    ("draw", "random", "verdict"),
    [
        (lambda request: request.rng.normal(size=(32, 32)), True, "unclear"),
        (lambda request: request.rng.normal(size=(32, 32)), False, "unclear"),
        (lambda request: request.pixels.mean(2), False, "unchanged"),
        (lambda request: np.zeros((32, 32)), False, "flat"),
    ],
    ids=["noise", "the same noise", "the picture itself", "nothing"],
)
def test_what_knows_nothing_of_the_network_never_passes(vgg, cat, monkeypatch, draw, random, verdict) -> None:
    replace_run(monkeypatch, lambda request: RawMap(draw(request).astype(np.float32)), random)
    result = trust.randomization(vgg, cat, "saliency", groups=2, seeds=2)
    assert result.verdict == verdict
    check = trust.check_randomization(result)
    assert check is None or check.level == "red", "no verdict is green"


def test_similarities_are_those_of_known_maps() -> None:
    heat = np.random.default_rng(0).normal(size=(56, 56))
    turned = compare_heats(heat, -heat)
    assert turned["signed"] == pytest.approx(-1, abs=0.01) and turned["absolute"] == pytest.approx(1)
    assert abs(compare_heats(heat, np.random.default_rng(1).normal(size=(56, 56)))["signed"]) < 0.15
    assert np.isnan(compare_heats(heat, np.ones((56, 56)))["structure"])


def test_the_same_seed_gives_the_same_shuffle(vgg, cat) -> None:
    pictures = vgg.prepare(cat)
    first, second, third = (make_shuffled_model(vgg, ["classifier"], pictures, seed) for seed in (1, 1, 2))
    assert hash_weights(first.module) == hash_weights(second.module) != hash_weights(third.module)
    assert first.weights_sha256 != vgg.weights_sha256
