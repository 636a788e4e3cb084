"""One bin rule for calibration, against scikit-learn's curve."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from xai_core.calibration import assign_bins, calibration_bins, calibration_error


def test_bins_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    # Rounded values lie on the edges.
    confidence = rng.random(500).round(1)
    correct = rng.random(500) < confidence
    share, mean = calibration_curve(correct, confidence, n_bins=10)
    bins = calibration_bins(confidence, correct)
    np.testing.assert_array_equal(bins.accuracy, share)
    np.testing.assert_array_equal(bins.confidence, mean)
    assert bins.counts.sum() == 500 and len(bins.numbers) == len(share) > 5
    assert bins.error == pytest.approx(np.average(np.abs(mean - share), weights=bins.counts))
    assert calibration_error(confidence, correct) == bins.error


def test_an_edge_belongs_to_the_bin_below() -> None:
    assert assign_bins([0.8, np.nextafter(0.8, 1), 0.0, 1.0]).tolist() == [7, 8, 0, 9]


def test_pictures_and_tables_agree_on_the_edge() -> None:
    from xai_core.imageset.analysis import scores as of_pictures
    from xai_core.tabular.evaluation import scores as of_tables

    truth = np.array([0, 1, 1, 1, 1])
    probability = np.array([0.2, 0.8, 0.8, 0.85, 0.95])
    curves = of_tables.outcome_curves(1, "yes", truth, np.stack([1 - probability, probability], axis=1))
    bins = calibration_bins(probability, truth == 1)
    np.testing.assert_array_equal(curves.counts, bins.counts)
    assert curves.calibration_error == bins.error
    assert of_pictures.assign_bins is assign_bins
