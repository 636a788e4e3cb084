"""Networks whose scores are a function of the visible superpixels of one picture: games with known answers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from PIL import Image
from torch import nn

from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core.methods.shared.superpixels import find_superpixels
from xai_core.models.classifier import Classifier

SIDE = 40
Game = Callable[[torch.Tensor], torch.Tensor]
"""From rows (n, patches) of 0 hidden and 1 shown to logits (n, classes)."""


class PatchNetwork(nn.Module):
    """Score the patches that are shown: those whose every pixel is the picture's."""

    def __init__(self, labels: np.ndarray, image: torch.Tensor, game: Game) -> None:
        super().__init__()
        masks = torch.stack([torch.from_numpy(labels == patch) for patch in range(labels.max() + 1)]).float()
        self.register_buffer("masks", masks)
        self.register_buffer("image", image)
        self.game = game

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        same = ((x - self.image).abs().sum(1) < 1e-6).float()
        return self.game(((same[:, None] * self.masks).sum((2, 3)) / self.masks.sum((1, 2))).round())


def make_game_model(image: Image.Image, labels: np.ndarray, game: Game, classes: int = 2) -> Classifier:
    """Return a model whose scores are this game on the patches `labels` of a picture of SIDE pixels."""
    pixels = torch.from_numpy(np.asarray(image, np.float32) / 255).permute(2, 0, 1)[None]
    return use_plain_torch(make_classifier(PatchNetwork(labels, pixels, game), SIDE, classes=classes))


def make_segmented_picture(segments: int, seed: int = 0) -> tuple[Image.Image, np.ndarray]:
    """Return a picture and its superpixels."""
    image = make_picture(SIDE, seed)
    return image, find_superpixels(np.asarray(image, np.float32) / 255, segments)


def make_additive_game(weights: np.ndarray) -> Game:
    """Return a game whose logit 0 is the sum of the weights of the patches shown; logit 1 is 0."""
    factors = torch.from_numpy(weights).float()
    return lambda shown: torch.stack([(shown * factors).sum(1), shown.sum(1) * 0], dim=1)


def make_interacting_game(patches: int, seed: int = 0) -> Game:
    """Return a game whose logit 0 has products of two and of three patches too: no patch has one effect."""
    rng = np.random.default_rng(seed)
    single_effects, pair_effects = (
        torch.from_numpy(rng.normal(0, 1, shape)).float() for shape in (patches, (patches, patches))
    )

    def logits(shown: torch.Tensor) -> torch.Tensor:
        score = (
            shown @ single_effects
            + ((shown @ pair_effects) * shown).sum(1)
            + 3 * shown[:, 0] * shown[:, 1] * (1 - shown[:, 2])
        )
        return torch.stack([score, shown.sum(1) * 0], dim=1)

    return logits


def list_rows(patches: int) -> np.ndarray:
    """Return all rows of 0 and 1, (2^patches, patches)."""
    return np.array(list(product((0.0, 1.0), repeat=patches)))


def value_per_patch(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the value of each patch; a map that is not constant within patches fails here."""
    groups = [values[labels == patch] for patch in range(labels.max() + 1)]
    assert all(np.ptp(group) == 0 for group in groups), "a patch has one value"
    return np.array([group[0] for group in groups])
