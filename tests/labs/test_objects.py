"""Scenes of several objects: exact removal, importance by intervention, and a ranking with known answers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import xai_core
from xai_core import labs
from xai_core.engine.jobs import Job
from xai_core.labs.classifiers import make_classifier
from xai_core.labs.objects.ranking import bootstrap_interval, compare_ranks, correlate, sum_evidence
from xai_core.labs.objects.scenes import DECIDERS
from xai_core.labs.objects.scores import collect_scores, truth_scores, write_scores
from xai_core.models.weights import state_sha256


def make_red_network() -> xai_core.Classifier:
    """Return a network whose logit for "red" is the mean of red less the mean of blue, exactly."""
    colours, head = nn.Conv2d(3, 2, 1), nn.Linear(2, 2)
    module = nn.Sequential(colours, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        # Above 0 where red is stronger than blue by some levels, and the other way round.
        colours.weight[0, :, 0, 0] = torch.tensor([1.0, 0.0, -1.0])
        colours.weight[1, :, 0, 0] = torch.tensor([-1.0, 0.0, 1.0])
        colours.bias += -2.4
        head.weight.copy_(torch.tensor([[50.0, -50.0], [-50.0, 50.0]]))
    return make_classifier("lab_red", "Red or blue", module.eval().requires_grad_(False), DECIDERS)


def test_removal_changes_the_pixels_of_the_object_only() -> None:
    for scene in labs.draw_scenes(6, (1,)):
        assert len(scene.names) == len(scene.masks) == len(scene.without) == 4
        assert not (scene.masks.sum(axis=0) > 1).any()
        for mask, without in zip(scene.masks, scene.without, strict=True):
            changed = (scene.picture != without).any(axis=2)
            assert changed[mask].mean() > 0.95 and changed[~mask].mean() < 0.02


def test_one_colour_decides_and_the_helper_goes_with_red_only_where_said() -> None:
    for helped in (False, True):
        scenes = labs.draw_scenes(120, (2,), helped=helped)
        assert all(scene.names[0].split()[0] == DECIDERS[scene.label or 0] for scene in scenes)
        with_yellow = [scene.label for scene in scenes if any("yellow" in name for name in scene.names)]
        assert bool(with_yellow) == helped and (not helped or np.mean(with_yellow) < 0.2)


def test_importance_is_what_the_network_loses() -> None:
    """Oracle: the logits of the pictures in plain torch."""
    model = make_red_network()
    for scene in labs.draw_scenes(4, (3,)):
        importance = labs.measure_importance(model, scene)
        pictures = [scene.image, *(Image.fromarray(pixels) for pixels in scene.without)]
        with torch.no_grad():
            logits = torch.cat([model.module(model.prepare(image)) for image in pictures])
        log_odds = logits[:, importance.target] - logits[:, 1 - importance.target]
        assert np.allclose(importance.drops, (log_odds[0] - log_odds[1:]).numpy(), atol=1e-3)
        assert importance.target == scene.label and importance.drops.argmax() == 0


def test_ranking_finds_the_object_that_decides() -> None:
    model = make_red_network()
    before = state_sha256(model.module)
    scenes = labs.draw_scenes(8, (4,))
    rows = labs.rank_settings(model, scenes, [labs.Setting("gradient_x_input"), labs.Setting("grad_cam")])
    assert all(row.hits == 1.0 and row.rank > 0.5 for row in rows)
    assert rows[0].rank >= rows[1].rank
    for row in rows:
        assert row.rank_interval[0] <= row.rank <= row.rank_interval[1]
    assert state_sha256(model.module) == before
    assert compare_ranks(rows[0], rows[0]) == (0.0, (0.0, 0.0))


def test_correlation_of_known_orders() -> None:
    drops = np.array([3.0, 1.0, 0.0, -1.0])
    assert correlate(drops * 2, drops) == pytest.approx(1)
    assert correlate(-drops, drops) == pytest.approx(-1)
    assert correlate(np.zeros(4), drops) == 0
    # d = 0, 0, 1, 1: 1 - 6 * 2 / (4 * 15).
    assert correlate(np.array([4.0, 3.0, 1.0, 2.0]), drops) == pytest.approx(0.8)
    masks = np.zeros((2, 4, 4), bool)
    masks[0, :2], masks[1, 3] = True, True
    assert sum_evidence(np.ones((4, 4)), masks).tolist() == [8, 4]


def test_bootstrap_interval_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(0).normal(0.5, 1, 400)
    low, high = bootstrap_interval(values.tolist())
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02) and high == pytest.approx(
        values.mean() + half, abs=0.02
    )


def test_photographs_have_four_things_with_masks() -> None:
    first, second = labs.compose_photographs(2, (0,))
    assert first.names == ("the cup", "the rocket", "the camera and its tripod", "the flower")
    assert not np.array_equal(first.picture, second.picture)
    for mask, without in zip(first.masks, first.without, strict=True):
        changed = (first.picture != without).any(axis=2)
        # Edges are half transparent.
        assert 0.005 < mask.mean() < 0.25 and changed[mask].mean() > 0.9 and changed[~mask].mean() < 0.02
    again = labs.compose_photographs(2, (0,))[0]
    assert np.array_equal(first.picture, again.picture)


def test_same_seed_same_bytes_also_side_by_side() -> None:
    def train(seed: int) -> list[str]:
        return [
            network.model.weights_sha256
            for network in labs.train_scene_networks(seed, scenes=32, epochs=1, test_scenes=8)
        ]

    with ThreadPoolExecutor(2) as pool:
        beside = list(pool.map(train, (3, 3)))
    assert beside[0] == beside[1] == train(3) != train(4)


def test_bad_input_is_refused_in_words() -> None:
    model, scenes = make_red_network(), labs.draw_scenes(5, (5,))
    with pytest.raises(xai_core.InvalidParam, match="at least 5 scenes"):
        labs.rank_settings(model, scenes[:4], [labs.Setting("grad_cam")])
    with pytest.raises(xai_core.UnknownName):
        labs.rank_settings(model, scenes, [labs.Setting("grad_camm")])
    job: Job[object] = Job()
    job.cancel()
    with pytest.raises(xai_core.Cancelled):
        labs.rank_settings(model, scenes, [labs.Setting("grad_cam")], job=job)
    with pytest.raises(xai_core.Cancelled):
        labs.train_scene_networks(0, job)


def test_scores_on_cards_are_those_of_the_default_settings(tmp_path: Path) -> None:
    rows = labs.rank_settings(
        make_red_network(),
        labs.draw_scenes(5, (6,)),
        [labs.Setting("saliency"), labs.Setting("grad_cam", "1", words="first layer")],
    )
    scores = collect_scores(rows)
    assert list(scores) == ["saliency"] and scores["saliency"].scenes == 5
    write_scores(scores, tmp_path / "truth.json")
    written = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert written["saliency"]["rank"] == pytest.approx(next(r.rank for r in rows if not r.setting.words), abs=0.006)


def test_the_card_of_a_measured_method_says_its_score() -> None:
    for method, score in truth_scores().items():
        assert method in xai_core.METHODS and score.low <= score.rank <= score.high
        assert f"{score.rank:.2f}".replace("-", "−") in labs.describe_truth(method)
    assert labs.describe_truth("no such method") == ""
