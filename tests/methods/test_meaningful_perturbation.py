"""Meaningful perturbation against the same descent written out plainly, and on networks that look at one place only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from torch import nn

import xai_core
from tests.toy_networks import SIDE, Conv, is_close, toy_model
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core.models.isolation import isolate

PARAMS = {"steps": 12, "cells": 6, "jitter": 2, "area_price": 0.4, "edge_price": 3.0}


def compute_penalty(cover: torch.Tensor, area: float, edge: float) -> torch.Tensor:
    rough = ((cover[1:] - cover[:-1]).abs() ** 3).mean() + ((cover[:, 1:] - cover[:, :-1]).abs() ** 3).mean()
    return area * cover.mean() + edge * rough


def cover_picture(x: torch.Tensor, blank: torch.Tensor, cover: torch.Tensor) -> torch.Tensor:
    wide = F.interpolate(cover[None, None], (SIDE, SIDE), mode="bilinear", align_corners=False)
    return x * (1 - wide) + blank * wide


def optimize_slowly(model, image, target: int, seed: int) -> np.ndarray:
    """One graph from cover to loss, and Adam by its formulas."""
    rng, module, x = np.random.default_rng(seed), isolate(model.module), model.prepare(image)
    blurred = gaussian_filter(x[0].numpy(), (0, SIDE / 10, SIDE / 10), mode="reflect")
    blank = torch.from_numpy(blurred)[None]
    with torch.no_grad():
        before, hidden = float(module(x)[0, target]), float(module(blank)[0, target])
    change = abs(before - hidden)
    cover, first, second = torch.full((6, 6), 0.5), torch.zeros(6, 6), torch.zeros(6, 6)
    for step in range(1, 13):
        down, right = rng.integers(-2, 3, size=2).tolist()
        cover.requires_grad_(True)
        shifted = cover_picture(x.roll((down, right), (2, 3)), blank.roll((down, right), (2, 3)), cover)
        left = (module(shifted)[0, target] - (before - change)) / change
        loss = left.clamp_min(0) + compute_penalty(cover, 0.4, 3.0)
        (gradient,) = torch.autograd.grad(loss, cover)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        move = 0.1 * (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
        cover = (cover.detach() - move).clamp(0, 1)
    return F.interpolate(cover[None, None], (SIDE, SIDE), mode="bilinear", align_corners=False)[0, 0].numpy()


def test_it_is_the_descent_written_out():
    model, image = toy_model(Conv()), make_picture(SIDE)
    attribution = xai_core.explain(model, image, "meaningful_perturbation", 1, params=PARAMS, seed=3)
    expected = optimize_slowly(model, image, 1, 3)
    assert np.ptp(expected) > 0.3 and is_close(attribution.values, expected)
    assert attribution.evaluations == 12 + 3 and attribution.values.min() >= 0 and attribution.values.max() <= 1


class Region(nn.Module):
    """Logit 0 is how much a square varies, which a blur takes away; the rest of the picture counts for nothing."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        square = x[:, :, 3:9, 8:14]
        varying = (square - square.mean((2, 3), keepdim=True)).square().mean((1, 2, 3))
        return torch.stack([varying * 50, x.sum((1, 2, 3)) * 0], dim=1)


def test_the_cover_lies_where_the_network_looks():
    model, image = use_plain_torch(make_classifier(Region(), SIDE, classes=2)), make_picture(SIDE)
    attribution = xai_core.explain(
        model,
        image,
        "meaningful_perturbation",
        0,
        params={"steps": 60, "cells": 8, "jitter": 0, "edge_price": 0, "fill": "mean"},
    )
    inside = np.zeros((SIDE, SIDE), bool)
    inside[3:9, 8:14] = True
    near = np.zeros((SIDE, SIDE), bool)
    # Cells are two pixels wide and stretched smoothly.
    near[1:11, 6:16] = True
    assert attribution.values[inside].mean() > 0.5 and attribution.values[~near].max() < 0.05
    assert attribution.details["score_covered"] < 0.3 * attribution.details["score_before"]
    assert attribution.details["area"] == pytest.approx(float(attribution.values.mean()), rel=1e-5)


@pytest.mark.parametrize("fill", ["black", "blur", "noise"])
def test_the_loss_falls(fill):
    model, image, losses = toy_model(Conv()), make_picture(SIDE), []
    for steps in (1, 5, 40):
        params = {"steps": steps, "cells": 6, "jitter": 0, "edge_price": 0, "fill": fill}
        attribution = xai_core.explain(model, image, "meaningful_perturbation", 1, params=params)
        cover = torch.from_numpy(attribution.values.copy())
        change = abs(attribution.details["score_before"] - attribution.details["score_hidden"])
        left = max(attribution.details["score_covered"] - attribution.details["score_before"] + change, 0) / change
        losses.append(left + float(compute_penalty(cover, 1.0, 0.0)))
    assert losses[2] < losses[0] - 0.05 and losses[2] < losses[1] + 0.02


def test_a_picture_like_its_own_cover_gives_a_finite_map():
    from PIL import Image

    flat = Image.new("RGB", (SIDE, SIDE), (90, 20, 40))
    attribution = xai_core.explain(toy_model(Conv()), flat, "meaningful_perturbation", 2, params={"steps": 5})
    assert np.isfinite(attribution.values).all() and np.ptp(attribution.values) < 1e-5


def test_a_higher_price_hides_less():
    model, image = toy_model(Conv()), make_picture(SIDE)
    areas = [
        xai_core.explain(model, image, "meaningful_perturbation", 1, params={"steps": 40, "area_price": cost}).details[
            "area"
        ]
        for cost in (0.2, 1, 5)
    ]
    assert areas[0] > areas[1] > areas[2]
