"""Tests of labels: average precision as scikit-learn has it, fair chance, and false alarms at the stated rate."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from xai_core.inside.dissection.held_out import bootstrap_range, check_labels, pass_together, show_most


def test_precision_is_the_area_and_chance_is_fair() -> None:
    rng = np.random.default_rng(0)
    shows = rng.random((120, 3)) < [0.2, 0.5, 0.4]
    reach = rng.normal(size=(120, 400)).astype(np.float32)
    reach[:, 0] += 3 * shows[:, 0]
    concepts = np.arange(400) % 3
    tests = check_labels(reach, shows, concepts)
    for unit in (0, 1, 7, 200):
        expected = average_precision_score(shows[:, concepts[unit]], reach[:, unit])
        assert tests.precision[unit] == pytest.approx(expected, abs=1e-6)
    assert tests.p[0] < 0.001
    assert abs((tests.p[1:] < 0.05).mean() - 0.05) < 0.03
    assert abs(tests.precision[1::3].mean() - tests.chance[1]) < 0.01
    assert pass_together(tests.p).sum() <= 2 and pass_together(tests.p)[0]


def test_silent_units_and_concepts_that_all_show_do_not_pass() -> None:
    shows = np.ones((50, 2), dtype=bool)
    shows[:20, 1] = False
    tests = check_labels(np.zeros((50, 2), np.float32), shows, np.array([0, 1]))
    assert np.isnan(tests.p[0]) and tests.p[1] > 0.01 and not pass_together(tests.p[:1]).any()


def test_a_concept_that_all_show_is_split_at_its_median() -> None:
    areas = np.array([[3, 1], [0, 2], [3, 3], [0, 4], [3, 5]])
    assert show_most(areas).T.tolist() == [[True, False, True, False, True], [False, False, False, True, True]]


def test_range_holds_the_ratio_and_narrows_with_pictures() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for count in (40, 640):
        shared = rng.integers(0, 10, (count, 1))
        low, high = bootstrap_range(shared, shared + 5, shared + 5)
        assert low[0] < shared.sum() / (shared + 10).sum() < high[0]
        widths.append(float(high[0] - low[0]))
    assert widths[0] == pytest.approx(4 * widths[1], rel=0.5)
