"""Hiding parts: what the model is shown, its probabilities, masks from maps, and the game against the method."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import pytest
import torch
from PIL import Image

import xai_core
from tests.toy_networks import Conv, seed_weights
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core import InvalidParam, UnknownName, what_if
from xai_core.images import fill
from xai_core.models.classifier import Classifier

SIDE, CLASSES = 16, 5


@lru_cache
def toy() -> Classifier:
    return use_plain_torch(make_classifier(seed_weights(Conv()), SIDE, classes=CLASSES))


@lru_cache
def digits() -> tuple[Classifier, Image.Image]:
    return use_plain_torch(xai_core.load_model("small_cnn")), xai_core.SAMPLES.get("digit_3").load()


def corner() -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[:8, :4] = True
    return mask


def ask(model: Classifier, pixels: np.ndarray) -> np.ndarray:
    """Ask plain torch about pixels (H, W, C) in 0..1."""
    with torch.no_grad():
        logits: torch.Tensor = model.module(model.preprocessing.to_tensor(pixels.astype(np.float32)))
    return logits[0].softmax(0).numpy()


def see(model: Classifier, image: Image.Image) -> np.ndarray:
    return model.preprocessing.input_bytes(image) / np.float32(255)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("filling", list(what_if.FILLINGS))
def test_the_model_is_shown_what_was_not_hidden(filling: str, keep: bool) -> None:
    image = make_picture(seed=3)
    result = what_if.hide(toy(), image, corner(), filling, keep=keep, seed=4)
    hidden = ~corner() if keep else corner()
    before, after = see(toy(), image), see(toy(), result.picture)
    assert result.share == pytest.approx(hidden.mean())
    np.testing.assert_allclose(after[~hidden], before[~hidden], atol=1e-6)
    expected = {
        "black": 0.0,
        "grey": 128 / 255,
        "mean": before.mean((0, 1)),
        "surroundings": fill(before, hidden)[hidden],
    }
    if filling in expected:
        np.testing.assert_allclose(after[hidden], np.broadcast_to(expected[filling], after[hidden].shape), atol=3e-3)
    else:
        assert np.abs(after[hidden] - before[hidden]).mean() > 0.02
    np.testing.assert_allclose(result.before, ask(toy(), before), atol=1e-5)
    # The picture is rounded to whole levels, the model was shown finer ones.
    np.testing.assert_allclose(result.after, ask(toy(), after), atol=5e-3)


def test_the_model_itself_sees_unrounded_pixels() -> None:
    image, mask = make_picture(seed=3), corner()
    pixels = np.where(mask[..., None], np.float32(0.5), see(toy(), image))
    np.testing.assert_allclose(what_if.hide(toy(), image, mask, "grey").after, ask(toy(), pixels), atol=1e-6)


def test_noise_has_a_seed() -> None:
    image = make_picture(seed=3)
    first, second, third = (
        np.asarray(what_if.hide(toy(), image, corner(), "noise", seed=seed).picture) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_changes_list_the_top_classes_and_the_chosen_one_once() -> None:
    result = what_if.hide(toy(), make_picture(seed=3), corner(), "black")
    for top, chosen in ((1, 4), (2, None), (5, 3)):
        changes = result.list_changes(chosen, top)
        indices = [change.index for change in changes]
        assert len(set(indices)) == len(indices)
        assert indices[0] == result.after.argmax()
        assert {int(result.before.argmax()), *(() if chosen is None else (chosen,))} <= set(indices)
        for change in changes:
            assert change.label == toy().labels[change.index]
            assert (change.before, change.after) == (result.before[change.index], result.after[change.index])


@pytest.mark.parametrize(
    ("mask", "keep", "words"),
    [
        (np.zeros((SIDE, SIDE), dtype=bool), False, "Nothing is painted yet"),
        (np.zeros((SIDE, SIDE), dtype=bool), True, "Nothing is painted yet"),
        (np.ones((SIDE, SIDE), dtype=bool), False, "Everything is hidden"),
        (np.ones((SIDE, SIDE + 1), dtype=bool), False, r"16 × 16 pixels. Got 17 × 16. Clear it and paint again"),
    ],
)
def test_a_mask_that_hides_nothing_or_everything_is_refused(mask: np.ndarray, keep: bool, words: str) -> None:
    for filling in what_if.FILLINGS:
        with pytest.raises(InvalidParam, match=words):
            what_if.hide(toy(), make_picture(seed=3), mask, filling, keep=keep)


def test_an_unknown_filling_is_refused() -> None:
    with pytest.raises(UnknownName, match="grey"):
        what_if.hide(toy(), make_picture(seed=3), corner(), "gray")


def test_eight_threads_get_their_own_numbers() -> None:
    image = make_picture(seed=3)
    masks = [np.roll(corner(), place, axis=1) for place in range(12)]
    expected = [what_if.hide(toy(), image, mask) for mask in masks]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda mask: what_if.hide(toy(), image, mask), masks))
    assert len({tuple(result.after) for result in expected}) == len(masks)
    for answer, alone in zip(answers, expected, strict=True):
        assert answer.picture.tobytes() == alone.picture.tobytes()
        # Batches with other visitors' pictures round differently.
        np.testing.assert_allclose(answer.after, alone.after, atol=1e-6)


def test_the_strongest_part_of_a_map() -> None:
    heat = np.arange(100, dtype=np.float32).reshape(10, 10) - 50
    assert np.array_equal(what_if.select_strongest(heat, 0.25), heat >= 25)
    assert not what_if.select_strongest(heat, 0).any()
    assert what_if.select_strongest(heat, 1).all()
    heat[heat < 30] = 0
    # Equal values are not torn apart.
    assert np.array_equal(what_if.select_strongest(heat, 0.5), heat > 0)
    assert not what_if.select_strongest(np.ones((4, 4), dtype=np.float32), 0.9).any()


def test_a_threshold_curve_is_what_hiding_and_keeping_give_at_each_share() -> None:
    model, image = digits()
    heat = xai_core.explain(model, image, "occlusion").heatmap
    curve = what_if.follow_threshold(model, image, heat, 3, "grey", shares=(0.1, 0.4))
    for place, share in enumerate((0.1, 0.4)):
        mask = what_if.select_strongest(heat, share)
        assert curve.shares[place] == pytest.approx(mask.mean())
        for values, keep in ((curve.when_hidden, False), (curve.when_alone, True)):
            result = what_if.hide(model, image, mask, "grey", keep=keep)
            assert values[place] == pytest.approx(float(result.after[3]), abs=1e-6)
    assert curve.whole == pytest.approx(float(what_if.hide(model, image, mask, "grey").before[3]), abs=1e-6)
    # What speaks for a class takes it away, at a digit that the network is sure of.
    assert curve.when_hidden[1] < 0.5 < curve.whole


@pytest.mark.parametrize("mode", ["flip", "keep"])
@pytest.mark.parametrize("pieces", ["windows", "superpixels"])
def test_the_game_gives_the_method_its_own_figures(mode: str, pieces: str) -> None:
    """Played with the method's own pieces the game must come to the method's area, lead and answer."""
    model, image = digits()
    params = {"mode": mode, "pieces": pieces, "segments": 20, "replace": "grey"}
    solution = xai_core.explain(model, image, "adaptive_occlusion", params=params)
    game = what_if.prepare_challenge(model, image, params)
    part = game.select_pieces(solution.heatmap != 0)
    attempt = game.try_pieces(part)
    details = solution.details
    assert attempt.pieces == details["pieces"] > 0
    assert attempt.share == pytest.approx(details["area"])
    assert attempt.lead == pytest.approx(details["lead_after"], abs=1e-4)
    assert attempt.reached == bool(details["reached"])
    assert attempt.answer == model.labels[int(details["answer"])]
    assert (attempt.answer == game.label) is (attempt.reached is game.keeps)
    # With one piece less it is not reached: the search stopped as soon as it was.
    assert not game.try_pieces(np.zeros_like(part)).reached


def test_the_game_shows_the_pieces_that_it_hides() -> None:
    model, image = digits()
    game = what_if.prepare_challenge(model, image, {"pieces": "windows", "segments": 16, "replace": "grey"})
    part = np.zeros(16, dtype=bool)
    part[[0, 5]] = True
    attempt = game.try_pieces(part)
    hidden = part[game.labels]
    after = np.asarray(attempt.picture)
    assert (after[hidden] == 128).all()
    assert np.array_equal(after[~hidden], np.asarray(model.preprocessing.model_input(image))[~hidden])
    assert attempt.share == pytest.approx(2 / 16, abs=0.01)
    with pytest.raises(InvalidParam, match=r"16 pieces\. Got 3"):
        game.try_pieces(np.zeros(3, dtype=bool))


def test_a_piece_counts_where_more_than_half_is_painted() -> None:
    model, image = digits()
    game = what_if.prepare_challenge(model, image, {"pieces": "windows", "segments": 16})
    mask = np.zeros((28, 28), dtype=bool)
    mask[:7, :4] = mask[:7, 7:10] = True
    assert np.flatnonzero(game.select_pieces(mask)).tolist() == [0]
