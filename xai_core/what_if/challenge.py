"""A game against `adaptive_occlusion`: the same pieces, the same filling, the same goal and the same unit of area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Bool, Int64
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.evaluator import Evaluator
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.methods import METHODS
from xai_core.methods.adaptive_occlusion import GreedySearch, compute_lead, prepare_search
from xai_core.methods.base.request import Request
from xai_core.models.classifier import Classifier
from xai_core.params import Param, resolve

METHOD = "adaptive_occlusion"
# Settings of the method that the player chooses too.
PLAYED = ("pieces", "segments", "replace")


@dataclass(frozen=True, eq=False)
class Attempt:
    """The model's answer to one choice of pieces."""

    pieces: int
    share: float
    """Part of the picture that the pieces cover, 0 to 1: of what is hidden, or of what is kept."""
    reached: bool
    answer: str
    """Label of the likeliest class now."""
    answer_probability: float
    probability: float
    """Of the class that was the answer to the whole picture."""
    lead: float
    """Logit of that class less the best other one."""
    picture: Image.Image


@dataclass(frozen=True, eq=False)
class Challenge:
    """A picture in pieces, and the goal: another answer, or with `keeps` the same answer from the pieces alone."""

    model: Classifier
    search: GreedySearch
    label_index: int
    """The model's answer to the whole picture."""

    @property
    def label(self) -> str:
        return self.model.labels[self.label_index]

    @property
    def keeps(self) -> bool:
        return self.search.reveals

    @property
    def labels(self) -> Int64:
        """Number of the piece at each pixel, (side, side)."""
        return self.search.labels.numpy()

    def select_pieces(self, mask: Bool) -> Bool:
        """Return the pieces (pieces,) of which more than half is painted; mask (side, side)."""
        flat = self.labels.ravel()
        painted = np.bincount(flat, np.asarray(mask, dtype=np.float64).ravel())
        return painted > 0.5 * np.bincount(flat)

    def try_pieces(self, part: Bool, job: Job[Any] | None = None) -> Attempt:
        """Hide these pieces (pieces,), or keep only them, and ask the model.

        Raises:
            InvalidParam: their number is another than the picture has.
        """
        search, request = self.search, self.search.request
        chosen = torch.from_numpy(np.asarray(part, dtype=bool))
        if chosen.shape != search.areas.shape:
            raise InvalidParam(f"This picture has {len(search.areas)} pieces. Got {chosen.numel()}.")
        pictures = search.compose((chosen if self.keeps else ~chosen)[None])
        logits = forward_for(self.model)(pictures, job)
        lead, probabilities = compute_lead(logits, request.target), logits[0].softmax(0)
        answer, steps = int(probabilities.argmax()), self.model.preprocessing
        pixels = steps.from_tensor(pictures).clip(0, 1)
        return Attempt(
            pieces=int(chosen.sum()),
            share=float(search.areas[chosen].sum()),
            reached=bool(search.reaches_goal(lead)[0]),
            answer=self.model.labels[answer],
            answer_probability=float(probabilities[answer]),
            probability=float(probabilities[self.label_index]),
            lead=float(lead[0]),
            picture=steps.to_picture(np.rint(255 * pixels).astype(np.uint8)),
        )


def challenge_params() -> tuple[Param, ...]:
    """Return the method's settings that are the player's too."""
    return tuple(param for param in METHODS.get(METHOD).params if param.name in PLAYED)


def prepare_challenge(
    model: Classifier, image: Image.Image, params: Mapping[str, object] | None = None, job: Job[Any] | None = None
) -> Challenge:
    """Cut a picture into the pieces of `adaptive_occlusion`; the goal is about the model's own answer.

    `params` are the method's: "mode" is "flip" (hide until the answer changes) or "keep".

    Raises UnknownName or InvalidParam.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> game = prepare_challenge(model, image, {"pieces": "windows", "segments": 16})
    >>> game.label, game.labels.max() + 1
    ('3', np.int64(16))
    """
    search = cut_picture(model, image, params, None, job)
    return Challenge(model, search, int(search.request.logits[0].argmax()))


def cut_picture(
    model: Classifier,
    image: Image.Image,
    params: Mapping[str, object] | None,
    target: int | None = None,
    job: Job[Any] | None = None,
) -> GreedySearch:
    """Cut a picture into the pieces of `adaptive_occlusion`, for a search about a class (None: the model's answer).

    Raises UnknownName or InvalidParam.
    """
    checked = resolve(METHODS.get(METHOD).params, params, model.side)
    forward, steps, job = forward_for(model), model.preprocessing, job or Job()
    pixels = steps.to_pixels(steps.model_input(image))
    x = steps.to_tensor(pixels).to(model.device)
    logits = forward(x, job)
    target = int(logits[0].argmax()) if target is None else target
    evaluator = Evaluator(model, forward, x, target, job)
    request = Request(model, pixels, x, logits, target, None, checked, evaluator, job, np.random.default_rng(0))
    return prepare_search(request)
