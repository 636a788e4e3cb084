"""Deep SHAP against DeepLIFT's own maps, one baseline at a time, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

import xai_core
from tests.toy_networks import CLASSES, SIDE, Conv, Linear, Square, is_close, seed_weights, toy_model
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core.images import SAMPLES
from xai_core.rules.deep_lift import DeepLift


def explain_by_shap(model, image=None, seed=0, **params) -> xai_core.Attribution:
    return xai_core.explain(model, image or make_picture(model.side), "deep_shap", 2, params=params, seed=seed)


def draw_baselines(model, kind: str, count: int, seed: int = 0) -> torch.Tensor:
    """The pictures of a set, made once more by hand."""
    steps, rng = model.preprocessing, np.random.default_rng(seed)
    pixels = steps.to_pixels(steps.model_input(make_picture(model.side)))
    if kind == "blur":
        arrays = [
            gaussian_filter(pixels, (sigma, sigma, 0), mode="reflect")
            for sigma in np.geomspace(SIDE / 4, SIDE / 20, count)
        ]
    elif kind == "noise":
        arrays = [rng.random(pixels.shape, dtype=np.float32) for _ in range(count)]
    else:
        photos = [sample for sample in SAMPLES.specs() if sample.kind == "photo"]
        arrays = [
            steps.to_pixels(steps.model_input(photos[number].load())) for number in rng.permutation(len(photos))[:count]
        ]
    return torch.cat([steps.to_tensor(array.astype(np.float32)) for array in arrays])


@pytest.mark.parametrize("kind", ["blur", "noise", "photos"])
def test_a_linear_network_gives_weight_times_difference_to_the_mean(kind):
    model = toy_model(Linear())
    x, baselines = model.prepare(make_picture(SIDE))[0], draw_baselines(model, kind, 5, 3)
    assert len(baselines) == 5 and float(baselines.std(0).max()) > 0.01
    attribution = explain_by_shap(model, seed=3, baselines=kind, count=5)
    assert is_close(attribution.values, model.module.row(2) * (x - baselines.mean(0)).numpy())
    assert ("baseline_confidence" in attribution.details) == (kind != "photos") and attribution.evaluations == 1 + 2 * 5


def test_a_square_gives_its_closed_form():
    model = toy_model(Square())
    x, baselines = model.prepare(make_picture(SIDE))[0], draw_baselines(model, "noise", 6)
    assert is_close(
        explain_by_shap(model, baselines="noise", count=6).values,
        model.module.row(2) * (x**2 - (baselines**2).mean(0)).numpy(),
    )


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_it_is_the_mean_of_deep_lift_whatever_the_batch(batch):
    model = use_plain_torch(toy_model(Conv()), gradient_batch=batch)
    x, baselines = model.prepare(make_picture(SIDE)), draw_baselines(model, "noise", 5)
    maps = [DeepLift().lift(lambda pictures: model.module(pictures)[:, 2], x, lift[None]) for lift in baselines]
    mean = torch.stack(
        [lift.multipliers[0] * (x - baseline)[0] for lift, baseline in zip(maps, baselines, strict=True)]
    ).mean(0)
    attribution = explain_by_shap(model, baselines="noise", count=5)
    assert is_close(attribution.values, mean.numpy())
    change = float(model.module(x)[0, 2] - model.module(baselines)[:, 2].mean())
    assert (
        attribution.details["score_change"] == pytest.approx(change, rel=1e-4)
        and attribution.details["completeness_gap"] < 1e-4
    )
    assert not is_close(explain_by_shap(model, seed=1, baselines="noise", count=5).values, mean.numpy())


def test_the_explained_photo_is_not_compared_with_itself_and_all_others_are_enough():
    model, image = toy_model(Linear()), SAMPLES.get("coffee").load()
    photos = sum(sample.kind == "photo" for sample in SAMPLES.specs())
    assert explain_by_shap(model, image, baselines="photos", count=50).evaluations == 1 + 2 * (photos - 1)
    assert explain_by_shap(model, baselines="photos", count=50).evaluations == 1 + 2 * photos


class Grey(Linear):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.empty(CLASSES, SIDE * SIDE))


def test_a_model_of_digits_is_shown_digits():
    model = use_plain_torch(make_classifier(seed_weights(Grey()), SIDE, channels=1, classes=CLASSES))
    attribution = explain_by_shap(model, baselines="photos", count=50)
    assert attribution.evaluations == 1 + 2 * sum(sample.kind == "digit" for sample in SAMPLES.specs())
    assert attribution.values.shape == (1, SIDE, SIDE)
