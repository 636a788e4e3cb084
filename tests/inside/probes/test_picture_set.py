"""Probes from a picture set: objects by their masks, classes by whole pictures, a quarter held back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.zoo_networks import make_classifier
from xai_core import InvalidParam, inside
from xai_core.inside import ConceptProbe
from xai_core.inside.dissection.label_maps import sample_masks
from xai_core.models.classifier import Preprocessing


class PictureSet:
    """Grey pictures of 12 by 10 pixels; every mask is a column of its own."""

    id, title, classes = "0123", "cats and dogs", ("cat", "dog", "rare")

    def __init__(self, count: int = 60, masked: int = 60) -> None:
        self.labels = np.array([2, *(number % 2 for number in range(1, count))], dtype=np.int32)
        self.mask_flags = np.arange(count) < masked

    def __len__(self) -> int:
        return len(self.labels)

    def open(self, index: int) -> Image.Image:
        return Image.new("RGB", (12, 10), (index, index, index))

    def mask(self, index: int) -> np.ndarray | None:
        mask = np.zeros((10, 12), dtype=bool)
        mask[:, index % 12] = True
        return mask if self.mask_flags[index] else None


def list_rows(probe: ConceptProbe) -> list[int]:
    return [picture.getpixel((0, 0))[0] for picture in probe.pictures]


def test_objects_of_each_class_are_concepts() -> None:
    pictures = PictureSet()
    probe = inside.probe_from_masks(pictures)
    rows, rest = list_rows(probe), list_rows(probe.held_out)
    assert probe.concepts == ("any object", "cat", "dog")
    assert sorted(rows + rest) == list(range(60)) and len(rest) == 15
    for row, masks in zip(rows, probe.masks, strict=True):
        expected = pictures.mask(row)
        shown = [True, pictures.labels[row] == 0, pictures.labels[row] == 1]
        assert all(np.array_equal(mask, expected & here) for mask, here in zip(masks, shown, strict=True))
    assert probe.key == inside.probe_from_masks(PictureSet()).key != inside.probe_from_classes(pictures).key


def test_classes_cover_whole_pictures() -> None:
    pictures = PictureSet(masked=0)
    probe = inside.probe_from_classes(pictures)
    assert probe.concepts == ("cat", "dog")
    for row, masks in zip(list_rows(probe), probe.masks, strict=True):
        assert masks.mean((1, 2)).tolist() == [pictures.labels[row] == 0, pictures.labels[row] == 1]


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(InvalidParam, match="masks for 9 pictures"):
        inside.probe_from_masks(PictureSet(masked=9))
    with pytest.raises(InvalidParam, match="No class"):
        inside.probe_from_classes(PictureSet(count=20))


@pytest.mark.parametrize(("width", "height"), [(224, 224), (300, 200), (97, 160)])
def test_masks_are_cut_like_the_pictures(width: int, height: int) -> None:
    """A picture that is bright where its mask is stays so in what the model sees."""
    steps = Preprocessing(128, 112, (0.0,), (1.0,))
    mask = np.zeros((height, width), dtype=bool)
    mask[height // 3 : height // 2, width // 4 : width // 2] = True
    seen = steps.input_bytes(Image.fromarray((mask * 255).astype(np.uint8)))[:, :, 0] > 127
    cut = sample_masks(steps, mask[None])[0]
    assert cut.shape == seen.shape and 0.02 < cut.mean() < 0.2
    assert (cut != seen).mean() < 0.01


def test_a_network_of_the_set_can_be_dissected() -> None:
    from tests.inside.dissection.test_dissect import SIDE, make_network

    model = make_classifier(make_network(), SIDE, classes=5)
    probe = inside.probe_from_classes(PictureSet())
    result = inside.dissect(model, "1", probe)
    assert result.held_out == 15 and result.concepts == ("cat", "dog") and result.areas.sum() < 1.001
