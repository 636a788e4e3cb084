"""Dissection: planted detectors are found with exact thresholds and overlaps, and luck does not pass."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.inside.weights import hash_weights
from tests.toy_networks import SIDE, Linear, seed_weights
from tests.zoo_networks import make_classifier
from xai_core import Cancelled, InvalidParam, Job, UnknownName, inside
from xai_core.inside import ConceptProbe, Dissection
from xai_core.inside.dissection.thresholds import TopValues, count_top

CONCEPTS = ("red", "vertical stripes", "horizontal stripes", "blue")
RED, UPRIGHT, DEAD, ALWAYS, NOISE = range(5)
"""Channels of the network: three planted units, one that is the same everywhere, and random ones."""
PLACES = 112


def make_network() -> nn.Module:
    conv, head = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 5)
    seed_weights(conv), seed_weights(head)
    with torch.no_grad():
        conv.weight[:NOISE], conv.bias[:NOISE] = 0, 0
        conv.weight[RED, :, 1, 1] = torch.tensor([1.0, -0.731, -0.613])
        conv.weight[UPRIGHT] = torch.tensor([-1.0, 2, -1]) / 9
        conv.bias[DEAD], conv.bias[ALWAYS] = -1, 0.7
    return nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def make_scene(seed: int, varied: bool) -> tuple[Image.Image, np.ndarray]:
    """Grey noise with patches of two of the concepts, each of 4 by 4 pixels."""
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(90, 110, (SIDE, SIDE, 3)).repeat(1, 2)
    pixels[:] = pixels.mean(2, keepdims=True)
    masks = np.zeros((len(CONCEPTS), SIDE, SIDE), dtype=bool)
    corners = rng.permutation([(0, 0), (0, 10), (9, 1), (10, 10)])
    for concept, (row, column) in zip(rng.permutation(len(CONCEPTS))[:2], corners, strict=False):
        patch = slice(row, row + 4), slice(column, column + 4)
        masks[(concept, *patch)] = True
        light = rng.uniform(150, 225) if varied else 255
        if concept in (0, 3):
            pixels[patch] = (light, 0, 0) if concept == 0 else (0, 0, light)
            # No two places of a varied scene have the same value.
            pixels[patch] += rng.uniform(0, 30, (4, 4, 3)) * varied
        else:
            lines = np.where(np.arange(4) % 2, 20, light)
            pixels[patch] = (lines if concept == 1 else lines[:, None])[..., None] if concept == 2 else lines[:, None]
    return Image.fromarray(pixels.astype(np.uint8)), masks


@cache
def make_probe(count: int = 60, varied: bool = True, start: int = 0, held_out: int = 0) -> ConceptProbe:
    scenes = [make_scene(start + number, varied) for number in range(count)]
    rest = make_probe(held_out, varied, start + 1000) if held_out else None
    return ConceptProbe([scene[0] for scene in scenes], [scene[1] for scene in scenes], CONCEPTS, rest)


@pytest.fixture(scope="module")
def model():
    return make_classifier(make_network(), SIDE, classes=5)


@pytest.fixture(scope="module")
def result(model) -> Dissection:
    return inside.dissect(model, "1", make_probe(held_out=40))


def read_maps(model, probe: ConceptProbe) -> np.ndarray:
    return np.stack([inside.activations(model, picture, "1").values for picture in probe.pictures])


def upsample(values: np.ndarray) -> np.ndarray:
    """Bilinear values in the middle of each label pixel, along both axes by plain interpolation."""
    at = (np.arange(PLACES) + 0.5) * len(values) / PLACES - 0.5
    rows = np.stack([np.interp(at, np.arange(len(values)), column) for column in values.T], axis=1)
    return np.stack([np.interp(at, np.arange(values.shape[1]), row) for row in rows])


def overlaps_by_hand(values: np.ndarray, probe: ConceptProbe, limit: float) -> np.ndarray:
    """Return the IoU of one unit's maps (N, h, w) with each concept, (K,)."""
    both, either = np.zeros((2, len(CONCEPTS)))
    for picture, masks in zip(values, probe.masks, strict=True):
        mask, labels = upsample(picture) > limit, masks.repeat(7, 1).repeat(7, 2)
        both, either = both + (mask & labels).sum((1, 2)), either + (mask | labels).sum((1, 2))
    return both / either


def test_thresholds_and_overlaps_equal_those_by_hand(model, result: Dissection) -> None:
    probe, before = make_probe(held_out=40), hash_weights(model.module)
    maps = read_maps(model, probe)
    flat = maps.transpose(1, 0, 2, 3).reshape(8, -1).astype(np.float64)
    # Batches of other sizes round differently.
    expected = np.quantile(flat, 0.995, axis=1, method="higher")
    np.testing.assert_allclose(result.thresholds, expected, rtol=1e-6, atol=1e-7)
    for unit in (RED, UPRIGHT, NOISE, 7):
        by_hand = overlaps_by_hand(maps[:, unit], probe, float(result.thresholds[unit]))
        assert result.iou[unit] == pytest.approx(by_hand, abs=2e-4)
    assert result.iou[[RED, UPRIGHT], [0, 1]].min() > 0.05
    assert hash_weights(model.module) == before


def test_planted_units_are_found_and_confirmed(result: Dissection) -> None:
    by_unit = {label.unit: label for label in result.detectors}
    assert by_unit[RED].concept == "red" and by_unit[UPRIGHT].concept == "vertical stripes"
    for label in by_unit.values():
        assert label.low <= label.iou <= label.high and label.iou <= label.reachable
        assert label.precision > label.chance and label.p < 0.05 and label.saturated == 0
    assert result.units_for("red")[0].unit == RED
    assert (result.iou <= result.reachable + 1e-12).all()


@pytest.mark.parametrize("unit", [DEAD, ALWAYS])
def test_a_unit_that_never_changes_has_no_concept(result: Dissection, unit: int) -> None:
    label = result.labels[unit]
    assert label.concept is None and label.iou == 0 and not label.is_detector and not result.iou[unit].any()


def test_a_constant_response_is_saturated_and_still_found(model) -> None:
    probe = make_probe(varied=False)
    label = inside.dissect(model, "1", probe).labels[RED]
    share = np.mean([masks[0].mean() for masks in probe.masks])
    assert label.concept == "red" and label.is_detector and label.iou > 0.3
    assert label.saturated == pytest.approx(share) and label.saturated > 0.02


def test_shuffled_pictures_give_no_detectors(model, result: Dissection) -> None:
    probe = make_probe(held_out=40)
    rest = probe.held_out
    shuffled = ConceptProbe(
        probe.pictures,
        [probe.masks[(number + 7) % 60] for number in range(60)],
        CONCEPTS,
        ConceptProbe(rest.pictures, [rest.masks[(number + 7) % 40] for number in range(40)], CONCEPTS),
    )
    assert not inside.dissect(model, "1", shuffled).detectors
    assert result.shuffled_detectors == 0


def test_a_lucky_label_does_not_pass(model) -> None:
    """On held-out pictures the masks belong to others, so what was found on the rest is not confirmed."""
    probe, rest = make_probe(), make_probe(40, start=1000)
    unrelated = ConceptProbe(rest.pictures, [rest.masks[(number + 7) % 40] for number in range(40)], CONCEPTS)
    result = inside.dissect(model, "1", ConceptProbe(probe.pictures, probe.masks, CONCEPTS, unrelated))
    assert result.labels[RED].iou > 0.04 and not result.labels[RED].passes and not result.detectors


def test_the_job_counts_and_a_stop_ends_it(model) -> None:
    job = Job()
    inside.dissect(model, "1", make_probe(held_out=40), job)
    assert job.done == job.total == 2 * 60 + 40
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        inside.dissect(model, "1", make_probe(), job)


def test_bad_input_is_explained(model) -> None:
    probe = make_probe()
    with pytest.raises(InvalidParam, match="at least one picture"):
        ConceptProbe([], [], ["red"])
    with pytest.raises(InvalidParam, match="size of their picture"):
        ConceptProbe(probe.pictures, [masks[:, :8] for masks in probe.masks], CONCEPTS)
    with pytest.raises(InvalidParam, match="Each picture needs its masks"):
        ConceptProbe(probe.pictures, probe.masks[:5], CONCEPTS)
    with pytest.raises(InvalidParam, match=r"“red” is in \d of the pictures"):
        inside.dissect(model, "1", ConceptProbe(probe.pictures[:12], probe.masks[:12], CONCEPTS))
    with pytest.raises(InvalidParam, match="no picture-like output"):
        inside.dissect(model, "4", probe)
    with pytest.raises(UnknownName):
        inside.dissect(make_classifier(seed_weights(Linear()), SIDE, classes=5), "1", probe)


@pytest.mark.parametrize("places", [3, 200, 1000, 1777])
def test_running_threshold_is_the_exact_quantile(places: int) -> None:
    rng = np.random.default_rng(places)
    values = rng.integers(0, 40, (6, places)).astype(np.float32)
    values[3:] = rng.normal(size=(3, places))
    values[0] = np.minimum(values[0], 30)
    top = TopValues(6, places)
    for block in np.array_split(values, [1, 90, 100, 500], axis=1):
        if block.shape[1]:
            top.add(block)
    thresholds = top.thresholds()
    expected = np.quantile(values.astype(np.float64), 0.995, axis=1, method="higher")
    np.testing.assert_array_equal(thresholds.values, expected)
    ties = (values >= expected[:, None]).sum(1) > count_top(places)
    np.testing.assert_array_equal(thresholds.includes_ties, ties & (expected > values.min(1)))
