"""Pictures with hidden patches by a split network, against the whole network; colors against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import xai_core
from tests.engine.split.test_split_network import noise_pictures, split_model
from tests.zoo_networks import make_picture, zoo_model
from xai_core.engine import evaluator
from xai_core.engine.split import patch_combinations
from xai_core.engine.split.patch_combinations import PatchCombinations, color_patches, find_visible_patches
from xai_core.engine.split.receptive_field import ReceptiveField, SplitPoint
from xai_core.engine.split.split_network import split_network_for

SIDE = 93


def stripes(width: int, side: int = SIDE) -> np.ndarray:
    """Uneven patches: slanted stripes cut by level ones."""
    rows, columns = np.mgrid[:side, :side]
    parts = (rows + columns // 3) // width * 100 + columns // (width + 3)
    return np.unique(parts, return_inverse=True)[1].reshape(parts.shape)


def make_composer(labels: np.ndarray, x: torch.Tensor, hidden: torch.Tensor):
    where = torch.from_numpy(labels)
    return lambda rows: torch.where(rows[:, where][:, None] > 0, x, hidden)


def fill_combinations(network, labels, compose) -> tuple[PatchCombinations, bool]:
    patches = PatchCombinations(network, labels, compose)
    return patches, patches.fill(patches.run_head(part) for part in patches.combinations.split(16))


def test_any_choice_of_patches_gives_the_whole_networks_answer():
    model, labels, (x, hidden) = split_model(SIDE), stripes(30), noise_pictures(SIDE) * 4
    compose = make_composer(labels, x, hidden)
    patches, good = fill_combinations(split_network_for(model), labels, compose)
    assert good and patches.count > 8 and len(patches.combinations) < 2**patches.count / 2
    rows = torch.randint(0, 2, (60, patches.count), generator=torch.Generator().manual_seed(2)).float()
    rows[0], rows[1] = 1, 0
    with torch.no_grad():
        expected = model.module(compose(rows))
    assert torch.unique(expected[:, 0]).numel() == 60 and expected[:, 0].std() > 1e-3
    assert (patches.logits(rows) - expected).abs().max() < 0.01 * expected.std(0).min()


def test_no_cell_sees_two_patches_of_a_colour():
    """Counted by hand: the patches among the pixels of every cell's window."""
    labels, cut = stripes(6), SplitPoint("", ReceptiveField(4, 6, 5), 11, 0.5, 0.0)
    seen = find_visible_patches(labels, cut)
    colours, most = color_patches(seen), 0
    for row in range(11):
        for column in range(11):
            window = labels[max(4 * row - 6, 0) : 4 * row + 6, max(4 * column - 6, 0) : 4 * column + 6]
            inside = np.unique(window)
            assert np.flatnonzero(seen[:, row * 11 + column]).tolist() == inside.tolist()
            assert len(set(colours[inside].tolist())) == len(inside)
            most = max(most, len(inside))
    assert 3 < most <= colours.max() + 1 <= most + 2, "nearly as few as there can be"


def test_choices_that_differ_from_the_network_are_not_used():
    """Patches coloured as if a cell saw next to nothing: what is kept then belongs to other choices."""
    model, labels, (x, hidden) = split_model(SIDE), stripes(20), noise_pictures(SIDE) * 4
    network, compose = split_network_for(model), make_composer(labels, x, hidden)
    assert fill_combinations(network, labels, compose)[1]
    network.point = SplitPoint(
        network.point.name,
        ReceptiveField(network.point.receptive_field.stride),
        network.point.cells,
        network.point.work,
        network.point.copy_cost,
    )
    assert not fill_combinations(network, labels, compose)[1]


def test_it_has_to_be_worth_it():
    patches = PatchCombinations(split_network_for(split_model(SIDE)), stripes(30), lambda rows: rows)
    pictures = len(patches.combinations)
    assert patches.is_worthwhile(patch_combinations.MIN_REUSE * pictures) and not patches.is_worthwhile(
        patch_combinations.MIN_REUSE * pictures - 1
    )


@pytest.mark.parametrize(("method", "samples"), [("lime", 70), ("kernel_shap", 40)])
def test_maps_are_the_same_either_way(monkeypatch, method, samples):
    model, sizes, maps = zoo_model("efficientnet_lite0"), [], []
    logits = PatchCombinations.logits
    monkeypatch.setattr(
        PatchCombinations, "logits", lambda patches, rows: sizes.append(len(rows)) or logits(patches, rows)
    )
    for worth in (0.0, float("inf")):
        monkeypatch.setattr(evaluator, "MIN_SPLIT_S", worth)
        maps.append(
            xai_core.explain(
                model,
                make_picture(),
                method,
                params={"segments": 9, "samples": samples, "features": 5}
                if method == "lime"
                else {"segments": 9, "samples": samples},
            )
        )
    cut, whole = maps
    assert sum(sizes) >= samples and np.abs(whole.values).max() > 0.05
    np.testing.assert_allclose(cut.values, whole.values, atol=1e-4)
    assert cut.evaluations == whole.evaluations


@pytest.mark.parametrize("part", ["head", "tail"])
def test_parts_that_fail_leave_it_to_the_whole_network(monkeypatch, part):
    """The engine breaks in the middle of a map: the map is made all the same."""
    model = zoo_model("efficientnet_lite0")
    cut, params = split_network_for(model), {"segments": 9, "samples": 40, "features": 5}
    monkeypatch.setattr(evaluator, "MIN_SPLIT_S", float("inf"))
    expected = xai_core.explain(model, make_picture(), "lime", params=params).values
    broken = []

    def fail(batch: torch.Tensor) -> torch.Tensor:
        broken.append(len(batch))
        raise RuntimeError("the engine is gone")

    monkeypatch.setattr(evaluator, "MIN_SPLIT_S", 0.0)
    monkeypatch.setattr(cut, part, fail)
    np.testing.assert_allclose(
        xai_core.explain(model, make_picture(), "lime", params=params).values, expected, atol=1e-4
    )
    assert broken
