"""What one run of a model over a set of pictures leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.engine.jobs import Job
from xai_core.imageset.blocks import blocks
from xai_core.results import Floats

_BLOCK_BYTES = 16 * 2**20


@dataclass(frozen=True, eq=False)
class Pass:
    """Everything one run of a model over a set of N pictures leaves: read-only arrays that lie on disk and are read as they are looked at.

    Rows are the pictures of the set, in its order. Where `failed`, the picture could not be opened when its turn came, and then its numbers
    are NaN and its `where` 0, or the network gave no numbers for it. Its prediction is -1.
    """

    id: str
    set_id: str
    model: str
    layer: str
    corruption: str
    """How the pictures were changed first ("gaussian_noise:2"), or "" for as they are."""
    grid: tuple[int, int]
    """Rows and columns of the layer's maps."""
    logits: Floats
    """(N, classes)"""
    pooled: Floats
    """Mean of each of the layer's maps, (N, C): the picture's place in the model's own space."""
    peak: Floats
    """Maximum of each map, (N, C)."""
    where: npt.NDArray[np.uint16]
    """Where the maximum is, (N, C): row times columns plus column on `grid`, the first one where several are equal."""
    unopened: npt.NDArray[np.bool_]
    """Which pictures could not be opened, (N,)."""

    def __len__(self) -> int:
        return len(self.unopened)

    @cached_property
    def failed(self) -> npt.NDArray[np.bool_]:
        """Which pictures have no answer, (N,)."""
        found: npt.NDArray[np.bool_] = self.predicted < 0
        found.flags.writeable = False
        return found

    def probabilities(self, rows: Sequence[int] | npt.NDArray[np.integer[Any]] | None = None) -> Floats:
        """Softmax of the logits of these rows, (n, classes) in 0..1; of all if none are given, which for a large set is large."""
        chosen = np.arange(len(self)) if rows is None else np.asarray(rows, dtype=np.int64)
        found = np.empty((len(chosen), self.logits.shape[1]), dtype=np.float32)
        for part in self._blocks(len(chosen)):
            found[part] = softmax(self.logits[chosen[part]])
        return found

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """The likeliest class of each picture, (N,); -1 where it failed."""
        return self._guesses[0]

    @property
    def confidence(self) -> Floats:
        """Its probability, (N,); NaN where it failed."""
        return self._guesses[1]

    @cached_property
    def _guesses(self) -> tuple[npt.NDArray[np.int64], Floats]:
        predicted, confidence = np.full(len(self), -1), np.full(len(self), np.nan, dtype=np.float32)
        for part in self._blocks(len(self)):
            good = np.flatnonzero(~self.unopened[part] & np.isfinite(self.logits[part]).all(axis=1)) + part.start
            likely = softmax(self.logits[good])
            predicted[good] = likely.argmax(axis=1)
            confidence[good] = likely.max(axis=1, initial=0)
        predicted.flags.writeable = confidence.flags.writeable = False
        return predicted, confidence

    def _blocks(self, count: int) -> Iterator[slice]:
        return blocks(count, max(_BLOCK_BYTES // (4 * self.logits.shape[1]), 1), Job())


def softmax(logits: Floats) -> Floats:
    """Probabilities (n, classes) in float32; NaN in a row of NaN or infinity."""
    with np.errstate(invalid="ignore"):
        powers: Floats = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers
