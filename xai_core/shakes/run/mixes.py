"""Random mixes of mild shakes, as pictures are varied in training: what does the model say to each?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from xai_core.arrays import UInt8
from xai_core.engine.answers import ask_model
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.images.reading import Picture
from xai_core.models.classifier import Classifier
from xai_core.params import check_seed
from xai_core.shakes.base.spec import SHAKES
from xai_core.shakes.run.curves import Point, make_point

MAX_MIXES = 100


@dataclass(frozen=True, eq=False)
class Mix:
    """One varied picture and its answer."""

    picture: Picture
    point: Point
    """`words` lists what was done."""


@dataclass(frozen=True, eq=False)
class Mixes:
    """Varied pictures, and the answer to the picture as it is."""

    label: str
    """Label of the class asked about."""
    before: Point
    mixes: tuple[Mix, ...]

    @property
    def stability(self) -> float:
        """Share of the pictures with the same answer, 0 to 1."""
        return sum(mix.point.is_same for mix in self.mixes) / len(self.mixes)


def mix_shakes(
    model: Classifier,
    image: Image.Image,
    count: int = 16,
    target: int | str | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> Mixes:
    """Return `count` pictures, each with a random mild value of every shake that has such, and their answers.

    Raises InvalidParam, UnknownName, Cancelled.
    """
    if not 1 <= count <= MAX_MIXES:
        raise InvalidParam(f"From 1 to {MAX_MIXES} varied pictures can be made. Got {count}.")
    index = None if target is None else model.class_index(target)
    rng, steps, job = np.random.default_rng(check_seed(seed)), model.preprocessing, job or Job()
    job.expect(1 + count)
    seen, pictures, words = steps.model_input(image), [], []
    for _ in range(count):
        picture, changes = seen, []
        # Moves come first, then light: the registry's order.
        for shake in SHAKES.specs():
            value = float(rng.choice(shake.mild)) if shake.mild else shake.neutral
            if value is not None and value != shake.neutral:
                picture = shake.apply(picture, value, seed)
                changes.append(f"{shake.title}: {shake.describe(value)}")
        job.tick()
        pictures.append(picture)
        words.append("; ".join(changes) or "as it is")

    def draw() -> Iterator[UInt8]:
        yield from map(steps.to_bytes, (seen, *pictures))

    probabilities = ask_model(model, draw(), job).softmax(1)
    source = int(probabilities[0].argmax())
    index = source if index is None else index
    before, *points = (
        make_point(model, row, index, source, 0.0, text)
        for row, text in zip(probabilities, ("as it is", *words), strict=True)
    )
    return Mixes(model.labels[index], before, tuple(map(Mix, pictures, points)))
