"""Our forests against scikit-learn's own, trained on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError

from xai_core.tabular.models import fast_forest
from xai_core.tabular.models.fast_forest import ForestClassifier, ForestRegressor

KINDS = ((ForestClassifier, RandomForestClassifier), (ForestRegressor, RandomForestRegressor))


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(300, 5))


@pytest.mark.parametrize(("ours", "theirs"), KINDS)
@pytest.mark.parametrize("block", [7, 4096])
def test_equals_scikit_learn_to_the_last_bit(monkeypatch, rows, ours, theirs, block) -> None:
    monkeypatch.setattr(fast_forest, "BLOCK_ROWS", block)
    target = (rows[:, 0] * rows[:, 1] > 0).astype(int) + (rows[:, 2] > 1)
    quick, plain = (
        kind(23, min_samples_leaf=2, random_state=3).fit(rows[:200], target[:200]) for kind in (ours, theirs)
    )
    methods = ("predict_proba", "predict") if ours is ForestClassifier else ("predict",)
    for method in methods:
        predictions = getattr(quick, method)(rows)
        assert len(np.unique(predictions)) > 2
        np.testing.assert_array_equal(predictions, getattr(plain, method)(rows))
    assert quick.score(rows, target) == plain.score(rows, target)


@pytest.mark.parametrize(("ours", "_theirs"), KINDS)
def test_refuses_what_it_cannot_answer(rows, ours, _theirs) -> None:
    forest = ours(3, random_state=0)
    with pytest.raises(NotFittedError):
        forest.predict(rows)
    forest.fit(rows, rows[:, 0] > 0)
    with pytest.raises(ValueError, match="features"):
        forest.predict(rows[:, :4])
    with pytest.raises(ValueError, match="0 sample"):
        forest.predict(rows[:0])
    with pytest.raises(ValueError, match="NaN"):
        forest.predict(np.where(rows > 1, np.nan, rows))
