"""Contributions of the last linear layer: they add up to the logit of every network that ends in one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.inside.weights import hash_weights
from tests.toy_networks import SIDE, Channels, Conv, Linear, Tokens, toy_model
from tests.zoo_networks import make_picture, zoo_model
from xai_core import SAMPLES, NotApplicable, XaiError, inside, load_model

FAMILIES = {
    "small_cnn": None,
    "efficientnet_lite0": "_swish",
    "resnet18": "layer4",
    "densenet121": None,
    "vgg16": None,
    "convnext_tiny": None,
    "vit_b_16": None,
    "swin_t": "permute",
}
"""Networks with the layer whose averages their head adds up; None where it reads something else."""


@pytest.mark.parametrize("name", FAMILIES)
def test_it_adds_up_to_the_logit_and_the_rows_to_all_parameters(name: str) -> None:
    model = zoo_model(name)
    image, before = make_picture(model.side), hash_weights(model.module)
    with torch.no_grad():
        logits = model.module(model.prepare(image))[0].double()
    for target in (7, (7, 2)):
        result = inside.head_contributions(model, image, target)
        expected = float(logits[7] - logits[2]) if isinstance(target, tuple) else float(logits[7])
        assert result.logit == pytest.approx(expected, abs=1e-4)
        assert result.values.sum() + result.bias == pytest.approx(expected, abs=1e-4)
        assert np.abs(result.values).sum() > 0.01, "the case is not trivial"
    assert inside.head_layer(model) == FAMILIES[name]
    assert sum(row.parameters for row in inside.layer_table(model)) == sum(p.numel() for p in model.module.parameters())
    assert [row for block in inside.list_blocks(model) for row in block.rows]
    assert hash_weights(model.module) == before


def test_by_hand() -> None:
    model, image = toy_model(Conv()), make_picture(SIDE)
    maps = inside.activations(model, image, "last").values.astype(np.float64)
    weight, bias = (getattr(model.module.head, name).detach().double().numpy() for name in ("weight", "bias"))
    result = inside.head_contributions(model, image, (3, 1))
    assert result.values == pytest.approx((weight[3] - weight[1]) * maps.mean((1, 2)), abs=1e-6)
    assert result.bias == pytest.approx(bias[3] - bias[1])
    assert (result.layer, result.label) == ("last", "class 3, not class 1")


def test_the_top_class_is_the_default_and_channels_may_come_last() -> None:
    model, image = toy_model(Channels()), make_picture(SIDE)
    result = inside.head_contributions(model, image)
    assert result.target == int(model.module(model.prepare(image)).argmax())
    assert result.error < 1e-4


def test_another_last_step_is_refused_in_words() -> None:
    with pytest.raises(NotApplicable, match="does not end in one linear layer"):
        inside.head_contributions(toy_model(Linear()), make_picture(SIDE), 0)


@pytest.mark.parametrize("target", [99, "walrus", (1, 1), (1, 2, 3)])
def test_a_class_that_does_not_exist_is_said_in_words(target: object) -> None:
    with pytest.raises(XaiError):
        inside.head_contributions(toy_model(Tokens()), make_picture(SIDE), target)  # type: ignore[arg-type]


def test_eight_threads_give_what_one_gives() -> None:
    model, image = load_model("small_cnn"), SAMPLES.get("digit_3").load()
    layers = [layer.name for layer in model.offered_layers]

    def read(layer: str) -> tuple[bytes, bytes, bytes]:
        effects = inside.channel_effects(model, image, layer, 3)
        hidden = inside.hide_channels(model, image, effects, range(4))
        return (
            inside.activations(model, image, layer).values.tobytes(),
            effects.values.tobytes(),
            hidden.measured.tobytes() + inside.head_contributions(model, image, 3).values.tobytes(),
        )

    serial = [read(layer) for layer in layers]
    before = hash_weights(model.module)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, layers)) == serial
    assert hash_weights(model.module) == before
    assert not any(part._forward_hooks for part in model.module.modules())
