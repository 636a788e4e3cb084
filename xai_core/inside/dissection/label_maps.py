"""Masks of a probe as the model sees its pictures, at one size for all layers (Bau et al. 2017, arXiv:1704.05796)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Bool, Int64, UInt8
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


class LabelReader:
    """Reads a probe's pictures, and keeps their masks as label maps on the way: both are often made together."""

    def __init__(self, model: Classifier, probe: ConceptProbe) -> None:
        """Raise InvalidParam for a probe whose label maps would take too much memory."""
        if len(probe) * len(probe.concepts) * PIXELS // 8 > MAX_BYTES:
            raise InvalidParam(
                f"{len(probe):,} pictures with {len(probe.concepts)} concepts need too much memory. Use fewer pictures."
            )
        self._model, self._probe, self._read = model, probe, np.zeros(len(probe), dtype=np.bool_)
        self.maps = LabelMaps(np.zeros((len(probe), len(probe.concepts), PIXELS // 8), dtype=np.uint8))

    def read(self, index: int) -> Image.Image:
        """Return a picture. Raises InvalidParam for masks of another size."""
        if self._read[index]:
            return self._probe.pictures[index]
        picture, masks = self._probe.read(index)
        labels = sample_masks(self._model.preprocessing, masks).reshape(len(masks), -1)
        self.maps.bits[index] = np.packbits(labels, axis=-1)
        self._read[index] = True
        return picture


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
