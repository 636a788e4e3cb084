"""A unit's strongest pictures of a probe, with the pixels of its mask and of a concept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Bool
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.inside.dissection.dissect import TOP_PICTURES, Dissection
from xai_core.inside.dissection.label_maps import SIDE, sample_masks
from xai_core.inside.dissection.layer_maps import LayerMaps
from xai_core.inside.dissection.overlap import unit_masks
from xai_core.inside.probes import ConceptProbe
from xai_core.models.classifier import Classifier


@dataclass(frozen=True, eq=False)
class UnitExample:
    """A picture as the model sees it, and the pixels of the unit's mask and of the concept, boolean (112, 112)."""

    picture: Image.Image
    mask: Bool
    concept: Bool


def read_examples(
    model: Classifier,
    result: Dissection,
    probe: ConceptProbe,
    unit: int,
    count: int = TOP_PICTURES,
    job: Job[Any] | None = None,
) -> tuple[UnitExample, ...]:
    """Return the pictures in which a unit responds most, strongest first, for its label's concept.

    `job` counts pictures. Raises InvalidParam for a unit that does not exist, Cancelled.
    """
    if not 0 <= unit < len(result.labels):
        raise InvalidParam(f"This layer has units 0 to {len(result.labels) - 1}. Got {unit}.")
    rows, job = result.top[unit, :count].tolist(), job or Job()
    job.expect(job.done + len(rows))
    label = result.labels[unit]
    concept = 0 if label.concept is None else result.concepts.index(label.concept)
    pictures = [probe.pictures[row] for row in rows]
    limit, has_ties = torch.tensor([float(result.thresholds[unit])]), torch.tensor([label.saturated > 0])
    maps = LayerMaps(model, model.layer(result.layer), pictures.__getitem__, len(rows), job, is_read_again=False)

    def read(first: int, values: torch.Tensor) -> Sequence[UnitExample]:
        return [
            UnitExample(
                model.preprocessing.model_input(pictures[first + place]),
                (unit_masks(values[place, unit][None], limit, has_ties) > 0).numpy().reshape(SIDE, SIDE),
                sample_masks(model.preprocessing, np.asarray(probe.masks[rows[first + place]]))[concept],
            )
            for place in range(len(values))
        ]

    return tuple(example for batch in maps.run(read) for example in batch)
