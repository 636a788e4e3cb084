"""The request that a metric is given: one map, and what metrics share about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, Float32, Float64, Int64, UInt8
from xai_core.engine.jobs import Job, JobPart
from xai_core.errors import NotApplicable
from xai_core.images import image_sha256
from xai_core.methods.run.explain import Plan, carry_out
from xai_core.methods.run.judge import thing_masks
from xai_core.models.classifier import Classifier
from xai_core.models.framing import frame_for_upload
from xai_core.results import Attribution
from xai_core.trust.hiding.curves import HidingRequest
from xai_core.trust.hiding.faithfulness import BROKEN, Faithfulness, faithfulness
from xai_core.trust.hiding.pieces import cut_pieces

NO_OBJECT = "Nobody has marked an object in this picture."
FLAT = "The map is the same everywhere."


def find_object_mask(model: Classifier, image: Image.Image) -> Bool | None:
    """Return the mask (H, W) of a picture's known object as the model sees it; None where none is known."""
    return thing_masks(model).get(image_sha256(image))


@dataclass(eq=False)
class MetricRequest:
    """One map to measure: its plan, the map, and the maps of other methods for the same question."""

    planned: Plan
    result: Attribution
    others: Sequence[Attribution]
    job: Job[Any]
    seed: int = 0
    known_mask: Bool | None = None
    """Mask of the object in the picture as the model sees it, (H, W), where the caller knows it."""
    seconds: float = field(init=False)
    """Shortest time that a map of this method has taken so far: the first one may include preparation."""

    def __post_init__(self) -> None:
        self.seconds = self.result.seconds

    @cached_property
    def heat(self) -> Float64:
        """The map, (H, W). Raises NotApplicable where it is the same everywhere or has places without a number."""
        self.check_numbers()
        if np.ptp(self.result.heatmap) == 0:
            raise NotApplicable(FLAT)
        return self.result.heatmap.astype(np.float64)

    def check_numbers(self) -> None:
        """Raise NotApplicable where a value of the map is not a number."""
        if not np.isfinite(self.result.values).all():
            raise NotApplicable(BROKEN)

    @cached_property
    def hiding(self) -> Faithfulness:
        """The curves of hiding, without shifted copies; of a map that is the same everywhere the gain is 0."""
        self.check_numbers()
        return faithfulness(self.planned.model, self.planned.image, self.result, self.seed, JobPart(self.job), shifts=0)

    @cached_property
    def pieces(self) -> Int64:
        """Piece of each pixel, (H, W)."""
        steps = self.planned.model.preprocessing
        return cut_pieces(steps.to_pixels(steps.model_input(self.planned.image)))

    def open_hiding(self) -> HidingRequest:
        """Return what asks the model about the picture with pieces hidden."""
        return HidingRequest.create(
            self.planned.model, self.planned.image, self.result.target, self.pieces, JobPart(self.job)
        )

    @property
    def object_mask(self) -> Bool:
        """Mask of the known object, (H, W). Raises NotApplicable where none is known."""
        mask = self.known_mask
        if mask is None:
            mask = find_object_mask(self.planned.model, self.planned.image)
        if mask is None:
            raise NotApplicable(NO_OBJECT)
        return mask

    @property
    def input_bytes(self) -> UInt8:
        """The picture as the model sees it, (H, W, C) in 0..255."""
        return self.planned.model.preprocessing.input_bytes(self.planned.image)

    def explain(self, seen: UInt8) -> Float32:
        """Return the method's map (H, W), for the same class, of other values that the model sees, (H, W, C)."""
        picture = frame_for_upload(self.planned.model, self.planned.image, seen)
        again = carry_out(replace(self.planned, image=picture, target=self.result.target), JobPart(self.job))
        self.seconds = min(self.seconds, again.seconds)
        return again.heatmap
