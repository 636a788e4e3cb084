"""Curves: the probability of a class, and the answer, at every step of a shake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from xai_core.arrays import UInt8
from xai_core.engine.answers import ask_model
from xai_core.engine.jobs import Job
from xai_core.models.classifier import Classifier
from xai_core.params import check_seed
from xai_core.shakes.base.spec import SHAKES, Shake


@dataclass(frozen=True)
class Point:
    """A step of a shake: the class asked about, and the answer."""

    value: float
    words: str
    """The value in words."""
    probability: float
    """Of the class asked about."""
    answer: str
    """Label of the likeliest class."""
    answer_probability: float
    is_same: bool
    """True if the answer is the one to the picture as it is."""


@dataclass(frozen=True)
class Curve:
    """A class along one shake."""

    shake: Shake
    label: str
    """Label of the class asked about."""
    before: Point
    """The picture as it is."""
    points: tuple[Point, ...]

    @property
    def stability(self) -> float:
        """Share of the steps at which the answer stays, 0 to 1; the picture as it is does not count."""
        steps = [point for point in self.points if point.value != self.shake.neutral]
        return sum(point.is_same for point in steps) / len(steps)

    @property
    def nearest_change(self) -> Point | None:
        """The step closest to the picture as it is at which the answer is another one, if there is any."""
        values = self.shake.values
        start = 0 if self.shake.neutral is None else values.index(self.shake.neutral)
        changes = [(abs(place - start), place) for place, point in enumerate(self.points) if not point.is_same]
        return self.points[min(changes)[1]] if changes else None


def shake_picture(
    model: Classifier,
    image: Image.Image,
    shake: str,
    target: int | str | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> Curve:
    """Return the probability of a class (None: the top one) at every step of a shake of the picture the model sees.

    Raises UnknownName, InvalidParam, Cancelled.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> curve = shake_picture(model, image, "flip")
    >>> [point.words for point in curve.points], curve.points[0].is_same
    (['as it is', 'left and right', 'top and bottom', 'both'], True)
    """
    return _draw_curves(model, image, [SHAKES.get(shake)], target, seed, job)[0]


def shake_all(
    model: Classifier, image: Image.Image, target: int | str | None = None, seed: int = 0, job: Job[Any] | None = None
) -> tuple[Curve, ...]:
    """Return the curve of every shake, in the registry's order. Raises UnknownName, InvalidParam, Cancelled."""
    return _draw_curves(model, image, SHAKES.specs(), target, seed, job)


def shaken_bytes(model: Classifier, image: Image.Image, shake: Shake, value: float, seed: int) -> UInt8:
    """Return what the model sees of the shaken picture, (H, W, C) in 0..255."""
    steps = model.preprocessing
    return steps.to_bytes(shake.apply(steps.model_input(image), value, seed))


def _draw_curves(
    model: Classifier,
    image: Image.Image,
    shakes: Sequence[Shake],
    target: int | str | None,
    seed: int,
    job: Job[Any] | None,
) -> tuple[Curve, ...]:
    index = None if target is None else model.class_index(target)
    seed, job = check_seed(seed), job or Job()
    job.expect(1 + sum(len(shake.values) for shake in shakes))
    seen = model.preprocessing.model_input(image)

    def draw() -> Iterator[UInt8]:
        yield model.preprocessing.to_bytes(seen)
        for shake in shakes:
            for value in shake.values:
                yield model.preprocessing.to_bytes(shake.apply(seen, value, seed))

    probabilities = ask_model(model, draw(), job).softmax(1)
    source = int(probabilities[0].argmax())
    index = source if index is None else index
    before = make_point(model, probabilities[0], index, source, 0.0, "as it is")
    curves, row = [], 1
    for shake in shakes:
        rows = probabilities[row : row + len(shake.values)]
        points = tuple(
            make_point(model, row_values, index, source, value, shake.describe(value))
            for row_values, value in zip(rows, shake.values, strict=True)
        )
        curves.append(Curve(shake, model.labels[index], before, points))
        row += len(shake.values)
    return tuple(curves)


def make_point(
    model: Classifier, probabilities: torch.Tensor, index: int, source: int, value: float, words: str
) -> Point:
    """Return the point of one answer, (classes,), beside that of class `source`."""
    answer = int(probabilities.argmax())
    return Point(
        value, words, float(probabilities[index]), model.labels[answer], float(probabilities[answer]), answer == source
    )
