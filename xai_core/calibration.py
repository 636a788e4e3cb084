"""Calibration of probabilities: are they as often right as they say? One bin rule for pictures and tables.

Bins are right-closed, as scikit-learn's `calibration_curve` cuts them: of ten, bin b holds probabilities above b / 10
and up to (b + 1) / 10, the first one 0 as well. 0.8 belongs to bin 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64

BINS = 10


@dataclass(frozen=True, eq=False)
class CalibrationBins:
    """Equal bins of a probability, of those that hold any: (B,) each."""

    numbers: Int64
    counts: Int64
    confidence: Float64
    """Mean probability in the bin."""
    accuracy: Float64
    """Share of the bin that is correct."""

    @property
    def error(self) -> float:
        """Expected calibration error, 0..1 (Naeini et al. 2015): mean distance of probability and share."""
        return float(np.average(np.abs(self.confidence - self.accuracy), weights=self.counts))


def assign_bins(confidence: npt.ArrayLike, bins: int = BINS) -> Int64:
    """Return the bin of each probability, (N,).

    >>> assign_bins([0.0, 0.1, 0.8, 0.81, 1.0]).tolist()
    [0, 0, 7, 8, 9]
    """
    numbers: Int64 = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], np.asarray(confidence, dtype=np.float64))
    return numbers


def calibration_bins(confidence: npt.ArrayLike, correct: npt.ArrayLike, bins: int = BINS) -> CalibrationBins:
    """Return the bins of probabilities (N,), N > 0, and of what is correct, (N,) bool."""
    numbers = assign_bins(confidence, bins)
    counts = np.bincount(numbers, minlength=bins)
    full = counts > 0
    mean = np.bincount(numbers, weights=np.asarray(confidence), minlength=bins)[full] / counts[full]
    share = np.bincount(numbers, weights=np.asarray(correct), minlength=bins)[full] / counts[full]
    return CalibrationBins(np.flatnonzero(full), counts[full], mean, share)


def calibration_error(confidence: npt.ArrayLike, correct: npt.ArrayLike, bins: int = BINS) -> float:
    """Return the expected calibration error of probabilities (N,), 0..1.

    >>> round(calibration_error([0.9, 0.9, 0.6, 0.6], [True, True, True, False]), 3)
    0.1
    """
    return calibration_bins(confidence, correct, bins).error
