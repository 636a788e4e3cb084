"""Our support vector machines against scikit-learn's own, trained on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.svm import SVC, SVR

from xai_core.tabular.models import fast_svm
from xai_core.tabular.models.fast_svm import SupportClassifier, SupportRegressor


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(300, 5)) + 3


@pytest.mark.parametrize("block", [7, 1024])
@pytest.mark.parametrize("classes", [2, 3])
def test_borders_are_scikit_learns(monkeypatch, rows, classes, block) -> None:
    monkeypatch.setattr(fast_svm, "BLOCK_ROWS", block)
    target = np.digitize(rows[:, 0] * rows[:, 1], np.quantile(rows[:, 0] * rows[:, 1], np.arange(1, classes) / classes))
    ours, plain = (kind(C=2.0).fit(rows[:200], target[:200]) for kind in (SupportClassifier, SVC))
    expected = plain.decision_function(rows)
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(ours.decision_function(rows), expected, atol=1e-10)
    np.testing.assert_array_equal(ours.predict(rows), plain.predict(rows))


@pytest.mark.parametrize("gamma", ["scale", "auto", 0.7])
def test_values_are_scikit_learns(rows, gamma) -> None:
    ours, plain = (kind(gamma=gamma).fit(rows[:200], rows[:200].prod(axis=1)) for kind in (SupportRegressor, SVR))
    assert np.ptp(plain.predict(rows)) > 1
    np.testing.assert_allclose(ours.predict(rows), plain.predict(rows), rtol=1e-10)


def test_refuses_what_it_cannot_answer(rows) -> None:
    with pytest.raises(NotFittedError):
        SupportRegressor().predict(rows)
    machine = SupportRegressor().fit(rows, rows[:, 0])
    with pytest.raises(ValueError, match="features"):
        machine.predict(rows[:, :4])
    with pytest.raises(ValueError, match="NaN"):
        machine.predict(np.where(rows > 4, np.nan, rows))
