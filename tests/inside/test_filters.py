"""The first filters: planted edges and colours are told from what is neither."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.toy_networks import Linear, toy_model
from tests.zoo_networks import make_classifier, zoo_model
from xai_core import NotApplicable, inside, load_model

EDGE = np.outer(np.ones(7), [-1, -1, -1, 0, 1, 1, 1])
SLANT = np.sign(np.add.outer(np.arange(7), np.arange(7)) - 6.0)
BLOB = -np.hypot(*np.meshgrid(np.arange(-3, 4), np.arange(-3, 4)))


def test_planted_filters_are_told_apart() -> None:
    grey = [np.stack([pattern] * 3) for pattern in (EDGE, EDGE.T, SLANT, BLOB, np.ones((7, 7)))]
    colour = np.stack([np.ones((7, 7)), -np.ones((7, 7)), np.zeros((7, 7))])
    conv = nn.Conv2d(3, 6, 7)
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(np.stack([*grey, colour])))
    model = make_classifier(nn.Sequential(conv, nn.Flatten(), nn.Linear(24, 10)), 8)
    filters = inside.first_filters(model)
    assert filters.edges.tolist() == [True, True, True, False, False, False]
    assert filters.colours.tolist() == [False] * 5 + [True]
    assert filters.random_edges < 0.1


def test_filters_of_real_networks() -> None:
    filters = inside.first_filters(load_model("efficientnet_lite0"))
    assert filters.layer == "_conv_stem" and filters.values.shape == (32, 3, 3, 3)
    assert not filters.values.flags.writeable
    assert inside.first_filters(load_model("small_cnn")).colours.sum() == 0, "there is only grey"
    assert inside.first_filters(zoo_model("vit_b_16")).values.shape[2:] == (16, 16)


def test_a_network_without_one_is_refused_in_words() -> None:
    with pytest.raises(NotApplicable, match="no first convolution"):
        inside.first_filters(toy_model(Linear()))
