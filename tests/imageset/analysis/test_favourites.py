"""Favourites of channels: the largest values over a set, read by hand, with the place framed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

import xai_core
from xai_core import Cancelled, InvalidImage, Job, imageset
from xai_core.models.isolation import isolate

UNREAD = 5


class Digits:
    """Thirty digits, one of which cannot be opened."""

    def __init__(self) -> None:
        self.levels = (load_digits().images[:30] * 255 / 16).astype(np.uint8)

    def __len__(self) -> int:
        return len(self.levels)

    def open(self, row: int) -> Image.Image:
        if row == UNREAD:
            raise InvalidImage("This file is damaged.")
        return Image.fromarray(self.levels[row]).resize((28, 28))


def read_maps(model: xai_core.Classifier, layer: str, picture: Image.Image) -> np.ndarray:
    outputs, module = [], isolate(model.module)
    module.get_submodule(layer).register_forward_hook(lambda _m, _i, output: outputs.append(output.clone()))
    with torch.no_grad():
        module(model.prepare(picture))
    return outputs[-1][0].numpy()


def test_favourites_are_the_largest_values_of_the_set_with_their_place_framed():
    model, digits, job = xai_core.load_model("small_cnn"), Digits(), Job()
    channels = {"conv1": 2, "conv3": 5}
    favourites = imageset.find_favourites(model, digits, channels, 3, job)
    assert job.done == job.total == 30
    for layer, channel in channels.items():
        maps = {row: read_maps(model, layer, digits.open(row))[channel] for row in range(30) if row != UNREAD}
        order = sorted(maps, key=lambda row: -maps[row].max())
        assert [favourite.row for favourite in favourites[layer]] == order[:3]
        for favourite in favourites[layer]:
            values = maps[favourite.row]
            assert favourite.value == pytest.approx(values.max(), rel=1e-4)
            (row, column), (left, top, right, bottom) = np.unravel_index(values.argmax(), values.shape), favourite.box
            assert left <= (column + 0.5) / values.shape[1] <= right
            assert top <= (row + 0.5) / values.shape[0] <= bottom


def test_a_stopped_search_stops():
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        imageset.find_favourites(xai_core.load_model("small_cnn"), Digits(), {"conv1": 0}, job=job)
