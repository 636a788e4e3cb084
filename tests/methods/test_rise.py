"""RISE against its definition, mask by mask and pixel by pixel, and on networks that look at one place only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import xai_core
from tests.toy_networks import CLASSES, SIDE, Conv, is_close, toy_model
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core.methods.rise import RandomMasks
from xai_core.models.isolation import isolate


def upsample_grid(grid: np.ndarray, wide: int) -> np.ndarray:
    """Upsample a grid linearly between the centres of its cells, one value at a time."""
    cells, out = len(grid), np.zeros((wide, wide))
    places = np.clip((np.arange(wide) + 0.5) * cells / wide - 0.5, 0, cells - 1)
    for row, y in enumerate(places):
        for column, x in enumerate(places):
            top, left = int(y), int(x)
            below, right, dy, dx = min(top + 1, cells - 1), min(left + 1, cells - 1), y - int(y), x - int(x)
            upper = grid[top, left] * (1 - dx) + grid[top, right] * dx
            lower = grid[below, left] * (1 - dx) + grid[below, right] * dx
            out[row, column] = upper * (1 - dy) + lower * dy
    return out


def compute_slowly(
    model, image, target: int, count: int, cells: int, chance: float, seed: int, probability: bool = False
) -> tuple[np.ndarray, float]:
    """Return the map with the mean left in, as the paper has it, and the mean."""
    rng, module, x = np.random.default_rng(seed), isolate(model.module), model.prepare(image)
    grids = rng.random((count, 1, cells, cells)) < chance
    cell = -(-SIDE // cells)
    shifts = rng.integers(0, cell, size=(count, 2))
    seen, weighted, scores = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE)), []
    for grid, (top, left) in zip(grids, shifts, strict=True):
        mask = upsample_grid(grid[0].astype(float), (cells + 1) * cell)[top : top + SIDE, left : left + SIDE]
        shown = x * torch.from_numpy(mask).float() + 0.5 * (1 - torch.from_numpy(mask).float())
        logits = module(shown)[0].double()
        scores.append(float((logits.softmax(0) if probability else logits)[target]))
        seen += mask
        weighted += scores[-1] * mask
    return weighted / seen, float(np.mean(scores))


@pytest.mark.parametrize("measure", ["logit", "probability"])
@pytest.mark.parametrize(("cells", "visible"), [(4, 50), (5, 30), (16, 50)])
def test_it_is_the_definition(cells, visible, measure):
    model, image = toy_model(Conv()), make_picture(SIDE)
    params = {"masks": 21, "cells": cells, "visible": visible, "measure": measure}
    attribution = xai_core.explain(model, image, "rise", 2, params=params, seed=5)
    expected, mean = compute_slowly(model, image, 2, 21, cells, visible / 100, 5, measure == "probability")
    assert is_close(attribution.values, expected - mean) and attribution.details["mean_score"] == pytest.approx(
        mean, rel=1e-4
    )
    assert (
        attribution.unit == measure
        and attribution.evaluations == 22
        and attribution.values.min() < 0 < attribution.values.max()
    )


class Corner(nn.Module):
    """Logit 0 is the brightness of one square, logit 1 its opposite plus a constant."""

    def __init__(self, constant: float = 0.0) -> None:
        super().__init__()
        self.constant = constant

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bright = x[:, :, 2:7, 9:14].mean((1, 2, 3))
        return torch.stack([bright, self.constant - bright], dim=1)


def test_it_finds_the_one_place_that_counts():
    model, image = use_plain_torch(make_classifier(Corner(), SIDE, classes=2)), make_picture(SIDE)
    params = {"masks": 1000, "cells": 6, "fill": "black"}
    evidence, against = (xai_core.explain(model, image, "rise", target, params=params).values for target in (0, 1))
    inside = np.zeros((SIDE, SIDE), bool)
    inside[2:7, 9:14] = True
    assert (
        inside[np.unravel_index(evidence.argmax(), evidence.shape)]
        and evidence[inside].mean() > 5 * np.abs(evidence[8:, :8]).mean()
    )
    assert np.allclose(against, -evidence, atol=1e-6), "what speaks against is negative"


def test_the_papers_map_is_this_one_and_the_mean():
    """The paper divides by how much is visible on average; ours by how much was, which tends to it."""
    model, image, count = use_plain_torch(make_classifier(Corner(), SIDE, classes=2)), make_picture(SIDE), 1500
    attribution = xai_core.explain(model, image, "rise", 0, params={"masks": count, "cells": 4}, seed=1)
    masks = RandomMasks(count, 4, 0.5, SIDE, np.random.default_rng(1)).make(0, count)
    scores = model.module(model.prepare(image) * masks + 0.5 * (1 - masks))[:, 0]
    papers = ((scores.view(-1, 1, 1, 1) * masks).sum((0, 1)) / (count * 0.5)).numpy()
    ours = attribution.values + attribution.details["mean_score"]
    assert np.abs(papers - ours).max() < 0.1 * ours.max()
    one_more = ((scores.view(-1, 1, 1, 1) * masks).sum((0, 1)) / masks.sum((0, 1))).numpy()
    assert is_close(ours, one_more)


def test_a_constant_in_the_logit_changes_nothing():
    image, params = make_picture(SIDE), {"masks": 50, "cells": 4}
    plain, raised = (
        xai_core.explain(
            use_plain_torch(make_classifier(Corner(c), SIDE, classes=2)), image, "rise", 1, params=params
        ).values
        for c in (0.0, 9.0)
    )
    assert np.abs(plain).max() > 1e-3 and np.abs(plain - raised).max() < 1e-5


def test_the_size_of_the_batches_changes_nothing():
    image, params = make_picture(SIDE), {"masks": 30}
    net = toy_model(Conv()).module
    first, second = (
        xai_core.explain(
            use_plain_torch(make_classifier(net, SIDE, classes=CLASSES), batch), image, "rise", 2, params=params
        ).values
        for batch in (4, 7)
    )
    assert is_close(first, second)
