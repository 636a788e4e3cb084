"""Pictures of a set as inputs of a model, a batch at a time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from xai_core.arrays import Bool, UInt8
from xai_core.errors import InvalidImage
from xai_core.images import Picture
from xai_core.imageset.runs.corruptions import CorruptionLevel
from xai_core.models.classifier import Preprocessing

log = logging.getLogger(__name__)


class Pictures(Protocol):
    """A set that a model can run over: an `ImageSet`. Many threads open pictures at once."""

    @property
    def id(self) -> str: ...

    def __len__(self) -> int: ...

    def open(self, index: int) -> Picture: ...


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a set: which of them opened, (n,), and the model's inputs of those, bytes (at most n, H, W, C)."""

    rows: range
    opened: Bool
    inputs: torch.Tensor


@dataclass(frozen=True)
class Reader:
    """Opens pictures, preprocesses them, and applies a corruption."""

    pictures: Pictures
    preprocessing: Preprocessing
    corruption: CorruptionLevel | None = None

    def model_input(self, row: int) -> UInt8:
        """Return the model's input for a row, corrupted, in 0..255, (H, W, C). Raises XaiError."""
        picture, steps = self.pictures.open(row), self.preprocessing
        if self.corruption is None:
            return steps.input_bytes(picture)
        return steps.to_bytes(self.corruption(steps.model_input(picture), row))

    def tensor(self, row: int) -> torch.Tensor:
        """Return the normalized input for one row, (1, C, H, W). Raises XaiError."""
        return self.preprocessing.to_tensor(self.preprocessing.to_pixels(self.model_input(row)))

    def batch(self, rows: range) -> Batch:
        """Read these rows, without damaged pictures. Raises InvalidSet where no other picture would open either."""
        side, opened = self.preprocessing.crop, np.zeros(len(rows), dtype=np.bool_)
        inputs = np.empty((len(rows), side, side, self.preprocessing.channels), dtype=np.uint8)
        for number, row in enumerate(rows):
            try:
                inputs[int(opened.sum())] = self.model_input(row)
            except InvalidImage as problem:
                log.warning("picture %d of set %s is left out: %s", row, self.pictures.id, problem)
            else:
                opened[number] = True
        return Batch(rows, opened, torch.from_numpy(inputs[: int(opened.sum())]))
