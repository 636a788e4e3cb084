"""Made pictures against photographs: a check whose two ends are known, and a quiz whose answers are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.toy_networks import Conv, toy_model
from xai_core import InvalidParam, inside
from xai_core.inside import PhotographCheck


def make_stripes(seed: int, across: bool) -> Image.Image:
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(16) * 2 * np.pi / 4 + rng.uniform(0, 6)) * 60 + 128
    levels = np.tile(wave, (16, 1)) + rng.normal(0, 4, (16, 16))
    grey = (levels if across else levels.T).clip(0, 255).astype(np.uint8)
    return (
        Image.fromarray(grey).convert("RGB")
        if across
        else Image.merge("RGB", [Image.fromarray(grey)] * 2 + [Image.fromarray(255 - grey)])
    )


def test_a_photograph_of_either_kind_gets_the_value_of_its_kind():
    model = toy_model(Conv())
    liked, others = ([make_stripes(seed, across) for seed in range(1, 11)] for across in (True, False))
    same = inside.compare_with_photographs(model, make_stripes(9, True), liked, others)
    assert same.layers and min(same.likeness) > 0.5 and same.first_unlike is None
    different = inside.compare_with_photographs(model, make_stripes(9, False), liked, others)
    assert max(different.likeness) < 0.5 and different.first_unlike == different.layers[0]


def test_the_first_unlike_layer_is_that_behind_the_last_one_that_agrees():
    layers = tuple("abcd")
    assert PhotographCheck(layers, (0.1, 0.9, 0.4, 0.2)).first_unlike == "c"
    assert PhotographCheck(layers, (0.9, 0.1, 0.4, 0.6)).first_unlike is None
    assert PhotographCheck(layers, (0.1, 0.1, 0.4, 0.4)).first_unlike == "a"


def test_too_few_photographs_are_refused_in_words():
    with pytest.raises(InvalidParam, match="At least 3"):
        inside.compare_with_photographs(toy_model(Conv()), make_stripes(0, True), [make_stripes(1, True)] * 3, [])


def test_a_quiz_knows_its_answers_and_shows_nothing_twice():
    values = np.random.default_rng(0).normal(size=100)
    shown = tuple(np.argsort(-values)[:12].tolist())
    questions = inside.make_quiz(values, 8, seed=3, exclude=shown)
    numbers = [number for question in questions for number in (question.left, question.right)]
    assert len(questions) == 8 and len(set(numbers)) == 16 and not set(numbers) & set(shown)
    for question in questions:
        loser = question.left + question.right - question.answer
        assert values[question.answer] > values[loser]
    lefts = [q.answer == q.left for seed in range(40) for q in inside.make_quiz(values, 8, seed)]
    assert 0.4 < np.mean(lefts) < 0.6
    assert inside.make_quiz(values, 8, 3, shown) == questions != inside.make_quiz(values, 8, 4, shown)


def test_a_quiz_without_pictures_is_refused_in_words():
    with pytest.raises(InvalidParam, match="at least 8"):
        inside.make_quiz(np.arange(10.0), 4, 0, exclude=(1, 2, 3))
    assert inside.make_quiz(np.zeros(20), 4, 0) == ()
