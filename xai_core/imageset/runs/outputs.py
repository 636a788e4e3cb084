"""The record of one run of a model over a set of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Bool, Float32, Int64
from xai_core.engine.jobs import Job
from xai_core.imageset.rows import iter_blocks

_BLOCK_BYTES = 16 * 2**20


@dataclass(frozen=True, eq=False)
class ModelOutputs:
    """Outputs of a model for the N pictures of a set, in the set's order: read-only arrays, mapped from disk.

    A picture without an answer (it could not be opened, or the network gave no numbers) has NaN logits, `valid` False
    and prediction -1.
    """

    id: str
    set_id: str
    model: str
    layer: str
    corruption: str
    """The change applied to every picture first ("gaussian_noise:2"), or ""."""
    grid: tuple[int, int]
    """Rows and columns of the layer's maps."""
    logits: Float32
    """(N, classes)"""
    mean: Float32
    """Mean of each of the layer's maps, (N, C): the pooled features."""
    max: Float32
    """Maximum of each map, (N, C)."""
    argmax: npt.NDArray[np.uint16]
    """First place of the maximum, (N, C): row times columns plus column on `grid`."""
    unopened: Bool
    """Pictures that could not be opened, (N,)."""

    def __len__(self) -> int:
        return len(self.unopened)

    @cached_property
    def valid(self) -> Bool:
        """Pictures that have an answer, (N,)."""
        valid: Bool = self.predictions >= 0
        valid.flags.writeable = False
        return valid

    def probabilities(self, rows: Sequence[int] | npt.NDArray[np.integer[Any]] | None = None) -> Float32:
        """Return the softmax of the logits of these rows (None: all), (n, classes) in 0..1."""
        selected = np.arange(len(self)) if rows is None else np.asarray(rows, dtype=np.int64)
        result = np.empty((len(selected), self.logits.shape[1]), dtype=np.float32)
        for block in self._iter_blocks(len(selected)):
            result[block] = softmax(self.logits[selected[block]])
        return result

    @property
    def predictions(self) -> Int64:
        """The likeliest class of each picture, (N,); -1 where there is no answer."""
        return self._top_classes[0]

    @property
    def confidence(self) -> Float32:
        """Probability of the prediction, (N,); NaN where there is no answer."""
        return self._top_classes[1]

    @cached_property
    def _top_classes(self) -> tuple[Int64, Float32]:
        predictions, confidence = np.full(len(self), -1), np.full(len(self), np.nan, dtype=np.float32)
        for block in self._iter_blocks(len(self)):
            answered = ~self.unopened[block] & np.isfinite(self.logits[block]).all(axis=1)
            rows = np.flatnonzero(answered) + block.start
            probabilities = softmax(self.logits[rows])
            predictions[rows] = probabilities.argmax(axis=1)
            confidence[rows] = probabilities.max(axis=1, initial=0)
        predictions.flags.writeable = confidence.flags.writeable = False
        return predictions, confidence

    def _iter_blocks(self, count: int) -> Iterator[slice]:
        return iter_blocks(count, max(_BLOCK_BYTES // (4 * self.logits.shape[1]), 1), Job())


def softmax(logits: Float32) -> Float32:
    """Return probabilities, (n, classes) float32; NaN in a row of NaN or infinity.

    >>> softmax(np.zeros((1, 4), dtype=np.float32)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    with np.errstate(invalid="ignore"):
        powers: Float32 = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers
