"""Parts: planted ones are found, and their contributions add up to the logit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.inside.weights import hash_weights
from tests.toy_networks import SIDE, Channels, Conv, Tokens, toy_model
from tests.zoo_networks import make_classifier, make_picture
from xai_core import Cancelled, InvalidImage, InvalidParam, Job, NotApplicable, inside, load_model
from xai_core.inside import Parts

CHANNELS, COUNT = 24, 10


class PictureList:
    def __init__(self, pictures: list[Image.Image | None]) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def open(self, index: int) -> Image.Image:
        picture = self._pictures[index]
        if picture is None:
            raise InvalidImage("damaged")
        return picture


def make_network() -> nn.Module:
    generator = torch.Generator().manual_seed(3)
    conv, head = nn.Conv2d(3, CHANNELS, 4, 4), nn.Linear(CHANNELS, 5)
    with torch.no_grad():
        for weight in (*conv.parameters(), *head.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.5)
    return nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


@pytest.fixture(scope="module")
def pictures() -> PictureList:
    return PictureList([make_picture(SIDE, seed) for seed in range(30)])


@pytest.fixture(scope="module")
def model():
    return make_classifier(make_network(), SIDE, classes=5)


@pytest.fixture(scope="module")
def parts(model, pictures) -> Parts:
    return inside.find_parts(model, pictures, COUNT, seed=4)


def test_contributions_add_up_to_the_logit(model, parts: Parts) -> None:
    image, before = make_picture(SIDE, 77), hash_weights(model.module)
    with torch.no_grad():
        logits = model.module(model.prepare(image))[0].double()
    for target in (None, 2, (2, 4)):
        result = inside.explain_parts(model, image, parts, target)
        top = int(logits.argmax()) if target is None else target
        expected = float(logits[top[0]] - logits[top[1]]) if isinstance(top, tuple) else float(logits[top])
        assert result.logit == pytest.approx(expected, abs=1e-4)
        assert result.values.sum() + result.residual + result.bias == pytest.approx(expected, abs=1e-4)
        assert result.maps.shape == (COUNT, 4, 4) and result.maps.min() >= 0
        assert np.abs(result.values).sum() > 0.1
    assert hash_weights(model.module) == before


def test_strengths_are_the_best_non_negative_ones(model, parts: Parts) -> None:
    image = make_picture(SIDE, 78)
    maps = inside.activations(model, image, "1").values
    ours = inside.explain_parts(model, image, parts, 0).maps.reshape(COUNT, -1).T
    from scipy.optimize import nnls

    for place, strengths in zip(maps.reshape(CHANNELS, -1).T, ours, strict=True):
        expected, _ = nnls(parts.directions.T.astype(np.float64), place.astype(np.float64))
        assert strengths == pytest.approx(expected * np.linalg.norm(parts.directions, axis=1), abs=1e-4)


def test_the_record_of_the_search(model, parts: Parts, pictures: PictureList) -> None:
    assert parts.directions.shape == (COUNT, CHANNELS) and parts.directions.min() >= 0
    assert ((parts.stability > 0) & (parts.stability <= 1 + 1e-6)).all()
    assert 0.8 < parts.explained <= 1 and parts.pictures == 30
    result = [inside.explain_parts(model, pictures.open(row), parts, 0).maps for row in range(30)]
    strongest = np.array([maps.max((1, 2)) for maps in result])
    assert parts.top[0, 0] in np.argsort(-strongest[:, 0])[:3]
    row, column = parts.places[0, 0]
    assert result[parts.top[0, 0]][0, row, column] >= 0.9 * strongest[parts.top[0, 0], 0]


def test_the_seed_decides(model, parts: Parts, pictures: PictureList) -> None:
    again = inside.find_parts(model, pictures, COUNT, seed=4)
    assert again.directions.tobytes() == parts.directions.tobytes()
    assert inside.find_parts(model, pictures, COUNT, seed=5).directions.tobytes() != parts.directions.tobytes()


def test_planted_parts_are_found() -> None:
    """Each place shows one of ten colours, and each colour lights one channel alone: these are the parts."""
    colours = np.random.default_rng(1).integers(0, 256, (COUNT, 3))
    norms = colours / np.linalg.norm(colours, axis=1, keepdims=True)
    conv = nn.Conv2d(3, COUNT, 4, 4)
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(norms).float()[:, :, None, None].expand(-1, -1, 4, 4) / 16)
        conv.bias.fill_(0)

    class Winner(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * (x == x.amax(1, keepdim=True))

    network = nn.Sequential(conv, Winner(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(COUNT, 5))
    model, rng = make_classifier(network, SIDE, classes=5), np.random.default_rng(2)
    pictures = [
        Image.fromarray(np.kron(colours[rng.integers(0, COUNT, (4, 4))], np.ones((4, 4, 1))).astype(np.uint8))
        for _ in range(40)
    ]
    parts = inside.find_parts(model, PictureList(pictures), COUNT)
    assert parts.explained > 0.999
    assert parts.stability.min() > 0.99
    shares = parts.directions / parts.directions.sum(1, keepdims=True)
    assert sorted(shares.argmax(1)) == list(range(COUNT)) and shares.max(1).min() > 0.98


@pytest.mark.parametrize(
    ("network", "sentence"), [(Conv, None), (Channels, None), (Tokens, "does not average its last maps")]
)
def test_other_heads_are_refused_in_words(network: type, sentence: str | None, pictures: PictureList) -> None:
    if sentence:
        with pytest.raises(NotApplicable, match=sentence):
            inside.find_parts(toy_model(network()), pictures)
    else:
        assert inside.find_parts(toy_model(network()), pictures).pictures == 30


def test_negative_maps_and_other_bad_input_are_refused_in_words(model, pictures: PictureList) -> None:
    negative = make_network()
    negative[1] = nn.SiLU()
    with pytest.raises(NotApplicable, match="negative values"):
        inside.find_parts(make_classifier(negative, SIDE, classes=5), pictures)
    with pytest.raises(NotApplicable, match="does not average"):
        inside.find_parts(load_model("small_cnn"), PictureList([make_picture(28)] * 12))
    for count in (9, 21, 12.5):
        with pytest.raises(InvalidParam):
            inside.find_parts(model, pictures, count)  # type: ignore[arg-type]
    with pytest.raises(InvalidParam, match="at least 10 pictures"):
        inside.find_parts(model, PictureList([make_picture(SIDE)] * 8 + [None] * 8))


def test_only_pictures_of_one_class_are_used_on_request(pictures: PictureList) -> None:
    network = make_network()
    model = make_classifier(network, SIDE, classes=5)
    x = torch.cat([model.prepare(pictures.open(row)) for row in range(30)])
    with torch.no_grad():
        # Half of the pictures are of the first class then.
        logits = network(x)
        network[-1].bias[0] += (logits[:, 1:].amax(1) - logits[:, 0]).median() + 1e-4
        classes = network(x).argmax(1).tolist()
    assert 10 <= classes.count(0) < 30, "the case is not trivial"
    parts = inside.find_parts(model, pictures, COUNT, only_class=0)
    assert parts.pictures == classes.count(0)
    assert {classes[row] for row in parts.top.ravel()} == {0}
    rare = min(range(5), key=classes.count)
    with pytest.raises(InvalidParam, match="Use all pictures of the set instead"):
        inside.find_parts(model, pictures, COUNT, only_class=rare)


def test_it_can_be_stopped(model, pictures: PictureList) -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        inside.find_parts(model, pictures, job=job)
