"""Agreement against scipy's own correlation, brute force and what must hold for any map."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from xai_core.results import Attribution
from xai_core.trust import agreement

SIDE = 20
RNG = np.random.default_rng(3)


def attribution(values: np.ndarray) -> Attribution:
    more = {
        "method": "m",
        "model": "t",
        "layer": None,
        "target": 0,
        "label": "l",
        "quantity": "logit",
        "params": {},
        "versions": {},
    }
    return Attribution(values=values, seed=0, evaluations=1, seconds=0.1, image_sha256="", **more)


def noise() -> np.ndarray:
    return RNG.normal(size=(SIDE, SIDE))


def test_rank_correlation_is_that_of_scipy_with_ties_too() -> None:
    maps = [noise(), np.round(noise() * 2), np.maximum(noise(), 0), noise() + 2]
    maps[3] += maps[0]
    result = agreement([attribution(values) for values in maps]).rank
    heats = [attribution(values).heatmap.ravel() for values in maps]
    expected = spearmanr(np.stack(heats, axis=1)).statistic
    assert np.abs(expected - np.eye(4)).max() > 0.3, "the case is trivial if no maps agree"
    assert np.allclose(result, expected, atol=1e-9)


def test_overlap_is_counted_by_brute_force() -> None:
    first, second = noise(), noise()
    second += first
    most = SIDE * SIDE // 10
    tops = [set(np.argsort(-values.astype(np.float32), axis=None)[:most].tolist()) for values in (first, second)]
    share = len(tops[0] & tops[1]) / most
    assert 0.2 < share < 0.9
    assert agreement([attribution(first), attribution(second)]).overlap[0, 1] == pytest.approx(share)


def test_the_same_the_opposite_and_chance() -> None:
    first = noise()
    result = agreement([attribution(values) for values in (first, np.exp(first), -first, noise())])
    assert np.allclose(result.rank[0, :3], [1, 1, -1]) and np.allclose(result.overlap[0, :3], [1, 1, 0])
    assert abs(result.rank[0, 3]) < 0.2 and result.overlap[0, 3] < 0.3
    assert np.allclose(result.rank, result.rank.T) and np.allclose(result.overlap, result.overlap.T)
    assert result.mean_rank[0] == pytest.approx((1 - 1 + result.rank[0, 3]) / 3)


def test_ties_do_not_depend_on_where_pixels_lie() -> None:
    halves = np.zeros((SIDE, SIDE))
    halves[:, : SIDE // 2] = 1
    second = noise()
    straight = agreement([attribution(halves), attribution(second)])
    turned = agreement([attribution(halves[::-1]), attribution(second[::-1])])
    assert straight.overlap[0, 1] == pytest.approx(turned.overlap[0, 1])
    assert straight.overlap[0, 0] == pytest.approx(1)


def test_what_cannot_be_compared_has_no_number() -> None:
    broken = noise()
    broken[0, 0] = np.nan
    result = agreement(
        [attribution(values) for values in (noise(), np.ones((SIDE, SIDE)), broken, RNG.normal(size=(9, 9)), noise())]
    )
    assert np.isfinite(result.rank[0]).tolist() == [True, False, False, False, True]
    assert np.isfinite(result.mean_rank).tolist() == [True, False, False, False, True]
    assert agreement([]).rank.shape == (0, 0)
