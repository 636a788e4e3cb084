"""Directions against slow re-implementations, and scores against Captum's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.concept import TCAV, Classifier, Concept
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader

from tests.zoo_networks import make_classifier, make_picture
from xai_core import inside
from xai_core.inside.concepts.directions import (
    draw_splits,
    find_step,
    measure_chance,
    measure_held_out,
    measure_scale,
    split_folds,
)

SIDE = 8


@pytest.fixture
def groups() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    mixing = rng.normal(size=(6, 6))
    return rng.normal(size=(17, 6)) @ mixing + 1.5 * mixing[0], rng.normal(size=(41, 6)) @ mixing


def test_a_step_is_one_deviation_along_the_difference(groups) -> None:
    concept, random = groups
    spread = measure_scale(random)
    step, distance = find_step(concept, random, spread)
    assert np.allclose(step * distance, concept.mean(0) - random.mean(0))
    along = step / spread / np.linalg.norm(step / spread)
    values = [rows / spread @ along for rows in groups]
    pooled = np.sqrt(sum(((row - row.mean()) ** 2).sum() for row in values) / (17 + 41 - 2))
    assert np.linalg.norm(step / spread) == pytest.approx(pooled)


def test_held_out_figures_equal_a_plain_loop(groups) -> None:
    concept, random = groups
    spread = measure_scale(random)
    result = measure_held_out(concept, random, spread, np.random.default_rng(8))
    values, labels = np.concatenate(groups) / spread, np.arange(58) < 17
    parts = split_folds(labels, np.random.default_rng(8))
    assert all(abs((parts[labels] == part).sum() - 17 / 5) < 1 for part in range(5))
    shares, areas, right = [], [], np.zeros(58, dtype=bool)
    for part in range(5):
        learnt, held = parts != part, parts == part
        means = [values[learnt & labels].mean(0), values[learnt & ~labels].mean(0)]
        along = values @ (means[0] - means[1])
        says = along > (means[0] + means[1]) @ (means[0] - means[1]) / 2
        shares.append((says[held & labels].mean() + (~says)[held & ~labels].mean()) / 2)
        areas.append(roc_auc_score(labels[held], along[held]))
        judge = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
        right[held] = judge.fit(values[learnt], labels[learnt]).predict(values[held]) == labels[held]
    assert result.accuracy == pytest.approx(np.mean(shares)) and 0.6 < result.accuracy < 1
    assert result.auc == pytest.approx(np.mean(areas))
    assert result.second == pytest.approx((right[labels].mean() + right[~labels].mean()) / 2)


def test_chance_is_one_half(groups) -> None:
    random = groups[1]
    chance = measure_chance(random, measure_scale(random), 15, 300, np.random.default_rng(0))
    assert chance.shape == (300,) and chance.mean() == pytest.approx(0.5, abs=0.03) and chance.std() > 0.03
    splits = draw_splits(41, 15, 300, np.random.default_rng(0))
    assert (splits.sum(1) == 15).all() and len(np.unique(splits, axis=0)) == 300


class FourPlaces(nn.Module):
    """Six maps of two by two places, and logits that bend."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(4)
        self.maps, self.head = nn.Conv2d(3, 6, SIDE // 2, SIDE // 2), nn.Linear(24, 3)
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.tanh(self.maps(x)).flatten(1) ** 2)


class FixedDirection(Classifier):
    """A classifier of Captum's whose weights are a direction that is known already."""

    def __init__(self, direction: np.ndarray) -> None:
        self.direction = torch.from_numpy(direction).float()

    def train_and_eval(self, dataloader: DataLoader, **kwargs: object) -> None:
        for _ in dataloader:
            pass

    def weights(self) -> torch.Tensor:
        return torch.stack([self.direction, -self.direction])

    def classes(self) -> list[int]:
        return [0, 1]


def test_score_equals_that_of_captum_with_the_same_direction(tmp_path) -> None:
    model = make_classifier(FourPlaces(), SIDE, classes=3)
    concept, random, examples = (
        [make_picture(SIDE, seed) for seed in range(first, first + count)]
        for first, count in ((0, 12), (20, 24), (60, 30))
    )
    sets = [
        Concept(number, name, DataLoader([model.prepare(picture)[0] for picture in pictures], batch_size=4))
        for number, (name, pictures) in enumerate((("idea", concept), ("random", random)))
    ]
    inputs, shares = torch.cat([model.prepare(picture) for picture in examples]), []
    for target in range(3):
        record = inside.concept_scores(model, "maps", target, {"idea": concept}, examples, random)["idea"]
        captum = TCAV(
            model.module,
            ["maps"],
            model_id="four_places",
            # Captum knows places: the same step at each of them.
            classifier=FixedDirection(np.repeat(record.direction, 4)),
            save_path=str(tmp_path / str(target)),
        )
        scores = captum.interpret(inputs, [sets], target=target)["0-1"]["maps"]
        assert record.score == pytest.approx(float(scores["sign_count"][0]))
        assert record.strength == pytest.approx(float(scores["magnitude"][0]), abs=1e-5)
        shares.append(record.score)
    assert len({round(share, 3) for share in shares}) > 1 and any(0 < share < 1 for share in shares)
