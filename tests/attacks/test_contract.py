"""The contract of every attack, looped over the registry."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from PIL import Image

import xai_core
from tests.engine.impatient_job import ImpatientJob
from tests.toy_networks import Conv, seed_weights
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core import Cancelled, InvalidImage, InvalidParam, UnknownName, attacks
from xai_core.attacks.base.balls import BALLS
from xai_core.models.classifier import Classifier
from xai_core.models.framing import frame_for_upload
from xai_core.models.weights import state_sha256

SIDE, CLASSES = 16, 5
NAMES = list(attacks.ATTACKS)
LIMITED = [name for name in NAMES if attacks.ATTACKS.get(name).epsilon is not None]


@lru_cache
def toy() -> Classifier:
    return use_plain_torch(make_classifier(seed_weights(Conv()), SIDE, classes=CLASSES))


@lru_cache
def digits() -> tuple[Classifier, Image.Image]:
    return use_plain_torch(xai_core.load_model("small_cnn")), xai_core.SAMPLES.get("digit_3").load()


def attack(name: str, image: Image.Image | None = None, model: Classifier | None = None, **more: object):
    model = model or toy()
    more.setdefault("params", dict(attacks.ATTACKS.get(name).quick_params(model.side)))
    return attacks.attack(model, image or picture(), name, **more)


def picture(seed: int = 3) -> Image.Image:
    return make_picture(seed=seed)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_says_of_itself_is_true(name: str) -> None:
    result = attack(name)
    before, after = (np.asarray(image).astype(int) for image in (result.original, result.picture))
    assert result.original.size == result.picture.size == (SIDE, SIDE)
    assert result.linf == np.abs(after - before).max()
    assert result.l2_norm == pytest.approx(np.sqrt(((after - before) ** 2).sum()))
    assert result.l2 == pytest.approx(result.l2_norm / np.sqrt(before.size))
    assert result.l0 == (after != before).any(2).sum()
    for prediction, image in ((result.before, result.original), (result.after, result.picture)):
        expected = xai_core.predict(toy(), image).classes
        assert [row[0] for row in prediction.classes] == [row[0] for row in expected]
        assert [row[2] for row in prediction.classes] == pytest.approx([row[2] for row in expected], abs=1e-6)
    says = result.after.classes[0][0]
    assert result.success is (says != result.source if result.target is None else says == result.target)
    assert result.queries > 1
    assert all(later >= earlier for earlier, later in zip(result.curve[1:], result.curve[2:], strict=False)), (
        "the best of all steps never falls"
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_still_fools_after_saving_and_reading_it(name: str) -> None:
    model, _ = digits()
    wide = xai_core.SAMPLES.get("digit_8").load().resize((301, 173))
    for used, image in ((toy(), picture()), (model, wide)):
        result = attack(name, image, used)
        file = io.BytesIO()
        result.upload.save(file, "PNG")
        again = xai_core.predict(used, xai_core.read_image(file.getvalue()), 1).classes[0]
        assert again[0] == result.after.classes[0][0]
        assert again[2] == pytest.approx(result.after.classes[0][2], abs=1e-6)


def test_around_the_attacked_part_stands_what_the_model_cuts_off() -> None:
    model = xai_core.load_model("efficientnet_lite0")
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 420, 3), dtype=np.uint8))
    seen = np.zeros((model.side, model.side, 3), np.uint8)
    framed = frame_for_upload(model, image, seen)
    side = model.preprocessing.resize
    assert framed.size == (side, side)
    assert (model.preprocessing.input_bytes(framed) == seen).all()
    resized = np.asarray(image.resize((int(side * 420 / 300), side), Image.Resampling.BICUBIC)).astype(int)
    left = round((resized.shape[1] - side) / 2)
    assert np.abs(np.asarray(framed)[:16].astype(int) - resized[:16, left : left + side]).max() <= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(BALLS)), st.integers(1, 64))
def test_no_rounding_leaves_the_ball(seed: int, norm: str, epsilon: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    center = torch.randint(0, 256, (1, 3, 9, 7), generator=generator).float()
    ball = BALLS[norm](center, epsilon)
    wild = center + torch.randn((4, 3, 9, 7), generator=generator) * epsilon * 3
    for rows in (ball.round(wild), ball.round(ball.draw(generator, 4))):
        change = (rows - center).double()
        size = change.abs().amax((1, 2, 3)) if norm == "linf" else change.square().mean((1, 2, 3)).sqrt()
        assert (size <= epsilon + 1e-9).all()
        assert (rows == rows.round()).all()
        assert ((rows >= 0) & (rows <= 255)).all()


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("epsilon", [1, 5, 64])
def test_no_value_changes_by_more_than_the_strength(name: str, epsilon: int) -> None:
    assert attack(name, epsilon=epsilon).linf <= epsilon


def test_a_limit_on_the_average_holds_for_the_bytes() -> None:
    for epsilon in (1, 7):
        assert attack("pgd", epsilon=epsilon, params={"norm": "l2", "steps": 5}).l2 <= epsilon


def test_more_steps_reach_a_chosen_class() -> None:
    model, image = digits()
    result = attack("pgd", image, model, epsilon=64, target="8", params={"steps": 30})
    assert result.success
    assert (result.label, result.after.classes[0][1]) == ("8", "8")
    assert result.target_probability is not None
    assert result.target_probability[1] > 0.5 > result.target_probability[0]


@pytest.mark.parametrize("name", NAMES)
def test_eight_threads_give_the_same_bytes_and_leave_the_model_as_it_was(name: str) -> None:
    before = state_sha256(toy().module), torch.get_rng_state().tolist(), repr(np.random.get_state())
    serial = [attack(name, seed=seed) for seed in range(2)]
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda number: attack(name, seed=number % 2), range(8)))
    for number, result in enumerate(parallel):
        assert result.picture.tobytes() == serial[number % 2].picture.tobytes()
    assert before == (state_sha256(toy().module), torch.get_rng_state().tolist(), repr(np.random.get_state()))
    assert all(p.grad is None and not p.requires_grad for p in toy().module.parameters())
    assert all(not part._forward_hooks for part in toy().module.modules())


@pytest.mark.parametrize("name", [name for name in NAMES if attacks.ATTACKS.get(name).random])
def test_the_seed_matters_where_it_is_said_to(name: str) -> None:
    results = [attack(name, seed=seed, epsilon=1 if name in LIMITED else None) for seed in range(4)]
    assert len({result.curve or result.picture.tobytes() for result in results}) > 1


@pytest.mark.parametrize("name", NAMES)
def test_it_stops_soon_after_it_is_told_to(name: str) -> None:
    job = ImpatientJob()
    with pytest.raises(Cancelled):
        attack(name, params={}, job=job)
    assert job.done <= 1 + 16


def test_in_the_background_equal_requests_are_one_job() -> None:
    planned = attacks.plan_attack(toy(), picture(), "fgsm", 8)
    first, second = (attacks.start_attack(planned, visitor) for visitor in ("one", "two"))
    assert first is second
    assert first.wait().linf == 8


def test_other_models_and_jpeg_are_asked_about_the_saved_picture() -> None:
    model, image = digits()
    result = attack("pgd", image, model, epsilon=64, params={"steps": 30})
    assert result.success
    own, foreign = attacks.try_on_models(result, [model, toy()])
    assert (own.label_before, own.label) == (result.before.classes[0][1], result.after.classes[0][1])
    assert own.is_fooled
    assert foreign.label == xai_core.predict(toy(), result.picture, 1).classes[0][1]
    assert foreign.is_fooled is (foreign.label != foreign.label_before)
    answers = attacks.try_as_jpeg(model, result)
    assert [int(answer.name) for answer in answers] == sorted((int(answer.name) for answer in answers), reverse=True)
    for answer in (answers[0], answers[-1]):
        file = io.BytesIO()
        result.upload.save(file, "JPEG", quality=int(answer.name), subsampling=0)
        label, probability = xai_core.predict(model, xai_core.read_image(file.getvalue()), 1).classes[0][1:]
        assert answer.label == label
        assert answer.probability == pytest.approx(probability, abs=1e-5)


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        ({"epsilon": 0}, InvalidParam, "from 1 to 64 grey levels"),
        ({"epsilon": 65}, InvalidParam, "from 1 to 64 grey levels"),
        ({"epsilon": 1.5}, InvalidParam, "whole number"),
        ({"target": CLASSES}, InvalidParam, "from 0 to 4"),
        ({"target": "zebra"}, UnknownName, "no class called"),
        ({"seed": -1}, InvalidParam, "seed"),
        ({"params": {"steps": 0}}, InvalidParam, "from 1 to"),
        ({"params": {"norm": "l7"}}, InvalidParam, "one of linf, l2"),
    ],
)
def test_a_wrong_request_is_refused_in_words(request_: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        attack("pgd", **request_)


def test_what_the_model_says_already_cannot_be_aimed_at() -> None:
    source = xai_core.predict(toy(), picture(), 1).classes[0][0]
    with pytest.raises(InvalidParam, match=r"says 'class \d' already"):
        attack("pgd", target=source)
    with pytest.raises(InvalidParam, match="no strength to choose"):
        attack("one_pixel", epsilon=3)
    with pytest.raises(InvalidParam, match="no strength"):
        attacks.smallest_epsilon(toy(), picture(), "deep_fool")
    with pytest.raises(UnknownName, match="no attack called"):
        attacks.attack(toy(), picture(), "hammer")
    with pytest.raises(InvalidImage):
        attacks.attack(toy(), b"bytes", "fgsm")  # type: ignore[arg-type]


def test_a_failure_is_told_by_how_far_the_probability_went() -> None:
    failed = replace(attack("fgsm"), success=False, target_probability=None, source_probability=(0.9991, 0.9987))
    label = failed.before.classes[0][1]
    assert f"{label} stays at over 99 %" in attacks.describe_attack(failed)
    moved = replace(failed, source_probability=(0.91, 0.6))
    assert f"{label} went from 91 % to 60 %" in attacks.describe_attack(moved)
