"""A network whose scores are any function of which patches of one picture it is shown: a game whose right answer can be counted out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from PIL import Image
from torch import nn

from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core.methods.shared.superpixels import superpixels
from xai_core.models.classifier import Classifier

SIDE = 40
Game = Callable[[torch.Tensor], torch.Tensor]
"""From rows (n, patches) of 0 hidden and 1 shown to logits (n, classes)."""


class Patches(nn.Module):
    """A patch counts as shown where every pixel of it is the picture's."""

    def __init__(self, labels: np.ndarray, image: torch.Tensor, game: Game) -> None:
        super().__init__()
        masks = torch.stack([torch.from_numpy(labels == patch) for patch in range(labels.max() + 1)]).float()
        self.register_buffer("masks", masks)
        self.register_buffer("image", image)
        self.game = game

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        same = ((x - self.image).abs().sum(1) < 1e-6).float()
        return self.game(((same[:, None] * self.masks).sum((2, 3)) / self.masks.sum((1, 2))).round())


def game_on(image: Image.Image, labels: np.ndarray, game: Game, classes: int = 2) -> Classifier:
    """A record around the network that plays this game on the patches `labels` of a picture of SIDE pixels."""
    pixels = torch.from_numpy(np.asarray(image, np.float32) / 255).permute(2, 0, 1)[None]
    return use_plain_torch(make_classifier(Patches(labels, pixels, game), SIDE, classes=classes))


def cut(segments: int, seed: int = 0) -> tuple[Image.Image, np.ndarray]:
    """A picture and its superpixels."""
    image = make_picture(SIDE, seed)
    return image, superpixels(np.asarray(image, np.float32) / 255, segments)


def linear(weights: np.ndarray) -> Game:
    """Logit 0 is the sum of the weights of the patches shown, logit 1 is 0."""
    kept = torch.from_numpy(weights).float()
    return lambda shown: torch.stack([(shown * kept).sum(1), shown.sum(1) * 0], dim=1)


def crooked(patches: int, seed: int = 0) -> Game:
    """Logit 0 has products of two and of three patches too, so that no patch has one effect."""
    rng = np.random.default_rng(seed)
    one, two = (torch.from_numpy(rng.normal(0, 1, shape)).float() for shape in (patches, (patches, patches)))

    def logits(shown: torch.Tensor) -> torch.Tensor:
        score = shown @ one + ((shown @ two) * shown).sum(1) + 3 * shown[:, 0] * shown[:, 1] * (1 - shown[:, 2])
        return torch.stack([score, shown.sum(1) * 0], dim=1)

    return logits


def every_row(patches: int) -> np.ndarray:
    """All rows of 0 and 1, (2^patches, patches)."""
    return np.array(list(product((0.0, 1.0), repeat=patches)))


def per_patch(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The one value of each patch; a map that is not constant within patches fails here."""
    found = [values[labels == patch] for patch in range(labels.max() + 1)]
    assert all(np.ptp(one) == 0 for one in found), "a patch has one value"
    return np.array([one[0] for one in found])
