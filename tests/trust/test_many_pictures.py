"""Metrics over many pictures: a true map beats a false one, intervals cover, masks count, too few are refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image

import xai_core
from tests.trust.additive_network import SIDE, make_additive_model
from xai_core import InvalidImage, InvalidParam, trust
from xai_core.arrays import Bool
from xai_core.models.classifier import Classifier
from xai_core.trust.metrics.base.pictures import resample_mean


@dataclass
class Drawings:
    """Pictures on which the additive network says class 0; those before `marked` have their right half marked."""

    count: int
    marked: int = 0
    broken: tuple[int, ...] = ()
    id: str = "drawings"
    opened: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return self.count

    def open(self, index: int) -> Image.Image:
        self.opened.append(index)
        if index in self.broken:
            raise InvalidImage("This picture cannot be read.")
        weight = np.moveaxis(make_additive_model().module.weight.detach().numpy(), 0, -1)
        noise = np.random.default_rng(index).integers(-90, 91, (SIDE, SIDE, 3))
        return Image.fromarray((128 + noise + 30 * np.sign(weight)).clip(0, 255).astype(np.uint8))

    def mask(self, index: int) -> Bool | None:
        mask = np.zeros((SIDE, SIDE), dtype=bool)
        mask[:, SIDE // 2 :] = True
        return mask if index < self.marked else None


@pytest.fixture(scope="module")
def model() -> Classifier:
    return make_additive_model()


def test_a_true_map_beats_a_false_one_over_pictures(model: Classifier) -> None:
    methods = ["gradient_x_input", "saliency"]
    job = xai_core.Job[trust.PictureComparison]()
    result = trust.compare_over_pictures(model, Drawings(12, marked=10, broken=(11,)), methods, job=job)
    gains = result.take_metric("gain")
    assert gains.shape == (12, 2) and np.isnan(gains[11]).all() and result.count("gain") == 11
    means, ends = result.summarize("gain")
    assert means == pytest.approx(np.nanmean(gains, axis=0))
    assert (ends[:, 0] < means).all() and (means < ends[:, 1]).all()
    assert means[0] > means[1] and result.find_ties("gain", 0) == (), "its terms are the answer"
    assert "Gradient × input is best" in trust.describe_comparison(result, "gain")
    assert result.count("energy") == 10 and result.object_area[0] == pytest.approx(0.5)
    energy, _ = result.summarize("energy")
    assert energy == pytest.approx([0.5, 0.5], abs=0.05), "weights lie everywhere"
    assert "cover 50 % of their pictures" in trust.describe_anchors(result)
    assert not {"stability", "max_sensitivity"} & set(result.metrics) and 0 < job.done <= job.total


def test_a_picture_measures_as_it_does_alone(model: Classifier) -> None:
    pictures = Drawings(10)
    result = trust.compare_over_pictures(model, pictures, ["gradient_x_input"])
    image = pictures.open(3)
    alone = trust.faithfulness(model, image, xai_core.explain(model, image, "gradient_x_input", 0), shifts=0)
    assert result.take_metric("gain")[3, 0] == pytest.approx(alone.gain)
    assert np.isnan(result.summarize("energy")[0]).all() and trust.describe_anchors(result) == ""
    sentence = trust.describe_comparison(result, "energy")
    assert "no pictures have a value" in sentence and "at least 10 are needed" in sentence


def test_fewer_than_ten_pictures_prove_nothing(model: Classifier) -> None:
    pictures = Drawings(9)
    for ask in (trust.compare_over_pictures, trust.start_comparison):
        with pytest.raises(InvalidParam, match=r"at least 10 pictures: .* Got 9\."):
            ask(model, pictures, ["saliency"])
    assert not pictures.opened
    with pytest.raises(InvalidParam, match="at least one method"):
        trust.compare_over_pictures(model, Drawings(10), [])
    job: xai_core.Job[object] = xai_core.Job()
    job.cancel()
    with pytest.raises(xai_core.Cancelled):
        trust.compare_over_pictures(model, Drawings(10), ["saliency"], job=job)


def test_intervals_cover_and_equal_methods_tie() -> None:
    rng = np.random.default_rng(3)
    drawn = [resample_mean(rng.normal(size=(40, 1)))[0] for _ in range(60)]
    assert 0.85 <= np.mean([low <= 0 <= high for low, high in drawn]) < 1.0
    gains = rng.normal(size=(30, 1)) + np.array([[0.0, 0.0, -1.0]]) + rng.normal(size=(30, 3)) / 10
    methods, unknown = ("saliency", "lime", "grad_cam"), np.full(30, np.nan)
    result = trust.PictureComparison(methods, ("gain",), gains[:, :, None], unknown, unknown)
    best = int(result.summarize("gain")[0].argmax())
    ties = result.find_ties("gain", best)
    assert best < 2 and ties == (methods[1 - best],), "pictures differ far more than methods, yet that is seen"
    assert "may be as good" in trust.describe_comparison(result, "gain")
