"""CAM against the score it adds up to and Grad-CAM, equal up to the number of places; other heads are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import xai_core
from tests.toy_networks import CLASSES, SIDE, Channels, Conv, Tokens, is_close, toy_model
from tests.zoo_networks import make_picture, zoo_model
from xai_core import NotApplicable
from xai_core.models.isolation import isolate
from xai_core.models.linear_head import find_linear_head


class Headed(nn.Module):
    """A convolution and whatever head a test wants."""

    def __init__(self, tail) -> None:
        super().__init__()
        self.conv, self.first, self.second = nn.Conv2d(3, 6, 3), nn.Linear(6, CLASSES), nn.Linear(CLASSES, CLASSES)
        self.norm, self.tail = nn.LayerNorm(6), tail

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.tail(self, self.conv(x))


FITTING = {
    "mean": lambda net, x: net.first(x.mean((2, 3))),
    "mean from the end": lambda net, x: net.first(x.mean(dim=[-1, -2], keepdim=True).flatten(1)),
    "average pool": lambda net, x: net.first(F.avg_pool2d(x, 14).view(len(x), -1)),
    "adaptive pool, dropout": lambda net, x: net.first(
        F.dropout(F.adaptive_avg_pool2d(x, 1).squeeze(), training=False).reshape(1, 6)
    ),
    "after a rectifier": lambda net, x: net.first(nn.AdaptiveAvgPool2d((1, 1))(F.relu(x, inplace=True)).flatten(1)),
}
OTHER = {
    "two linear layers": lambda net, x: net.second(net.first(x.mean((2, 3)))),
    "a norm before": lambda net, x: net.first(net.norm(x.mean((2, 3)))),
    "a rectifier after": lambda net, x: net.first(x.mean((2, 3))).relu(),
    "a square between": lambda net, x: net.first(x.mean((2, 3)) ** 2),
    "the largest": lambda net, x: net.first(x.amax((2, 3))),
    "not all places": lambda net, x: net.first(F.avg_pool2d(x, 13).flatten(1)),
    "padding counted": lambda net, x: net.first(F.avg_pool2d(x, 16, 16, 1).flatten(1)),
    "four averages": lambda net, x: net.first(F.adaptive_avg_pool2d(x, 2).flatten(1)[:, :6]),
    "a rectifier in its place": lambda net, x: net.first(x.mean((2, 3))).relu_(),
    "mean of one side": lambda net, x: net.first(x.mean(2)[:, :, 0]),
}


@pytest.mark.parametrize("tail", FITTING, ids=str)
def test_it_adds_up_to_the_logit(tail):
    model, image = toy_model(Headed(FITTING[tail])), make_picture(SIDE)
    head = find_linear_head(isolate(model.module), model.prepare(image))
    maps, weights = head.maps, head.weight
    logit = model.module(model.prepare(image))[0, 2] - model.module.first.bias[2]
    assert float((weights[2] * maps[0].mean((1, 2))).sum()) == pytest.approx(float(logit), rel=1e-4)
    raw = (weights[2].view(-1, 1, 1) * maps[0]).sum(0)
    expected = F.interpolate(raw[None, None], (SIDE, SIDE), mode="bilinear", align_corners=False)[0, 0].detach().numpy()
    assert is_close(xai_core.explain(model, image, "cam", 2, params={"relu": False}).values, expected)


@pytest.mark.parametrize("tail", OTHER, ids=str)
def test_another_head_is_refused(tail):
    with pytest.raises(NotApplicable, match="CAM needs"):
        xai_core.explain(toy_model(Headed(OTHER[tail])), make_picture(SIDE), "cam")


def test_a_class_token_is_no_average():
    with pytest.raises(NotApplicable, match="CAM needs"):
        xai_core.explain(toy_model(Tokens()), make_picture(SIDE), "cam")


def test_channels_may_come_last():
    model, x = toy_model(Channels()), toy_model(Channels()).prepare(make_picture(SIDE))
    head = find_linear_head(isolate(model.module), x)
    maps, weights = head.maps, head.weight
    assert maps.shape == (1, 6, 8, 8)
    assert torch.allclose(maps.mean((2, 3)) @ weights.T + model.module.head.bias, model.module(x), atol=1e-5)


def test_it_is_grad_cam_times_the_number_of_places():
    model, image = toy_model(Conv()), make_picture(SIDE)
    for target in (2, (1, 4)):
        cam, grad = (
            xai_core.explain(model, image, *request, params={"relu": False}).values
            for request in (("cam", target), ("grad_cam", target, "last"))
        )
        assert is_close(cam, grad * (SIDE // 2) ** 2)


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "googlenet", "densenet121"])
def test_it_is_grad_cam_on_real_networks(name):
    model, image = zoo_model(name), make_picture()
    module, x = isolate(model.module), model.prepare(image)
    cam = xai_core.explain(model, image, "cam", 7, params={"relu": False}).values
    # Its last maps come from a function, which no layer's Grad-CAM can see: by hand.
    if name == "densenet121":
        maps = F.relu(module.features(x)).detach().requires_grad_(True)
        (gradients,) = torch.autograd.grad(module.classifier(F.adaptive_avg_pool2d(maps, 1).flatten(1))[0, 7], maps)
        raw = (gradients.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True)
        grad = F.interpolate(raw, (model.side, model.side), mode="bilinear", align_corners=False)[0, 0].detach().numpy()
    else:
        grad = xai_core.explain(model, image, "grad_cam", 7, params={"relu": False}).values
    places = model.recommended_layer.grid[0] * model.recommended_layer.grid[1]
    assert np.ptp(cam) > 0 and is_close(cam, grad * places)
