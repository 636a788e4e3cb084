"""Feature maps against plain hooks, and effects against hiding the channel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.toy_networks import LAYERS, SIDE, Conv, maps_and_gradients_by_hand, toy_model
from tests.zoo_networks import make_picture
from xai_core import SAMPLES, Cancelled, InvalidParam, Job, UnknownName, inside, load_model


@pytest.mark.parametrize(("network", "layer"), LAYERS)
def test_maps_and_effects_are_those_of_plain_autograd(network: type, layer: str) -> None:
    model, image = toy_model(network()), make_picture(SIDE)
    maps, gradient = maps_and_gradients_by_hand(model, image, layer, 2)
    result = inside.activations(model, image, layer)
    assert result.values.dtype == np.float32 and not result.values.flags.writeable
    assert result.values == pytest.approx(maps, abs=1e-5)
    assert result.strength == pytest.approx(maps.max((1, 2)), abs=1e-5)
    effects = inside.channel_effects(model, image, layer, 2)
    assert effects.values == pytest.approx((maps * gradient).sum((1, 2)), abs=1e-4)


def test_behind_the_last_rectifier_the_estimate_is_exact() -> None:
    """The rest is linear, so hiding a channel takes away exactly its contribution."""
    model, image = toy_model(Conv()), make_picture(SIDE)
    for target in (2, (3, 1)):
        effects = inside.channel_effects(model, image, "last", target)
        hidden = inside.hide_channels(model, image, effects, range(6))
        contributions = inside.head_contributions(model, image, target).values
        assert np.abs(hidden.measured).max() > 1e-3
        assert hidden.measured == pytest.approx(contributions, abs=1e-5)
        assert effects.values == pytest.approx(contributions, abs=1e-5)
        assert hidden.agreement == 1.0


def test_hiding_sets_the_channel_to_zero_in_the_layers_last_call() -> None:
    model, image = toy_model(Conv()), make_picture(SIDE)
    effects = inside.channel_effects(model, image, "relu", 2)
    hidden = inside.hide_channels(model, image, effects, [4])
    net, x = model.module, model.prepare(image)
    with torch.no_grad():
        maps = torch.relu(torch.max_pool2d(torch.relu(net.first(x)), 2))
        before = net.head(net.last(net.third(torch.relu(net.second(maps)))).mean((2, 3)))[0, 2]
        maps[:, 4] = 0
        after = net.head(net.last(net.third(torch.relu(net.second(maps)))).mean((2, 3)))[0, 2]
    assert abs(float(before - after)) > 1e-3
    assert hidden.measured[0] == pytest.approx(float(before - after), abs=1e-5)


def test_the_top_ten_of_the_bundled_network_are_right_about_the_direction() -> None:
    model, image = load_model("efficientnet_lite0"), SAMPLES.get("coffee").load()
    effects = inside.channel_effects(model, image, "_blocks.15")
    top = np.argsort(-effects.values)[:10]
    hidden = inside.hide_channels(model, image, effects, top.tolist())
    assert (effects.values[top] > 0).all()
    assert hidden.agreement >= 0.9
    assert np.corrcoef(hidden.measured, hidden.estimated)[0, 1] > 0.5


def test_bad_input_is_said_in_words() -> None:
    model, image = load_model("small_cnn"), SAMPLES.get("digit_3").load()
    with pytest.raises(InvalidParam, match="no picture-like output"):
        inside.activations(model, image, "linear1")
    with pytest.raises(UnknownName, match="conv1"):
        inside.activations(model, image, "conv11")
    effects = inside.channel_effects(model, image, "conv2")
    for channels in ([], [8], [-1]):
        with pytest.raises(InvalidParam, match="channels 0 to 7"):
            inside.hide_channels(model, image, effects, channels)


def test_hiding_can_be_stopped() -> None:
    model, image = load_model("small_cnn"), SAMPLES.get("digit_3").load()
    effects, job = inside.channel_effects(model, image, "conv2"), Job()
    job.cancel()
    with pytest.raises(Cancelled):
        inside.hide_channels(model, image, effects, [0], job)
