"""Framing: which part of a picture a model gets, where its own preprocessing would take the middle.

A framed picture is an ordinary picture whose middle is the part that was asked for. Whatever takes a picture (guesses,
methods, checks, stored results) so works on the moved part, and files its results under that picture's own hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image

from xai_core.arrays import UInt8
from xai_core.errors import InvalidParam
from xai_core.models.classifier import Classifier

Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True)
class Framing:
    """Place of the model's square on a picture: from 0 (left, top) to 1 (right, bottom); `fit` shows all, with bars.

    Raises InvalidParam for a place outside.

    >>> Framing(0.25).code(), Framing.parse("fit").fit
    ('0.25,0.5', True)
    """

    x: float = 0.5
    y: float = 0.5
    fit: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1):
            raise InvalidParam(f"The place of the crop is two numbers from 0 to 1. Got {self.x:g} and {self.y:g}.")

    def code(self) -> str:
        """Return the framing as a short text for links."""
        return "fit" if self.fit else f"{self.x:.4g},{self.y:.4g}"

    @staticmethod
    def parse(text: str) -> Framing:
        """Return the framing of `code`. Raises InvalidParam where it is none."""
        if text == "fit":
            return Framing(fit=True)
        try:
            x, y = map(float, text.split(","))
        except ValueError as error:
            raise InvalidParam(f"A crop is “fit”, or two numbers from 0 to 1. Got {text[:60]!r}.") from error
        return Framing(x, y)


def visible_box(model: Classifier, size: tuple[int, int], framing: Framing) -> Box:
    """Return the part of a picture of this size that the model gets: left, top, right, bottom in its pixels.

    With `fit` the box is a square around the whole picture, so it reaches beyond it.
    """
    if framing.fit:
        side: float = max(size)
        left, top = ((length - side) / 2 for length in size)
    else:
        side = min(size) * model.preprocessing.crop / model.preprocessing.resize
        left, top = (place * (length - side) for place, length in zip((framing.x, framing.y), size, strict=True))
    return left, top, left + side, top + side


def frame_picture(model: Classifier, image: Image.Image, framing: Framing) -> Image.Image:
    """Return a square picture whose model input is the framed part; the picture itself where it is in the middle.

    Around that part stands what the model's preprocessing cuts off: more of the picture, or its edge repeated. Bars
    have the mean colour of the pictures that the model was trained on, which is 0 for the network.
    """
    if framing == Framing():
        return image
    left, top, right, _ = visible_box(model, image.size, framing)
    steps = model.preprocessing
    side = round((right - left) * steps.resize / steps.crop)
    margin = (side - (right - left)) / 2
    columns, rows = (np.arange(side) + round(start - margin) for start in (left, top))
    if framing.fit:
        # What is cut off repeats what is shown: the kernel mixes the two at the border.
        columns, rows = (
            np.clip(places, round(start), round(start) + max(image.size) - 1)
            for places, start in ((columns, left), (rows, top))
        )
    pixels = np.asarray(image.convert("RGB"))
    square = pixels[np.clip(rows, 0, image.height - 1)[:, None], np.clip(columns, 0, image.width - 1)]
    if framing.fit:
        outside = ((rows < 0) | (rows >= image.height))[:, None] | (columns < 0) | (columns >= image.width)
        square[outside] = [round(255 * level) for level in steps.mean]
    return Image.fromarray(square)


def frame_for_upload(model: Classifier, image: Image.Image, seen: UInt8) -> Image.Image:
    """Return a square picture whose model input is `seen` (H, W, C): around it stands what the model cuts off.

    Its side is the one that the model's preprocessing resizes to, so that resizing leaves it as it is.
    """
    steps = model.preprocessing
    square = steps.square_bytes(image).copy()
    first = round((steps.resize - steps.crop) / 2)
    square[first : first + steps.crop, first : first + steps.crop] = seen
    return steps.to_picture(square)
