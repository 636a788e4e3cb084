"""The record of a loaded network: classes and layers by name, with messages a visitor can act on."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from xai_core.errors import InvalidParam, UnknownName
from xai_core.models import Classifier, Preprocessing


def classifier(labels: tuple[str, ...] = ("tabby", "Cardigan", "cardigan", "crane", "crane", "7")) -> Classifier:
    torch_state = torch.get_rng_state()
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 36, len(labels))).eval()
    torch.set_rng_state(torch_state)
    steps = Preprocessing(resize=8, crop=8, mean=(0.5,), std=(0.5,))
    return Classifier("toy", "Toy", "toy", module, steps, labels, "0" * 64, torch.device("cpu"))


@pytest.mark.parametrize(
    ("target", "index"),
    [
        (0, 0),
        (5, 5),
        (np.int64(3), 3),
        ("tabby", 0),
        ("  TABBY ", 0),
        ("Cardigan", 1),
        ("cardigan", 2),
        ("4", 4),
        ("7", 5),
    ],
)
def test_class_index(target, index):
    result = classifier().class_index(target)
    assert result == index and type(result) is int


@pytest.mark.parametrize("target", [-1, 6, True, 1.0, None, [0], "6", "99999999999999999999"])
def test_a_class_out_of_range_says_what_is_allowed(target):
    with pytest.raises((InvalidParam, UnknownName)) as caught:
        classifier().class_index(target)
    assert str(target)[:20] in str(caught.value)
    if not isinstance(target, str):
        assert "0 to 5" in str(caught.value)


@pytest.mark.parametrize(("label", "numbers"), [("crane", ("3", "4")), ("CARDIGAN", ("1", "2"))])
def test_a_label_of_several_classes_asks_for_the_number(label, numbers):
    with pytest.raises(InvalidParam) as caught:
        classifier().class_index(label)
    assert all(f" {number} (" in str(caught.value) for number in numbers)


def test_an_unknown_label_suggests_the_nearest():
    with pytest.raises(UnknownName, match="tabby"):
        classifier().class_index("taby")


def test_layers_are_found_once_for_all_threads(monkeypatch):
    from xai_core.models import classifier as module

    calls = []
    real = module.list_layers
    monkeypatch.setattr(module, "list_layers", lambda *args: calls.append(1) or real(*args))
    model = classifier()
    threads = [threading.Thread(target=model.layers) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert [layer.name for layer in model.layers()] == ["0", "1"]
    assert model.recommended_layer == model.layer("1")


def test_a_layer_that_cannot_be_explained_is_told_from_an_unknown_one():
    with pytest.raises(InvalidParam, match=r"no picture-like output.*Recommended: 1"):
        classifier().layer("3")
    with pytest.raises(UnknownName, match="layer"):
        classifier().layer("layer4")


def test_prepare_gives_each_call_its_own_tensor():
    model, image = classifier(), Image.new("RGB", (9, 12), "white")
    first, second = model.prepare(image), model.prepare(image)
    assert first.shape == (1, 1, 8, 8) and first.dtype == torch.float32 and not first.requires_grad
    assert torch.equal(first, second) and first.data_ptr() != second.data_ptr()
    assert first.unique().tolist() == [1.0]
