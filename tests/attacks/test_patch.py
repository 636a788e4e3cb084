"""The adversarial patch: where it is pasted, what it learns, and what it is compared with."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
import torch

from tests.attacks.test_closed_forms import SIDE, TwoClasses
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core import attacks
from xai_core.attacks.patch import Placement, paste


def test_a_round_patch_covers_its_circle_and_nothing_else() -> None:
    levels = torch.zeros((2, 1, 60, 80))
    pasted = paste(torch.full((1, 20, 20), 200.0), levels, [Placement(0, 0, 20, 0), Placement(0.5, -0.5, 30, 1.0)])
    rows, columns = torch.meshgrid(torch.arange(60) + 0.5, torch.arange(80) + 0.5, indexing="ij")
    for picture, (row, column, radius) in zip(pasted, ((30, 40, 10), (15, 60, 15)), strict=True):
        expected = 200.0 * ((rows - row) ** 2 + (columns - column) ** 2 <= radius**2)
        assert (picture[0] - expected).abs().gt(0.01).sum() <= 4, "but for rounding at the rim"


def test_a_patch_of_the_same_size_keeps_its_pixels_and_a_quarter_turn_turns_them() -> None:
    patch = torch.rand((3, 16, 16), generator=torch.Generator().manual_seed(0))
    middle = (slice(None), slice(4, 12), slice(4, 12))
    for turns in (0, 1, 3):
        (pasted,) = paste(patch, torch.zeros((1, 3, 16, 16)), [Placement(0, 0, 16, turns * pi / 2)])
        assert torch.allclose(pasted[middle], patch.rot90(-turns, (1, 2))[middle], atol=1e-4)


@pytest.fixture(scope="module")
def result() -> attacks.Attacked:
    """A sticker for a network that counts red less the others."""
    weights = torch.full((3, SIDE, SIDE), -0.02)
    weights[0] = 0.02
    model = make_classifier(TwoClasses(weights, -3.0), SIDE, channels=3, classes=2)
    return attacks.attack(
        use_plain_torch(model), make_picture(), "patch", target=0, params={"steps": 80, "size": 50}, seed=3
    )


def test_it_learns_what_the_class_is_made_of(result: attacks.Attacked) -> None:
    covered = np.any(result.change != 0, axis=2)
    red, green, blue = np.asarray(result.picture)[covered].mean(0)
    assert red > 240 and max(green, blue) < 15
    area = covered.sum() / covered.size
    assert pi / 4 * 0.4**2 * 0.6 < area < pi / 4 * 0.6**2 * 1.4


def test_it_works_on_pictures_it_was_not_made_with(result: attacks.Attacked) -> None:
    details = result.details
    assert details["unseen_patch"] > details["unseen_before"]
    assert details["unseen_scrambled"] == pytest.approx(details["unseen_patch"], abs=0.02), "only colours count here"
    (sentence,) = [words for words in attacks.list_findings(result) if "sticker" in words]
    assert result.label in sentence and "random order" in sentence
