"""Occlusion against brute force, Captum and a network whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from PIL import Image
from torch import nn

import xai_core
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch, zoo_model
from xai_core import InvalidParam
from xai_core.methods.occlusion import list_window_starts

SIDE = 12


class Linear(nn.Module):
    """Logit k is a weighted sum of all pixels."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, 3 * SIDE * SIDE, generator=torch.Generator().manual_seed(4)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) @ self.weight.T


class Interacting(Linear):
    """The same with products between pixels, so that windows do not simply add up."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward((x * x.roll(3, 3)).tanh())


def occlude_by_hand(score, x: np.ndarray, window: int, stride: int, fill: np.ndarray) -> np.ndarray:
    """The definition, pixel by pixel, on a (C, H, W) input."""
    height, width = x.shape[1:]
    tops = range(0, max(height - window, 0) + stride, stride)
    drops: dict[tuple[int, int], float] = {}
    for top in tops:
        for left in tops:
            covered = x.copy()
            for row in range(top, min(top + window, height)):
                for column in range(left, min(left + window, width)):
                    covered[:, row, column] = fill[:, row, column]
            drops[top, left] = score(x) - score(covered)
    result = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            over = [
                d for (top, left), d in drops.items() if top <= row < top + window and left <= column < left + window
            ]
            result[row, column] = sum(over) / len(over)
    return result


@pytest.mark.parametrize(("window", "stride"), [(3, 1), (4, 2), (5, 3), (12, 12), (12, 1), (7, 7), (2, 2)])
@pytest.mark.parametrize("net", [Linear, Interacting])
def test_it_is_the_definition(net, window, stride):
    model = use_plain_torch(make_classifier(net(), SIDE, classes=3))
    image = make_picture(SIDE)
    attribution = xai_core.explain(
        model, image, "occlusion", 2, params={"window": window, "stride": stride, "patch": "black"}
    )
    x = model.prepare(image)[0].double().numpy()
    exact = model.module.double()
    expected = occlude_by_hand(
        lambda z: float(exact(torch.from_numpy(z)[None])[0, 2]), x, window, stride, np.zeros_like(x)
    )
    assert (np.ptp(expected) > 0) == (window < SIDE), "one window over everything says the same everywhere"
    assert np.abs(expected).max() > 0.1 and np.abs(attribution.values - expected).max() < 1e-4
    assert attribution.evaluations == len(list_window_starts(SIDE, window, stride)) ** 2 + 2


@pytest.mark.parametrize(("window", "stride"), [(64, 32), (50, 47)])
def test_it_is_captums_map_on_a_real_network(window, stride):
    model, image = zoo_model("efficientnet_lite0"), xai_core.SAMPLES.get("coffee").load()
    attribution = xai_core.explain(
        model, image, "occlusion", params={"window": window, "stride": stride, "patch": "grey"}
    )
    x = model.prepare(image)
    grey = model.preprocessing.to_tensor(np.full((224, 224, 3), 0.5, np.float32))
    captum = Occlusion(model.module).attribute(
        x, (3, window, window), (3, stride, stride), baselines=grey, target=attribution.target, perturbations_per_eval=8
    )
    expected = captum[0, 0].numpy()
    assert np.abs(attribution.values - expected).max() < 1e-3
    assert np.corrcoef(attribution.values.ravel(), expected.ravel())[0, 1] > 0.9999


@pytest.mark.parametrize("patch", ["black", "grey", "mean", "blur", "noise"])
def test_covering_a_picture_with_itself_changes_nothing(patch):
    """A constant picture covered by its own mean or blur is the same picture; by anything else it is not."""
    model = use_plain_torch(make_classifier(Linear(), SIDE, classes=3))
    attribution = xai_core.explain(
        model, Image.new("RGB", (SIDE, SIDE), (60, 60, 60)), "occlusion", 0, params={"window": 4, "patch": patch}
    )
    unchanged = patch in ("mean", "blur")
    assert (np.abs(attribution.values).max() < 1e-4) == unchanged


def test_every_pixel_is_covered():
    for side in range(4, 40):
        for window in range(2, side + 1):
            for stride in range(1, window + 1):
                starts = list_window_starts(side, window, stride)
                assert starts[0] == 0 and starts[-1] + window >= side and starts[-1] < side


def test_a_stride_over_the_window_is_refused():
    with pytest.raises(InvalidParam, match="Stride"):
        xai_core.explain(zoo_model("small_cnn"), make_picture(), "occlusion", params={"window": 4, "stride": 5})
    with pytest.raises(InvalidParam, match="window"):
        xai_core.explain(zoo_model("small_cnn"), make_picture(), "occlusion", params={"window": 29})


def test_the_strongest_window_is_told_in_probability() -> None:
    network = Interacting()
    network.weight.data *= 0.05
    model = make_classifier(network, SIDE, classes=3)
    picture = make_picture(SIDE)
    attribution = xai_core.explain(model, picture, "occlusion", 1, params={"window": 6, "stride": 6, "patch": "black"})
    x, prepare = model.prepare(picture), model.preprocessing.to_tensor
    black = prepare(np.zeros((SIDE, SIDE, 3), np.float32))
    answers = []
    for top in (0, 6):
        for left in (0, 6):
            covered = x.clone()
            covered[..., top : top + 6, left : left + 6] = black[..., top : top + 6, left : left + 6]
            answers.append(model.module(covered)[0].detach())
    lowest = min(answers, key=lambda logits: float(logits[1]))
    assert attribution.details["probability_covered"] == pytest.approx(float(lowest.softmax(0)[1]), abs=1e-5)
    before = float(model.module(x)[0].detach().softmax(0)[1])
    assert attribution.details["probability"] == pytest.approx(before, abs=1e-5)
    assert abs(before - float(lowest.softmax(0)[1])) > 1e-3, "the case is not trivial"
