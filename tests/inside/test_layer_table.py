"""The layer table against sums by hand and against torch's own counter."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests.toy_networks import Channels, Tokens, toy_model
from tests.zoo_networks import make_classifier, zoo_model
from xai_core import inside, load_model
from xai_core.models.isolation import isolate


def test_the_digit_network_by_hand() -> None:
    rows = {row.name: (row.shape, row.parameters, row.cost) for row in inside.layer_table(load_model("small_cnn"))}
    assert rows["conv1"] == ((4, 26, 26), 4 * 9 + 4, (4 * 9 + 4) * 26 * 26)
    assert rows["conv2"] == ((8, 11, 11), 8 * 4 * 9 + 8, (8 * 4 * 9 + 8) * 11 * 11)
    assert rows["linear1"] == ((120,), 72 * 120 + 120, 72 * 120 + 120)
    assert rows["relu3"] == ((8, 3, 3), 0, 0)
    assert list(rows)[:3] == ["conv1", "relu1", "pool1"] and len(rows) == 12


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18"])
def test_cost_is_what_torch_counts(name: str) -> None:
    """Torch counts two operations a multiply-add, no bias, and no norm."""
    model = zoo_model(name)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        isolate(model.module)(model.zero_input)
    modules = dict(model.module.named_modules())
    ours = 0
    for row in inside.layer_table(model):
        module = modules[row.name]
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            ours += row.cost * module.weight.numel() // row.parameters
    assert ours == pytest.approx(counter.get_total_flops() / 2, rel=1e-6)


def test_a_linear_layer_on_tokens_counts_at_every_place() -> None:
    rows = {row.name: row for row in inside.layer_table(toy_model(Channels()))}
    assert rows["mix"].cost == (8 * 6 + 6) * 8 * 8
    tokens = {row.name: row for row in inside.layer_table(toy_model(Tokens()))}
    assert tokens["attention"].cost == (4 * 8 * 8 + 4 * 8) * 17, "its own four matrices at 17 tokens"
    assert tokens["Tokens"].parameters == 8 and tokens["Tokens"].cost == 0, "the class token is added"


def test_a_layer_that_runs_twice_costs_twice() -> None:
    step = nn.Conv2d(3, 3, 3, padding=1)
    model = make_classifier(nn.Sequential(step, nn.ReLU(), step, nn.Flatten(), nn.Linear(192, 10)), 8)
    (row,) = (row for row in inside.layer_table(model) if row.kind == "Conv2d")
    assert (row.parameters, row.cost) == (84, 2 * 84 * 64)


def test_blocks_get_smaller_maps_and_more_channels() -> None:
    model = load_model("efficientnet_lite0")
    blocks = {block.name: block for block in inside.list_blocks(model)}
    assert blocks["_blocks.10"].layer == "_blocks.10" and len(blocks["_blocks.10"].rows) > 6
    inner = [blocks[f"_blocks.{number}"] for number in range(16)]
    sides = [block.grid[0] for block in inner if block.grid]
    channels = [block.channels for block in inner]
    assert sides == sorted(sides, reverse=True) and channels == sorted(channels)
    assert (sides[0], sides[-1], channels[0], channels[-1]) == (112, 7, 16, 320)
    assert (blocks["_conv_stem"].layer, blocks["_conv_stem"].grid) == ("_conv_stem", (112, 112))
    assert blocks["_fc"].grid is None and blocks["_fc"].parameters == 1280 * 1000 + 1000


def test_blocks_of_other_shapes_of_network() -> None:
    assert "layer1.0" in {block.name for block in inside.list_blocks(zoo_model("resnet18"))}
    digit = inside.list_blocks(load_model("small_cnn"))
    assert [block.name for block in digit][:2] == ["conv1", "relu1"], "what no block holds is one of its own"
