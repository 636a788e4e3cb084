"""Every shake keeps its promises, and curves, maps and mixes say what a network really answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.engine.impatient_job import ImpatientJob
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core import shakes
from xai_core.errors import Cancelled, InvalidParam, UnknownName
from xai_core.images.corruptions import CORRUPTIONS
from xai_core.imageset import describe_shaken_set, shake_set
from xai_core.models.classifier import Classifier
from xai_core.models.weights import state_sha256
from xai_core.shakes import SHAKES

SIDE = 32
COLOUR = make_picture(SIDE, seed=3)
GREY = make_picture(SIDE, seed=4).convert("L")


class Rings(nn.Module):
    """Logits that are sums of squares: the same for every order of the pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([0.0, 1.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * x).mean((1, 2, 3))[:, None] * 4 * self.scale


class Sides(nn.Module):
    """Three classes: the brightness of the left half, of the right half, and a constant between."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(9.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half = x.shape[-1] // 2
        left, right = x[..., :half].mean((1, 2, 3)), x[..., half:].mean((1, 2, 3))
        return self.scale * torch.stack([left, right, torch.full_like(left, 0.3)], dim=1)


def toy(module: nn.Module, classes: int) -> Classifier:
    return use_plain_torch(make_classifier(module, SIDE, 3, classes))


def left_bright() -> Image.Image:
    pixels = np.full((SIDE, SIDE, 3), 60, dtype=np.uint8)
    pixels[:, : SIDE // 2] = 200
    return Image.fromarray(pixels)


@pytest.mark.parametrize("shake", SHAKES.specs(), ids=lambda shake: shake.name)
def test_every_shake_keeps_size_and_kind_and_repeats_its_bytes(shake):
    assert shake.strong in shake.values and shake.strong != shake.neutral
    assert shake.group in shakes.GROUPS and len(set(map(shake.describe, shake.values))) == len(shake.values)
    for picture in (COLOUR, GREY):
        before = picture.tobytes()
        for value in shake.values:
            shaken = shake.apply(picture, value, seed=7)
            assert (shaken.size, shaken.mode) == (picture.size, picture.mode) and picture.tobytes() == before
            assert shaken.tobytes() == shake.apply(picture, value, seed=7).tobytes()
            assert (shaken.tobytes() == before) == (value == shake.neutral) or picture is GREY
    others = {shake.apply(COLOUR, shake.strong, seed).tobytes() for seed in range(4)}
    assert (len(others) > 1) == shake.random
    with pytest.raises(InvalidParam, match="has the steps"):
        shake.check(0.123)


def test_every_corruption_that_moves_nothing_has_five_severities_of_which_three_are_the_sets():
    for corruption in CORRUPTIONS.specs():
        name = f"corruption_{corruption.name}"
        assert (name in SHAKES) == (not corruption.moves)
        if name in SHAKES:
            assert SHAKES.get(name).values == (0, 1, 2, 3, 4, 5) and corruption.levels == corruption.scale[::2]
            rng = np.random.default_rng(7)
            expected = corruption.change(COLOUR, corruption.levels[1], rng).tobytes()
            assert SHAKES.get(name).apply(COLOUR, 3.0, 7).tobytes() == expected


@pytest.mark.parametrize(("name", "values"), [("rotation", (-180, -90, 90, 180)), ("flip", (1, 2, 3))])
def test_a_network_without_directions_does_not_notice_turns_and_flips(name, values):
    curve = shakes.shake_picture(toy(Rings(), 2), COLOUR, name, target=1)
    exact = [point.probability for point in curve.points if point.value in values]
    assert exact == pytest.approx([curve.before.probability] * len(values), abs=1e-6)
    mixed = shakes.shake_picture(toy(Rings(), 2), COLOUR, "patch_shuffle", target=1)
    assert [p.probability for p in mixed.points] == pytest.approx([mixed.before.probability] * 4, abs=1e-6)


def test_a_curve_is_what_the_network_says_of_each_picture():
    model, image = toy(Sides(), 3), left_bright()
    curve = shakes.shake_picture(model, image, "flip", target=2)
    assert [point.answer for point in curve.points] == ["class 0", "class 1", "class 0", "class 1"]
    assert curve.stability == pytest.approx(1 / 3) and curve.nearest_change.words == "left and right"
    logits = 9 * torch.tensor([200 / 255, 60 / 255, 0.3])
    assert [p.probability for p in curve.points] == pytest.approx([float(logits.softmax(0)[2])] * 4, abs=1e-6)
    sentence = shakes.describe_curve(curve)
    assert sentence.startswith("Stability 33 %: the model still says class 0 at 1 of 3 steps. The mildest step")
    assert "“left and right”: it says class 1" in sentence


def test_all_curves_are_those_of_each_shake_and_the_weakest_is_named():
    model, image = toy(Sides(), 3), left_bright()
    before = state_sha256(model.module)
    curves = shakes.shake_all(model, image, seed=5)
    assert [curve.shake.name for curve in curves] == list(SHAKES)
    for name in ("noise", "patch_shuffle", "size"):
        alone = shakes.shake_picture(model, image, name, seed=5)
        assert next(curve for curve in curves if curve.shake.name == name).points == alone.points
    weakest = min(curves, key=lambda curve: curve.stability)
    assert weakest.shake.short_title.lower() in shakes.describe_weakest(curves)
    assert len({curve.shake.short_title for curve in curves}) == len(curves)
    assert state_sha256(model.module) == before


def test_a_map_moves_along_with_the_picture():
    """The gradient of a sum of squares is the picture itself, so its map turns with it exactly."""
    model = toy(Rings(), 2)
    maps = shakes.shake_maps(model, COLOUR, "rotation", [90.0, 45.0], "gradient_x_input", target=1)
    original, quarter, eighth = maps
    np.testing.assert_allclose(quarter.heatmap, np.rot90(original.heatmap), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(quarter.restored, original.heatmap, rtol=1e-5, atol=1e-9)
    assert quarter.is_exact and quarter.common.all() and quarter.rank == pytest.approx(1)
    assert not eighth.is_exact and not eighth.common[0, 0] and eighth.rank > 0.8
    assert "stays where it was" in shakes.describe_restored_maps(maps)
    blind = shakes.describe_restored_maps([original, *[quarter.__class__(**{**vars(quarter), "rank": float("nan")})]])
    assert "no order" in blind


def test_mixes_repeat_by_seed_and_count_the_same_answers():
    model, image = toy(Sides(), 3), left_bright()
    first, again = (shakes.mix_shakes(model, image, 8, seed=3) for _ in range(2))
    assert [mix.picture.tobytes() for mix in first.mixes] == [mix.picture.tobytes() for mix in again.mixes]
    assert first.mixes[0].picture.tobytes() != shakes.mix_shakes(model, image, 8, seed=4).mixes[0].picture.tobytes()
    mirrored = ["left and right" in mix.point.words for mix in first.mixes]
    assert [not mix.point.is_same for mix in first.mixes] == mirrored and 0 < sum(mirrored) < 8
    assert f"for {8 - sum(mirrored)} of 8" in shakes.describe_mixes(first)


class Two:
    """A set of two pictures, bright on the left and on the right, and one that is flat."""

    id = "two"

    def __len__(self) -> int:
        return 3

    def open(self, index: int) -> Image.Image:
        if index == 2:
            return Image.new("RGB", (SIDE, SIDE), (40, 40, 40))
        return left_bright() if index == 0 else left_bright().transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def test_a_set_says_which_shake_breaks_which_class():
    labels = ["side", "side", "flat"]
    result = shake_set(Two(), toy(Sides(), 3), labels, ["flip", "blur", "brightness"])
    assert result.classes == ("side", "flat") and result.counts.tolist() == [2, 1]
    # Mirroring swaps the bright side. A light flat picture is as bright on both sides, above the constant.
    np.testing.assert_array_equal(result.broken, [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(result.total, [2 / 3, 0, 1 / 3])
    sentence = describe_shaken_set(result)
    assert sentence == (
        "“Mirrored: left and right” changes most answers: 67 % of them. It changes most for side: 100 % of 2."
    )
    by_answer = shake_set(Two(), toy(Sides(), 3), None, ["blur"], limit=2)
    assert by_answer.classes == ("class 0", "class 2") and describe_shaken_set(by_answer) == (
        "No shake changes any answer."
    )


def test_a_wrong_wish_is_refused_in_words_and_a_cancel_stops_it():
    model = toy(Sides(), 3)
    with pytest.raises(UnknownName, match="rotation"):
        shakes.shake_picture(model, COLOUR, "rotations")
    with pytest.raises(InvalidParam, match="from 0 to 2"):
        shakes.shake_picture(model, COLOUR, "flip", target=7)
    with pytest.raises(InvalidParam, match="From 1 to 100"):
        shakes.mix_shakes(model, COLOUR, 0)
    with pytest.raises(InvalidParam, match="at least one"):
        shake_set(Two(), model, None, [])
    with pytest.raises(Cancelled):
        shakes.shake_all(model, COLOUR, job=ImpatientJob(2))
