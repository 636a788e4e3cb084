"""Hide a part of a picture and ask the model again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, Float32
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, UnknownName
from xai_core.images import BASELINES, fill, make_baseline
from xai_core.methods import guess
from xai_core.models.classifier import Classifier

SURROUNDINGS = "surroundings"
FILLINGS: Mapping[str, str] = MappingProxyType({SURROUNDINGS: "what surrounds it", **BASELINES})
"""Names in code and words on the page."""
NOTHING_PAINTED = "Nothing is painted yet, so nothing is hidden. Paint on the picture to hide a part of it."
EVERYTHING_HIDDEN = (
    "Everything is hidden, so the model would see only the filling. Leave a part of the picture visible."
)
# Takes a mask (H, W), True where it is hidden, and returns pixels (H, W, C) in 0..1.
Hider = Callable[[Bool], Float32]


@dataclass(frozen=True)
class ClassChange:
    """A class with its probability before and after."""

    index: int
    label: str
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class Hidden:
    """Probabilities of all classes for the whole picture and for the one with a part hidden, (classes,) each."""

    picture: Image.Image
    """The picture as the model sees it with the part hidden, RGB or L."""
    share: float
    """Part of the picture that is hidden, 0 to 1."""
    labels: tuple[str, ...]
    before: Float32
    after: Float32

    def list_changes(self, chosen: int | None = None, top: int = 5) -> tuple[ClassChange, ...]:
        """Return the likeliest classes now, then those that were before, then the chosen one; each class once."""
        now, then = (np.argsort(-values, kind="stable")[:top].tolist() for values in (self.after, self.before))
        indices = dict.fromkeys((*now, *then, *(() if chosen is None else (chosen,))))
        return tuple(
            ClassChange(index, self.labels[index], float(self.before[index]), float(self.after[index]))
            for index in indices
        )


def make_hider(pixels: Float32, filling: str, seed: int = 0) -> Hider:
    """Return a function that hides any part of pixels (H, W, C) in 0..1; visible pixels stay as they are.

    Raises:
        UnknownName: `filling` is not one of FILLINGS.
    """
    if filling not in FILLINGS:
        raise UnknownName.of("filling", filling, FILLINGS)
    if filling == SURROUNDINGS:
        return lambda mask: fill(pixels, mask)
    baseline = make_baseline(pixels, filling, np.random.default_rng(seed))
    return lambda mask: np.where(mask[..., None], baseline, pixels)


def hide(
    model: Classifier,
    image: Image.Image,
    mask: Bool,
    filling: str = SURROUNDINGS,
    *,
    keep: bool = False,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> Hidden:
    """Hide the painted part of a picture, or with `keep` all but the painted part, and ask the model again.

    `mask` is (side, side), True where the model's own input is painted; `seed` counts for noise only.

    Raises:
        InvalidParam: nothing is painted, everything is hidden, or the mask has another size.
        UnknownName: the filling is not one of FILLINGS.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> mask = np.zeros((28, 28), dtype=bool)
    >>> mask[:14] = True
    >>> hide(model, image, mask, "black").share
    0.5
    """
    painted = check_mask(mask, model.side)
    hidden = ~painted if keep else painted
    if hidden.all():
        raise InvalidParam(EVERYTHING_HIDDEN)
    steps = model.preprocessing
    pixels = make_hider(steps.to_pixels(steps.model_input(image)), filling, seed)(hidden)
    logits = forward_for(model)(steps.to_tensor(pixels).to(model.device), job)
    picture = steps.to_picture(np.rint(255 * pixels).astype(np.uint8))
    after = logits[0].softmax(0).cpu().numpy()
    return Hidden(picture, float(hidden.mean()), model.labels, list_probabilities(model, image), after)


def prepare_hiding(model: Classifier, image: Image.Image, job: Job[Any] | None = None) -> None:
    """Hide one pixel and ask the model, so that what is loaded, compiled or remembered once is ready."""
    mask = np.zeros((model.side, model.side), dtype=bool)
    mask[model.side // 2, model.side // 2] = True
    hide(model, image, mask, job=job)


def check_mask(mask: Bool, side: int) -> Bool:
    """Return a mask as booleans (side, side). Raises InvalidParam where nothing is painted or it has another size."""
    painted = np.asarray(mask, dtype=bool)
    if painted.shape != (side, side):
        got = " × ".join(map(str, painted.shape[::-1]))
        raise InvalidParam(
            f"What is painted must be as large as this model's picture, {side} × {side} pixels. Got {got}. "
            "Clear it and paint again."
        )
    if not painted.any():
        raise InvalidParam(NOTHING_PAINTED)
    return painted


def list_probabilities(model: Classifier, image: Image.Image) -> Float32:
    """Return the probabilities of all classes for the whole picture, (classes,), from the cache of predictions."""
    probabilities = np.zeros(len(model.labels), dtype=np.float32)
    for index, _, probability in guess(model, image, len(model.labels)).classes:
        probabilities[index] = probability
    return probabilities
