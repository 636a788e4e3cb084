"""Live training: seeds, generators of its own, what goes wrong in words, and the network that comes of it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping

import numpy as np
import pytest
import torch

import xai_core
from xai_core.errors import InvalidImage, InvalidParam
from xai_core.labs import cards_at, list_cards, live
from xai_core.labs.live import training
from xai_core.labs.vocabulary import MAX_WORDS
from xai_core.models.train_small_cnn import accuracy
from xai_core.models.weights import state_sha256
from xai_core.params import Value

SHORT: Mapping[str, Value] = {
    "epochs": 2,
    "dropout": 30,
    "turn": 10,
    "move": 2,
    "norm": True,
    "wrong": 10,
    "pictures": 200,
}


@pytest.fixture(scope="module")
def usual() -> live.TrainedDigits:
    return live.train_digits()


def test_ten_epochs_learn_the_digits_within_the_time(usual: live.TrainedDigits) -> None:
    begin = time.thread_time()
    live.train_digits({"epochs": 1})
    assert 10 * (time.thread_time() - begin) < 30
    assert len(usual.epochs) == 11 and usual.accuracy > 0.9
    digits = training.digits()
    assert usual.accuracy == accuracy(usual.module, digits.held_out, digits.held_out_labels)
    assert usual.confusion.sum() == len(digits.held_out) and np.trace(usual.confusion) / 450 == usual.accuracy
    assert sum(weight.numel() for weight in usual.module.parameters()) == 10_890
    assert "have in common" in live.describe_training(usual.epochs, usual.settings, usual.exploded)[0]


def test_a_seed_gives_the_same_weights_with_two_visitors_at_once() -> None:
    runs: dict[int, live.TrainedDigits] = {}

    def train(visitor: int) -> None:
        runs[visitor] = live.train_digits(SHORT, seed=visitor % 2)

    state = torch.get_rng_state()
    threads = [threading.Thread(target=train, args=(visitor,)) for visitor in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.equal(state, torch.get_rng_state()), "nothing draws from the global generator"
    hashes = [state_sha256(runs[visitor].module) for visitor in range(4)]
    assert hashes[0] == hashes[2] != hashes[1] == hashes[3]
    assert runs[0].epochs == runs[2].epochs != runs[1].epochs


def test_an_exploding_rate_is_said_and_leaves_no_number_that_is_none() -> None:
    trained = live.train_digits(live.PRESETS["explosion"].values)
    assert (
        trained.exploded
        and "too high: in epoch" in live.describe_training(trained.epochs, trained.settings, trained.exploded)[0]
    )
    assert all(math.isfinite(entry.train_loss + entry.validation_loss) for entry in trained.epochs)
    assert all(weight.isfinite().all() for weight in trained.module.parameters())


def test_a_rate_that_kills_the_network_is_no_lack_of_epochs() -> None:
    """With this seed long steps leave the loss at that of guessing: it does not grow."""
    trained = live.train_digits({**live.PRESETS["explosion"].values, "epochs": 3}, seed=4)
    assert not trained.exploded and trained.epochs[-1].train_accuracy < 0.25
    assert "learning rate is too high" in live.describe_training(trained.epochs, trained.settings, False)[0]


@pytest.mark.parametrize(("preset", "words"), [("underfitting", "Underfitting"), ("overfitting", "learnt by heart")])
def test_presets_show_what_they_promise(preset: str, words: str) -> None:
    trained = live.train_digits(live.PRESETS[preset].values)
    sentences = live.describe_training(trained.epochs, trained.settings, trained.exploded)
    assert words in sentences[0].replace("learns them by heart", "learnt by heart")


def test_dropout_and_augmentation_do_what_their_words_say() -> None:
    generator = torch.Generator().manual_seed(0)
    ones = torch.ones(200, 100)
    dropped = training.drop(ones, 0.3, generator)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert abs(float((dropped == 0).double().mean()) - 0.3) < 0.01
    picture = torch.zeros(40, 1, 28, 28)
    picture[:, :, 13:15, 13:15] = 1
    moved = training.augment(picture, 0, 4, generator)
    places = [(part[0] > 0.4).nonzero().double().mean(0) - 13.5 for part in moved]
    farthest = max(float(place.abs().max()) for place in places)
    assert 2 < farthest <= 4.5
    assert training.augment(picture, 0, 0, generator) is picture


def test_batch_normalization_learns_at_a_rate_that_is_slow_without_it() -> None:
    plain, norm = (
        live.train_digits({"optimizer": "sgd", "rate": "0.03", "epochs": 3, "norm": flag}) for flag in (False, True)
    )
    assert norm.epochs[-1].validation_loss < plain.epochs[-1].validation_loss < plain.epochs[0].validation_loss


def test_settings_out_of_bounds_are_refused() -> None:
    for settings in ({"epochs": 0}, {"rate": "fast"}, {"wrong": 95}):
        with pytest.raises(InvalidParam):
            live.train_digits(settings)


def test_the_fresh_network_is_a_model_like_any_other_and_is_saved() -> None:
    trained = live.train_digits(SHORT)
    spec = live.put_digits(trained)
    model, digit = xai_core.load_model(spec.name), xai_core.SAMPLES.get("digit_3").load()
    assert xai_core.explain(model, digit, "saliency").heatmap.shape == (28, 28)
    first, last = live.digits_after(spec.name, 0), live.digits_after(spec.name, 2)
    assert first and last and live.digits_after(spec.name, 3) is None
    assert state_sha256(last.module) == state_sha256(trained.module) != state_sha256(first.module)
    opened = live.open_digits(live.save_digits(trained))
    assert live.put_digits(opened).name == spec.name and opened.epochs == trained.epochs
    with pytest.raises(InvalidParam):
        live.open_digits(live.save_digits(trained)[:-9])


def test_a_drawn_digit_is_centred_and_read() -> None:
    strokes = np.zeros((112, 112), dtype=bool)
    strokes[10:60, 30:37] = True
    picture = np.asarray(live.digit_picture(strokes)).astype(float)
    rows, columns = np.indices(picture.shape)
    assert abs((rows * picture).sum() / picture.sum() - 55.5) < 1
    assert abs((columns * picture).sum() / picture.sum() - 55.5) < 1
    with pytest.raises(InvalidImage):
        live.digit_picture(np.zeros((112, 112), dtype=bool))


def test_cards_are_short_and_every_setting_has_one() -> None:
    assert all(20 < topic.words <= MAX_WORDS for topic in list_cards())
    assert [param.name for param in live.PARAMS if not cards_at(f"train:{param.name}")] == []
    named = " ".join(topic.title.lower() for topic in list_cards())
    assert all(word in named for word in ("cross-entropy", "softmax", "backpropagation", "pooling", "stride"))
