"""Masks of a probe as the model sees its pictures, at one size for all layers (Bau et al. 2017, arXiv:1704.05796)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from xai_core.arrays import Bool, Int64, UInt8
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.inside.probes import ConceptProbe
from xai_core.models.classifier import Classifier, Preprocessing

# Side of label maps, in pixels.
SIDE = 112
PIXELS = SIDE * SIDE
MIN_PICTURES = 10
# Bytes of a probe's label maps as bits.
MAX_BYTES = 256 * 2**20


@dataclass(frozen=True, eq=False)
class LabelMaps:
    """Label maps of N pictures and K concepts, as bits (N, K, SIDE² / 8)."""

    bits: UInt8

    def unpack(self, index: int) -> torch.Tensor:
        """Return the labels of a picture, float32 (K, SIDE²), 0 or 1."""
        return torch.from_numpy(np.unpackbits(self.bits[index], axis=-1)).float()

    @property
    def areas(self) -> Int64:
        """Pixels of each concept in each picture, (N, K)."""
        areas: Int64 = np.bitwise_count(self.bits).sum(-1, dtype=np.int64)
        return areas


def read_label_maps(model: Classifier, probe: ConceptProbe, job: Job[Any]) -> LabelMaps:
    """Return a probe's masks, resized and cropped as the model does with its pictures.

    Raises InvalidParam (masks of another size, too many of them), Cancelled.
    """
    if len(probe) * len(probe.concepts) * PIXELS // 8 > MAX_BYTES:
        raise InvalidParam(
            f"{len(probe):,} pictures with {len(probe.concepts)} concepts need too much memory. Use fewer pictures."
        )
    bits = np.empty((len(probe), len(probe.concepts), PIXELS // 8), dtype=np.uint8)
    for index in range(len(probe)):
        job.tick()
        _, masks = probe.read(index)
        bits[index] = np.packbits(sample_masks(model.preprocessing, masks).reshape(len(masks), -1), axis=-1)
    return LabelMaps(bits)


def check_counts(probe: ConceptProbe, areas: Int64) -> None:
    """Raise InvalidParam for a concept that too few pictures show; `areas` (N, K) are those of its label maps."""
    counts = (areas > 0).sum(0).tolist()
    for concept, count in zip(probe.concepts, counts, strict=True):
        if count < MIN_PICTURES:
            raise InvalidParam(
                f"The concept “{concept}” is in {count} of the pictures as the model sees them, and at least "
                f"{MIN_PICTURES} are needed. Add pictures of it, or leave it out."
            )


def sample_masks(steps: Preprocessing, masks: Bool) -> Bool:
    """Return masks (K, H, W) as label maps (K, SIDE, SIDE): the nearest pixel of each place in the model's input.

    Places are rounded as `Preprocessing.input_bytes` does.
    """
    height, width = masks.shape[1:]
    shorter = min(height, width)
    rows, columns = (
        _sample_axis(length, int(steps.resize * length / shorter), steps.crop) for length in (height, width)
    )
    return masks[:, rows[:, None], columns]


def _sample_axis(length: int, resized: int, crop: int) -> Int64:
    """Return the pixel of the picture at each place of a label map's axis, (SIDE,)."""
    first = round((resized - crop) / 2)
    places = first + (np.arange(SIDE) + 0.5) * crop / SIDE
    return np.clip((places * length / resized).astype(np.int64), 0, length - 1)
