"""Neighbours, effects on classes and likeness of crops: planted ones are found."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.inside.weights import hash_weights
from tests.toy_networks import Conv, seed_weights
from tests.zoo_networks import make_classifier, make_picture
from xai_core import InvalidParam, Job, NotApplicable, inside


def test_a_copied_channel_is_a_neighbour_and_redundant() -> None:
    values = np.random.default_rng(0).normal(5, 1, (40, 5))
    values[:, 3] = 2 * values[:, 1] + 7
    values[:, 4] = 1.0
    neighbours = inside.find_neighbours(values, 1, 4)
    assert neighbours.channels[0] == 3 and neighbours.cosines[0] == pytest.approx(1) and neighbours.redundant == (3,)
    assert dict(zip(neighbours.channels, neighbours.cosines, strict=True))[4] == 0
    assert neighbours.cosines[1] == pytest.approx(max(np.corrcoef(values[:, [1, 0, 2]].T)[0, 1:].max(), 0))
    with pytest.raises(NotApplicable, match="same value for every picture"):
        inside.find_neighbours(values, 4)
    with pytest.raises(InvalidParam, match="channels 0 to 4"):
        inside.find_neighbours(values, 5)


def test_effects_on_classes_are_those_of_a_network_without_the_channel() -> None:
    module = seed_weights(Conv())
    toy = make_classifier(module, 16, classes=5)
    pictures, job, before = [make_picture(16, seed) for seed in range(6)], Job(), hash_weights(module)
    effects = inside.class_effects(toy, "last", 2, pictures, job)
    cut = seed_weights(Conv()).eval()
    with torch.no_grad():
        cut.head.weight[:, 2] = 0
        falls = [(module(toy.prepare(picture)) - cut(toy.prepare(picture)))[0] for picture in pictures]
    assert np.allclose(effects.values, torch.stack(falls).mean(0), atol=1e-5) and np.abs(effects.values).max() > 1e-4
    assert (job.done, job.total) == (12, 12) and hash_weights(module) == before
    up = effects.strongest(1)
    assert (effects.values[up] > 0).all() and list(up) == sorted(up, key=lambda row: -effects.values[row])
    with pytest.raises(InvalidParam, match="channels 0 to 5"):
        inside.class_effects(toy, "last", 6, pictures)


class Colours(nn.Module):
    """Features that are the mean colours of a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.mean((2, 3)))


def paint(rng: np.random.Generator, colour: tuple[int, int, int]) -> Image.Image:
    values = np.array(colour) + rng.integers(-12, 13, (16, 16, 3))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def test_crops_of_one_colour_are_clear_and_of_two_are_two_groups() -> None:
    judge, rng = make_classifier(Colours(), 16, classes=5), np.random.default_rng(1)
    red, blue = (230, 20, 20), (20, 40, 230)
    others = [paint(rng, tuple(rng.integers(20, 230, 3).tolist())) for _ in range(8)]
    clear = inside.measure_clarity(judge, [paint(rng, red) for _ in range(8)], others)
    assert clear.value > 0.98 > 0.95 > clear.chance and clear.judge == "toy"
    mixed = inside.measure_clarity(judge, [paint(rng, (red, blue)[number % 2]) for number in range(8)], others)
    assert sorted(mixed.groups) == [(0, 2, 4, 6), (1, 3, 5, 7)] and mixed.value < clear.value
    with pytest.raises(InvalidParam, match="At least 4 crops"):
        inside.measure_clarity(judge, others[:3], others)


def test_one_cloud_is_one_group() -> None:
    rng = np.random.default_rng(2)
    split = [len(inside.find_groups(rng.normal(size=(12, 60)))) for _ in range(40)]
    assert np.mean(np.array(split) == 1) >= 0.95
    assert len(inside.find_groups(rng.normal(size=(5, 60)))) == 1


def test_another_bundled_network_judges() -> None:
    assert inside.choose_judge(make_classifier(seed_weights(Conv()), 16, name="efficientnet_lite2")) != (
        "efficientnet_lite2"
    )


def test_contributions_to_a_class_add_up_to_its_mean_logit() -> None:
    module = seed_weights(Conv())
    toy = make_classifier(module, 16, classes=5)
    pictures = [make_picture(16, seed) for seed in range(12)]
    features = inside.read_activations(toy, [toy.layer("last")], pictures)["last"]
    channels = inside.class_channels(toy, 3, features)
    with torch.no_grad():
        mean = torch.cat([module(toy.prepare(picture)) for picture in pictures]).mean(0)[3]
    assert channels.values.sum() + float(module.head.bias[3]) == pytest.approx(float(mean), abs=1e-4)
    assert (channels.layer, channels.pictures) == ("last", 12)
    with pytest.raises(InvalidParam, match="with 6 features"):
        inside.class_channels(toy, 3, features[:, :4])


def test_parts_of_a_class_are_means_of_those_of_its_pictures() -> None:
    toy = make_classifier(seed_weights(Conv()), 16, classes=5)
    pictures = [make_picture(16, seed) for seed in range(3)]
    directions = np.abs(np.random.default_rng(0).normal(size=(10, 6))).astype(np.float32)
    empty = np.zeros((10, 1), dtype=np.int64)
    parts = inside.Parts("toy", 0, directions, np.ones(10), empty, empty[..., None], (8, 8), 3, 1.0)
    values = inside.class_parts(toy, 1, parts, pictures)
    single = [inside.explain_parts(toy, picture, parts, 1).values for picture in pictures]
    assert np.allclose(values, np.mean(single, axis=0)) and np.abs(values).max() > 0
