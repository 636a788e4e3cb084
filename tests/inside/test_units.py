"""Units by name: every form is read and written, and what does not exist is said in words."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.toy_networks import Channels, toy_model
from tests.zoo_networks import make_classifier
from xai_core import InvalidParam, UnknownName, XaiError, inside, load_model
from xai_core.models.classifier import Classifier


@pytest.fixture(scope="module")
def model() -> Classifier:
    return load_model("small_cnn")


@pytest.mark.parametrize("name", ["class:9", "channel:conv1:3", "neuron:relu2:7:10:0", "layer:pool1"])
def test_a_name_is_read_and_written(model: Classifier, name: str) -> None:
    assert inside.parse_unit(model, name).name == name


def test_a_class_may_be_given_by_its_label_and_a_layer_by_a_second_name() -> None:
    assert inside.parse_unit(load_model("efficientnet_lite0"), "class:espresso").name == "class:967"
    inner = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    model = make_classifier(nn.Sequential(inner, nn.Flatten(), nn.Linear(4 * 36, 10)), 8)
    assert inside.parse_unit(model, "channel:0.1:3").name == "channel:0:3"


def test_channels_are_counted_where_they_come_last() -> None:
    model = toy_model(Channels())
    assert inside.parse_unit(model, "neuron:mix:5:7:7").index == 5
    with pytest.raises(InvalidParam, match="'mix' has channels 0 to 5"):
        inside.parse_unit(model, "channel:mix:6")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "A unit is written as"),
        ("channel", "A unit is written as"),
        ("channel:conv1", "A unit is written as"),
        ("neuron:conv1:3", "A unit is written as"),
        ("filter:conv1:3", "Got 'filter:conv1:3'"),
        ("channel:conv1:4", "has channels 0 to 3. Got '4'"),
        ("channel:conv1:-1", "has channels 0 to 3"),
        ("channel:conv1:x", "has channels 0 to 3"),
        ("neuron:conv1:0:26:0", "has rows 0 to 25"),
        ("neuron:conv1:0:0:99999999999999999999", "has columns 0 to 25"),
        ("class:10", "a whole number from 0 to 9"),
        ("class:-1", "a whole number from 0 to 9"),
        ("channel:linear1:0", "no picture-like output"),
    ],
)
def test_what_does_not_exist_is_said_in_words(model: Classifier, name: str, sentence: str) -> None:
    with pytest.raises(InvalidParam, match=sentence):
        inside.parse_unit(model, name)


@pytest.mark.parametrize("name", ["channel:conv9:0", "class:walrus", "layer:conv"])
def test_the_nearest_names_are_given(model: Classifier, name: str) -> None:
    with pytest.raises(UnknownName):
        inside.parse_unit(model, name)


def test_weighted_units(model: Classifier) -> None:
    weighted = inside.parse_weighted_units(model, {"class:3": 2, "channel:conv2:7": -0.5})
    assert [(unit.name, weight) for unit, weight in weighted] == [("class:3", 2.0), ("channel:conv2:7", -0.5)]
    assert inside.parse_weighted_units(model, "class:3")[0][1] == 1.0
    for weights in ({}, {"class:3": 0}, {"class:3": float("nan")}, {"class:3": True}, {"class:3": "1"}):
        with pytest.raises(XaiError):
            inside.parse_weighted_units(model, weights)  # type: ignore[arg-type]


def test_steps_end_at_both_ends(model: Classifier) -> None:
    unit = inside.parse_unit(model, "neuron:conv2:6:1:2")
    assert inside.step_unit(model, unit, 1) == inside.parse_unit(model, "neuron:conv2:7:1:2")
    assert inside.step_unit(model, unit, 2) is None
    assert inside.step_unit(model, inside.parse_unit(model, "class:0"), -1) is None
    assert inside.step_unit(model, inside.parse_unit(model, "layer:conv2"), 1) is None


def test_a_unit_number_is_the_channel_of_the_maps() -> None:
    """Channels first, last and as tokens are all counted as `Layer.to_maps` counts them."""
    model = toy_model(Channels())
    for layer in model.layers():
        activation = torch.zeros(1, *layer.shape)
        assert layer.channels == layer.to_maps(activation).shape[1]
