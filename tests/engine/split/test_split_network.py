"""Occluded pictures by a split network, against the whole network in plain torch; receptive fields against the spread
of a NaN.
"""

from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import xai_core
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch, zoo_model
from xai_core.engine import evaluator
from xai_core.engine.backends import forward
from xai_core.engine.backends.openvino import translate_network
from xai_core.engine.split import split_network
from xai_core.engine.split.receptive_field import ReceptiveField, find_split_points
from xai_core.engine.split.split_network import CropPlan, OccludedImage, occlude, occluded_image_for, split_network_for


class Split(nn.Module):
    """Branches of different kernels, strides and dilations that are added and joined, then a plain head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=(1, 1))
        self.wide, self.narrow = nn.Conv2d(8, 8, 3, padding=2, dilation=2), nn.Conv2d(8, 8, 1)
        self.pool, self.deep = nn.MaxPool2d(3, 2, 1), nn.Conv2d(16, 16, 3, padding=1, groups=4)
        self.last = nn.Conv2d(16, 12, 3, stride=2)
        self.head = nn.Linear(12, 4)
        for part in self.parameters():
            part.data *= 2

    def before(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x).relu_()
        x = self.pool(torch.cat([self.wide(x) + self.narrow(x), x * 2.0], dim=1))
        return nn.functional.avg_pool2d(self.deep(x).sigmoid(), 2, stride=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.last(self.before(x)).tanh().mean((2, 3)))


def splittable_model(module: nn.Module, side: int, name: str, classes: int = 4, channels: int = 3):
    """A model whose whole network answers in plain torch, but which may be cut."""
    model = use_plain_torch(make_classifier(module, side, channels, classes, name))
    forward.forward_for(model).backend = "openvino"
    return model


def split_model(side: int = 93):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return splittable_model(Split(), side, "split")


def noise_pictures(side: int, channels: int = 3) -> torch.Tensor:
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(3)) * 2 - 1


def check_squares(model, window: int, corners: torch.Tensor) -> OccludedImage:
    """Logits of covered pictures are those of the whole network, and differ from the bare picture's."""
    x = noise_pictures(model.side, model.preprocessing.channels) * 4
    image = occluded_image_for(model, x[:1], x[1], window)
    assert image is not None
    with torch.no_grad():
        expected = model.module(occlude(x[:1], x[1], corners, window))
        bare = model.module(x[:1])
    effect = (expected - bare).abs().amax(1)
    assert effect.max() > 1e-3 and effect.min() > 0
    assert (image.logits(corners) - expected).abs().max() < 0.01 * effect.max()
    return image


@pytest.mark.parametrize("side", [93, 96])
@pytest.mark.parametrize("window", [1, 3, 6])
def test_every_place_of_a_square_gives_the_whole_networks_answer(side, window):
    """All corners, those whose square reaches over the far edge too; sides that the strides divide, and that they do
    not.
    """
    model = split_model(side)
    every = torch.cartesian_prod(torch.arange(side), torch.arange(side))[::29]
    image = check_squares(model, window, every)
    assert image.plan.side < side and image.plan.savings >= split_network.MIN_SAVINGS


@pytest.mark.parametrize("side", [93, 96])
def test_views_are_where_a_nan_spreads_to(side):
    """A NaN in one pixel makes exactly the cells NaN that see it: torch's own arithmetic says what a view has to be."""
    model = split_model(side)
    graph = translate_network(model).clone()
    graph.reshape([1, 3, side, side])
    point = next(point for point in find_split_points(graph) if point.name.endswith("AvgPool"))
    for pixel in range(side):
        x = noise_pictures(side)[:1]
        x[0, :, pixel, side // 2] = torch.nan
        with torch.no_grad():
            rows = model.module.before(x).isnan().any(3).any(1)[0].nonzero().flatten()
        first, last = point.receptive_field.cells_of(pixel, pixel)
        first, last = max(first, 0), min(last, point.cells - 1)
        assert set(rows.tolist()) <= set(range(first, last + 1))
        assert not len(rows) or (rows[0] == first and rows[-1] == last)
        for row in rows.tolist():
            low, high = point.receptive_field.pixels_of(row, row)
            assert low <= pixel <= high


def test_work_is_counted_from_the_picture_on():
    graph = translate_network(split_model()).clone()
    graph.reshape([1, 3, 93, 93])
    points = list(find_split_points(graph))
    assert points[0].receptive_field == ReceptiveField() and points[0].work == 0
    assert [point.work for point in points] == sorted(point.work for point in points) and 0.5 < points[-1].work <= 1
    names = " ".join(point.name for point in points)
    assert "Concat" not in names.split("MaxPool")[1], "what is joined later is no cut"


def test_a_residual_network_of_the_zoo():
    model = splittable_model(zoo_model("resnet18").module, 160, "resnet18 at 160", 1000)
    check_squares(model, 8, torch.tensor([(0, 0), (152, 51), (37, 90), (104, 104), (60, 13)]))


def test_tokens_see_everything_and_are_left_whole():
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches, self.head = nn.Conv2d(3, 16, 8, stride=8), nn.Linear(16, 4)
            self.mix = nn.MultiheadAttention(16, 2, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tokens = self.patches(x).flatten(2).transpose(1, 2)
            return self.head((tokens + self.mix(tokens, tokens, tokens, need_weights=False)[0]).mean(1))

    assert split_network_for(splittable_model(Tokens(), 32, "tokens")) is None


def test_what_looks_at_the_whole_picture_ends_the_cutting():
    class Squeezed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.head = (
                nn.Conv2d(3, 8, 3, padding=1),
                nn.Conv2d(8, 64, 3, padding=1),
                nn.Linear(64, 4),
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            maps = self.first(x)
            return self.head(self.second(maps * maps.mean((2, 3), keepdim=True)).relu().mean((2, 3)))

    graph = translate_network(splittable_model(Squeezed(), 32, "squeezed")).clone()
    graph.reshape([1, 3, 32, 32])
    points = list(find_split_points(graph))
    assert {point.receptive_field for point in points} == {ReceptiveField(), ReceptiveField(1, 1, 1)}
    assert not any("second" in point.name for point in points)


def test_a_wrong_view_is_found_out(monkeypatch):
    """The whole network's own maps decide, whatever was read from the graph."""
    model = split_model()
    assert split_network_for(model).crop_plan(4) is not None
    right = ReceptiveField.through_window
    monkeypatch.setattr(
        ReceptiveField, "through_window", lambda view, k, s, d, p: replace(right(view, k, s, d, p), after=0, before=0)
    )
    network = split_network_for(split_model())
    assert network is None or network.crop_plan(4) is None


def test_a_large_square_is_not_worth_it():
    network = split_network_for(split_model())
    assert network.crop_plan(4) is not None and network.crop_plan(80) is None
    assert CropPlan.build(network.point, 93, 93) is None


def test_a_network_that_is_not_compiled_or_is_large_stays_whole(monkeypatch):
    model = split_model()
    forward.forward_for(model).backend = "torch"
    assert split_network_for(model) is None
    monkeypatch.setattr(split_network, "MAX_SPLIT_BYTES", 100)
    assert split_network_for(split_model()) is None


def test_an_engine_that_cannot_run_the_parts_leaves_it_whole(monkeypatch):
    def broken(_graph):
        raise RuntimeError("no such operation")

    monkeypatch.setattr(split_network, "compile_graph", broken)
    assert split_network_for(split_model()) is None


def test_it_is_dropped_with_its_model():
    model = split_model()
    assert split_network_for(model) is split_network_for(model) is not None
    gc.collect()
    before = len(split_network.split_network_for)
    del model
    gc.collect()
    assert len(split_network.split_network_for) == before - 1


def test_occlusion_is_the_same_either_way(monkeypatch):
    """And counts the same evaluations; which way was gone is seen by who was asked."""
    model, sizes = zoo_model("efficientnet_lite0"), []
    logits = OccludedImage.logits
    monkeypatch.setattr(
        OccludedImage, "logits", lambda image, corners: sizes.append(len(corners)) or logits(image, corners)
    )
    maps = []
    for worth in (0.0, float("inf")):
        monkeypatch.setattr(evaluator, "MIN_SPLIT_S", worth)
        maps.append(
            xai_core.explain(model, make_picture(), "occlusion", params={"window": 40, "stride": 30, "patch": "blur"})
        )
    split, whole = maps
    assert sum(sizes) == 64 and np.abs(whole.values).max() > 0.05
    np.testing.assert_allclose(split.values, whole.values, atol=1e-5)
    assert split.evaluations == whole.evaluations == 66


def test_the_bundled_network_is_cut_where_a_third_is_saved():
    network = split_network_for(xai_core.load_model("efficientnet_lite0"))
    plan = network.crop_plan(16)
    assert plan.savings > 0.25 and plan.side <= 112
