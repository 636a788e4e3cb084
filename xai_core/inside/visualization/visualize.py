"""Feature visualization: pictures that a unit, a class or a layer responds to most, made by optimization."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import isfinite
from typing import Any

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Float32, UInt8
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.errors import InvalidImage, InvalidParam
from xai_core.images.resize import resize
from xai_core.inside.units import UnitLike
from xai_core.inside.visualization import parametrizations  # noqa: F401  # registers them
from xai_core.inside.visualization.layer_reader import takes_other_sizes, view_side
from xai_core.inside.visualization.objectives.direction import Direction
from xai_core.inside.visualization.optimize import Settings, optimize
from xai_core.inside.visualization.spec import PARAMETRIZATIONS, Parametrization
from xai_core.inside.visualization.terms import Term, read_terms
from xai_core.inside.visualization.unit_network import UnitNetwork
from xai_core.models.classifier import Classifier
from xai_core.params import check_seed

MIN_SIZE, MAX_SIZE = 16, 512
MAX_STEPS = 1024
MAX_PICTURES = 6
MAX_SMOOTHER = 1.0
# A photograph twice as long as wide is worked on whole; of a longer one, the middle.
MAX_ASPECT = 2.0
# Pictures whose values are computed at once.
_BATCH = 4


@dataclass(frozen=True)
class VisualizationPlan:
    """A checked request, before any work is done. `id` names the result by all that decides it."""

    model: Classifier
    terms: tuple[Term, ...]
    settings: Settings
    start: UInt8 | None
    """The photograph to begin with at the canvas' size, (H, W, C) in bytes."""

    @cached_property
    def id(self) -> str:
        """SHA-256 of weights, preparation, device, units, settings and start."""
        terms = [(term.name, term.weight, getattr(term.unit, "weights", None)) for term in self.terms]
        settings = replace(self.settings, parametrization=None)  # type: ignore[arg-type]  # named beside it
        start = None if self.start is None else hashlib.sha256(self.start.tobytes()).hexdigest()
        model = (self.model.name, self.model.weights_sha256, self.model.preprocessing, str(self.model.device))
        return hashlib.sha256(
            repr((model, terms, self.settings.parametrization.name, settings, start)).encode()
        ).hexdigest()

    @property
    def gradients(self) -> int:
        """Gradients that the optimization takes."""
        return self.settings.steps * self.settings.parametrization.views * self.settings.shape[0]


@dataclass(frozen=True)
class Visualization:
    """Finished pictures and what the unit says to them."""

    pictures: tuple[Image.Image, ...]
    scores: tuple[float, ...]
    """Objective for each picture in bytes, resized and cropped by the model like an upload."""
    curve: tuple[float, ...]
    """Mean objective of the views at each step."""
    unit: str
    method: str
    sign: int
    seed: int
    steps: int
    size: tuple[int, int]
    """Width and height in pixels."""
    seconds: float
    model: str

    @property
    def picture(self) -> Image.Image:
        """The first picture."""
        return self.pictures[0]

    @property
    def score(self) -> float:
        """The first picture's score."""
        return self.scores[0]


def _describe_terms(terms: Sequence[Term]) -> str:
    if len(terms) == 1 and terms[0].weight == 1:
        return terms[0].name
    return " ".join(f"{term.weight:+g} × {term.name}" for term in terms)


def plan_visualization(
    model: Classifier,
    unit: UnitLike | Direction,
    method: str = "fourier",
    sign: int = 1,
    size: int | None = None,
    steps: int | None = None,
    start: Image.Image | None = None,
    seed: int = 0,
    smoother: float = 0.0,
    count: int = 1,
    diversity: float = 0.5,
) -> VisualizationPlan:
    """Check a request, before any work. See `visualize`.

    Raises InvalidParam, InvalidImage or UnknownName with what is allowed.
    """
    parametrization = PARAMETRIZATIONS.get(method)
    terms = read_terms(model, unit)
    if isinstance(sign, bool) or sign not in (1, -1):
        raise InvalidParam(f"The sign must be 1 for the largest value or -1 for the smallest. Got {str(sign)[:60]!r}.")
    default_steps = parametrization.steps if start is None else parametrization.photo_steps
    steps = default_steps if steps is None else _check_whole("The number of steps", steps, 1, MAX_STEPS)
    count = _check_whole("The number of pictures", count, 1, MAX_PICTURES)
    smoother = _check_share("The smoothness", smoother, MAX_SMOOTHER)
    diversity = _check_share("The diversity", diversity, 1.0) if count > 1 else 0.0
    side = _default_side(model, parametrization, start)
    side = side if size is None else _check_whole("The size", size, MIN_SIZE, MAX_SIZE)
    photo = None if start is None else _fit_photo(model, start, side)
    height, width = (side, side) if photo is None else photo.shape[:2]
    shape = (count, model.preprocessing.channels, height, width)
    settings = Settings(parametrization, shape, sign, steps, smoother, diversity, check_seed(seed))
    return VisualizationPlan(model, terms, settings, photo)


def visualize(
    model: Classifier,
    unit: UnitLike | Direction,
    method: str = "fourier",
    sign: int = 1,
    size: int | None = None,
    steps: int | None = None,
    start: Image.Image | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
    smoother: float = 0.0,
    count: int = 1,
    diversity: float = 0.5,
) -> Visualization:
    """Make the picture for which a unit is largest, or for sign=-1 smallest.

    `unit` is a name ("class:951", "probability:951", "channel:<layer>:12", "neuron:<layer>:12:3:3", "layer:<layer>"),
    a weighted sum {name: weight} or a Direction. `size` is the shorter side in pixels; `start` a photograph to use
    instead of noise; `smoother` (0..1) holds back fine detail; `count` pictures differ by `diversity` (0..1).

    Raises InvalidParam, InvalidImage, UnknownName or Cancelled.

    >>> import xai_core
    >>> from xai_core import inside
    >>> result = inside.visualize(xai_core.load_model("small_cnn"), "class:3", steps=4)
    >>> result.picture.size, len(result.curve)
    ((28, 28), 4)
    """
    planned = plan_visualization(model, unit, method, sign, size, steps, start, seed, smoother, count, diversity)
    return run_visualization(planned, job or Job())


def run_visualization(planned: VisualizationPlan, job: Job[Any]) -> Visualization:
    """Make the pictures of a checked request. Raises Cancelled."""
    began, settings, model = time.perf_counter(), planned.settings, planned.model
    job.expect(planned.gradients + settings.shape[0])
    feature_layer = _feature_layer(planned) if settings.diversity > 0 else None
    network = UnitNetwork(model, planned.terms, feature_layer)
    start = None if planned.start is None else torch.from_numpy(planned.start).permute(2, 0, 1).float() / 255
    pixels, curve = optimize(network, settings, start, job)
    pictures = tuple(to_picture(picture) for picture in pixels)
    return Visualization(
        pictures=pictures,
        scores=tuple(_values(network, pictures, job).tolist()),
        curve=tuple(curve),
        unit=_describe_terms(planned.terms),
        method=settings.parametrization.name,
        sign=settings.sign,
        seed=settings.seed,
        steps=settings.steps,
        size=(settings.shape[3], settings.shape[2]),
        seconds=time.perf_counter() - began,
        model=model.name,
    )


def unit_values(
    model: Classifier, unit: UnitLike | Direction, pictures: Sequence[Image.Image], job: Job[Any] | None = None
) -> Float32:
    """Return the objective for each picture as the model sees it, (N,): the same number that is maximized.

    Raises as `visualize` does.
    """
    own = job or Job()
    own.expect(len(pictures))
    return _values(UnitNetwork(model, read_terms(model, unit)), pictures, own)


def _values(network: UnitNetwork, pictures: Sequence[Image.Image], job: Job[Any]) -> Float32:
    values = []
    for first in range(0, len(pictures), _BATCH):
        inputs = torch.cat([network.model.prepare(picture) for picture in pictures[first : first + _BATCH]])
        task = SCHEDULER.submit_work(partial(network.values, inputs), job, len(inputs))
        values.append(task.wait().cpu())
        job.tick(len(inputs))
    array: Float32 = torch.cat(values).numpy().astype(np.float32) if values else np.zeros(0, np.float32)
    return array


def to_picture(pixels: torch.Tensor) -> Image.Image:
    """Return pixels (C, H, W) in 0..1 as a picture in bytes."""
    levels = (pixels.detach().clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)


def _feature_layer(planned: VisualizationPlan) -> str | None:
    """Return the layer in which several pictures have to differ: the unit's own, or the one explained by default."""
    own = next((term.layer.name for term in planned.terms if term.layer is not None), None)
    recommended = planned.model.recommended_layer
    return own or (recommended.name if recommended is not None else None)


def _default_side(model: Classifier, parametrization: Parametrization, start: Image.Image | None) -> int:
    view = view_side(model) if start is None else model.side
    return min(round(view * parametrization.canvas_share), MAX_SIZE)


def _fit_photo(model: Classifier, start: object, side: int) -> UInt8:
    """Return a photograph with this shorter side, (H, W, C); cut to a square where the network takes nothing else."""
    if not isinstance(start, Image.Image):
        raise InvalidImage(f"A picture read by read_image is needed to begin with. Got {type(start).__name__}.")
    aspect = MAX_ASPECT if takes_other_sizes(model) else 1.0
    shorter = min(start.size)
    width, height = (min(length, round(shorter * aspect)) for length in start.size)
    left, top = (start.width - width) // 2, (start.height - height) // 2
    photo = start.crop((left, top, left + width, top + height)).convert(
        "L" if model.preprocessing.channels == 1 else "RGB"
    )
    return resize(photo, (round(width * side / shorter), round(height * side / shorter)), "bicubic")


def _check_whole(what: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise InvalidParam(f"{what} must be a whole number from {low} to {high}. Got {str(value)[:60]!r}.")
    return int(value)


def _check_share(what: str, value: object, high: float) -> float:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and isfinite(value)
    if not number or not 0 <= float(value) <= high:  # type: ignore[arg-type]  # a number by now
        raise InvalidParam(f"{what} must be a number from 0 to {high:g}. Got {str(value)[:60]!r}.")
    return float(value)  # type: ignore[arg-type]  # a number by now
