"""Attacks on networks whose best attack is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.zoo_networks import make_classifier, use_plain_torch
from xai_core import attacks
from xai_core.attacks.deep_fool import SCALES
from xai_core.models.classifier import Classifier

SIDE = 12
GREY = 128


class TwoClasses(nn.Module):
    """Logits (w x + b, 0) of pixels x in 0..1."""

    def __init__(self, weights: torch.Tensor, bias: float) -> None:
        super().__init__()
        self.weights, self.bias = nn.Parameter(weights), bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = (x * self.weights).flatten(1).sum(1) + self.bias
        return torch.stack((score, torch.zeros_like(score)), 1)


def make_linear(lead: float, channels: int = 3, seed: int = 0) -> tuple[Classifier, np.ndarray]:
    """Return a model that leads by `lead` logits on grey, and its weights per grey level, (H, W, C)."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn((channels, SIDE, SIDE), generator=generator)
    bias = lead - float((weights * (GREY / 255)).sum())
    model = make_classifier(TwoClasses(weights, bias), SIDE, channels=channels, classes=2)
    return use_plain_torch(model), np.moveaxis(weights.numpy(), 0, -1) / 255


def grey(channels: int = 3) -> Image.Image:
    return Image.new("RGB" if channels == 3 else "L", (SIDE, SIDE), (GREY,) * 3 if channels == 3 else GREY)


@pytest.mark.parametrize("name", ["fgsm", "pgd"])
@pytest.mark.parametrize("epsilon", [1, 3])
def test_every_value_moves_against_its_weight(name: str, epsilon: int) -> None:
    model, weights = make_linear(lead=1.0)
    result = attacks.attack(model, grey(), name, epsilon)
    assert (result.change == -epsilon * np.sign(weights)).all()
    lead = 1.0 - epsilon * np.abs(weights).sum()
    assert result.success is bool(lead < 0)
    assert result.curve[-1] == pytest.approx(-lead, abs=1e-4)


def test_an_average_limit_moves_values_by_their_weight() -> None:
    model, weights = make_linear(lead=1.0)
    result = attacks.attack(model, grey(), "pgd", 3, params={"norm": "l2"})
    best = -3 * weights / np.sqrt(np.mean(weights**2))
    assert result.l2 <= 3
    assert np.corrcoef(result.change.ravel(), best.ravel())[0, 1] > 0.995, "rounding apart"
    assert result.l2 > 2.9, "the limit is used"


def test_the_distance_to_the_border_is_that_of_a_plane() -> None:
    # Three levels of average change away: rounding leaves most of the step.
    _, weights = make_linear(lead=1.0)
    lead = 3 * float(np.linalg.norm(weights)) * weights.size**0.5
    model, weights = make_linear(lead=lead)
    result = attacks.attack(model, grey(), "deep_fool")
    # 2 % beyond the border.
    assert result.details["distance_l2"] == pytest.approx(1.02 * lead / np.linalg.norm(weights), rel=1e-3)
    assert result.details["distance"] == pytest.approx(3 * 1.02, rel=1e-3)
    assert result.success
    assert result.details["surviving_scale"] < 1.2
    assert result.l2 == pytest.approx(3, rel=0.1)


def test_a_step_under_half_a_level_has_to_grow_before_a_file_can_hold_it() -> None:
    model, weights = make_linear(lead=0.0)
    lead = 0.05 * float(np.linalg.norm(weights)) * weights.size**0.5
    model, weights = make_linear(lead=lead)
    result = attacks.attack(model, grey(), "deep_fool")
    assert result.details["distance"] == pytest.approx(0.05 * 1.02, rel=1e-2)
    assert result.success
    scale = result.details["surviving_scale"]
    step = -weights * lead / np.sum(weights**2) * 1.02
    assert np.mean(result.change == np.rint(step * scale)) > 0.97, "the step goes a ten-thousandth of a logit further"
    smaller = [value for value in SCALES if value < scale * 0.99]
    assert smaller, "the step itself is rounded away"
    assert all(lead + np.sum(weights * np.rint(step * value)) >= 0 for value in smaller)


def test_the_smallest_strength_is_the_one_of_the_plane() -> None:
    model, weights = make_linear(lead=1.0)
    lead = 4.5 * float(np.abs(weights).sum())
    model, _ = make_linear(lead=lead)
    for name in ("fgsm", "pgd"):
        result = attacks.smallest_epsilon(model, grey(), name)
        assert result is not None
        assert (result.epsilon, result.linf) == (5, 5)
    model, _ = make_linear(lead=70 * float(np.abs(weights).sum()))
    assert attacks.smallest_epsilon(model, grey(), "pgd", params={"steps": 2}) is None


def test_the_smallest_change_for_a_wish_lies_near_that_of_the_plane() -> None:
    _, weights = make_linear(lead=1.0)
    lead = 2 * float(np.linalg.norm(weights)) * weights.size**0.5
    model, weights = make_linear(lead=lead)
    result = attacks.attack(model, grey(), "box_lbfgs", 32, target=1, params={"halvings": 8})
    assert result.success
    assert 2 <= result.l2 < 3.5, "at least the distance to the border, and not much more"
    assert np.corrcoef(result.change.ravel(), -weights.ravel())[0, 1] > 0.95


def test_every_single_pixel_is_tried_on_a_small_grey_picture() -> None:
    model, weights = make_linear(lead=1.0, channels=1)
    # Best change of one pixel by hand: to black where its weight is positive, else to white.
    gains = np.maximum(weights * GREY, -weights * (255 - GREY))[..., 0]
    result = attacks.attack(model, grey(1), "one_pixel")
    assert result.details["tried"] == 2 * SIDE * SIDE
    assert np.argwhere(result.change[..., 0]).tolist() == [list(np.unravel_index(gains.argmax(), gains.shape))]
    both = np.stack((weights * GREY, -weights * (255 - GREY)))
    assert result.details["flips"] == (both > 1.0).sum()
    evolved = attacks.attack(model, grey(1), "one_pixel", params={"pixels": 2, "generations": 3})
    assert evolved.curve[-1] <= np.sort(gains.ravel())[-2:].sum() - 1.0 + 1e-5, "never better than the two best"
