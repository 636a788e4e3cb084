"""Groups of rows against counting by hand, and the mean map against the mean of single maps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.toy_networks import CLASSES, SIDE, Conv, toy_model
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidImage, InvalidParam
from xai_core.imageset.analysis.groups import _count_names, describe_group, mean_attribution
from xai_core.methods import explain
from xai_core.models.classifier import Classifier

NAMES = [f"class {number}" for number in range(CLASSES)]


class Pictures:
    """A set of drawn pictures; one of them cannot be read and one is black."""

    classes = ("cat", "dog")
    labels = np.array([0, 1, 1, 0, -1, 1])

    def __len__(self) -> int:
        return 6

    def open(self, index: int) -> Image.Image:
        if index == 4:
            raise InvalidImage("This is no picture.")
        noise = np.random.default_rng(index).integers(0, 255, (SIDE, SIDE, 3))
        return Image.fromarray(noise.astype(np.uint8))


SET: Any = Pictures()
PASS: Any = SimpleNamespace(
    logits=np.zeros((6, CLASSES)),
    valid=np.array([True, True, True, True, False, True]),
    predictions=np.array([0, 2, 2, 1, 0, 1]),
    confidence=np.array([0.9, 0.8, 0.7, 0.6, np.nan, 0.5]),
)
TRUTH = np.array([0, 1, 1, 0, 1, -1])


def test_a_group_is_counted_as_by_hand() -> None:
    result = describe_group(SET, PASS, [5, 4, 3, 2, 1, 0, 0], TRUTH, NAMES)
    assert (result.count, result.failed) == (5, 1)
    assert result.labels == (("dog", 3), ("cat", 2))
    assert result.predicted == (("class 1", 2), ("class 2", 2), ("class 0", 1))
    assert [(item.truth_name, item.predicted_name, item.count) for item in result.confusions] == [
        ("class 1", "class 2", 2),
        ("class 0", "class 1", 1),
    ]
    assert result.confidence == pytest.approx(0.7) and result.accuracy == 0.25


def test_a_group_of_which_nobody_knows_the_truth_has_no_mistakes() -> None:
    result = describe_group(SET, PASS, [1, 2], labels=NAMES)
    assert result.confusions == () and np.isnan(result.accuracy)
    none = describe_group(SET, PASS, [], TRUTH, NAMES)
    assert none.count == 0 and none.labels == () and np.isnan(none.confidence)


def test_rows_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InvalidParam, match=r"0 to 5. Got 2 to 6"):
        describe_group(SET, PASS, [2, 6], TRUTH, NAMES)


@pytest.fixture(scope="module")
def model() -> Classifier:
    return toy_model(Conv())


def test_the_mean_map_is_the_mean_of_maps_that_all_count_the_same(model: Classifier) -> None:
    job: Job[None] = Job()
    result = mean_attribution(SET, model, [3, 0, 4, 1], job=job)
    heats = [np.abs(explain(model, SET.open(row), "grad_cam").heatmap) for row in (0, 1, 3)]
    seen = [heat / heat.max() for heat in heats if heat.any()]
    assert len(seen) >= 2 and not np.allclose(seen[0], seen[1]), "or the mean would say nothing"
    assert result.heatmap.shape == (SIDE, SIDE) and result.heatmap.dtype == np.float32
    assert np.abs(result.heatmap - np.mean(seen, axis=0)).max() < 1e-5
    assert len(result.rows) + result.empty == 3 and result.unread == 1
    assert job.done == job.total == 4 and result.selected == 4
    look = np.mean(
        [np.asarray(model.preprocessing.model_input(SET.open(row)), dtype=float) for row in result.rows], axis=0
    )
    assert np.abs(np.asarray(result.background, dtype=float) - look).max() <= 0.5 and look.std() > 1


def test_of_many_pictures_some_are_taken_evenly(model: Classifier) -> None:
    result = mean_attribution(SET, model, range(6), "saliency", limit=2)
    assert result.rows == (0, 5) and result.selected == 6


def test_a_group_without_a_usable_picture_is_refused_in_words(model: Classifier) -> None:
    with pytest.raises(InvalidImage, match="None of these pictures"):
        mean_attribution(SET, model, [4])
    with pytest.raises(InvalidParam, match="at least one picture"):
        mean_attribution(SET, model, [])


def test_stopping_the_whole_stops_the_map_being_made(model: Classifier) -> None:
    job: Job[None] = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        mean_attribution(SET, model, [0, 1], job=job)
    assert job.done == 0


def test_equally_frequent_numbers_are_in_natural_order() -> None:
    assert _count_names(["10", "2", "1", "10", "a"]) == (("10", 2), ("1", 1), ("2", 1), ("a", 1))
