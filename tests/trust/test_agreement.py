"""Agreement against scipy's own correlation, brute force, planted maps and what must hold for any map."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom
from scipy.stats import spearmanr

from xai_core.results import Attribution
from xai_core.trust import GAPS, GRAIN, agreement
from xai_core.trust.map_agreement import AGREE, CONTRADICT, Agreement, average_places

SIDE = 20
RNG = np.random.default_rng(3)


def attribution(values: np.ndarray, image_sha256: str = "") -> Attribution:
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
    return Attribution(values=values, seed=0, evaluations=1, seconds=0.1, image_sha256=image_sha256, **more)


def noise() -> np.ndarray:
    return RNG.normal(size=(SIDE, SIDE))


def test_rank_correlation_is_that_of_scipy_with_ties_too() -> None:
    maps = [noise(), np.round(noise() * 2), np.maximum(noise(), 0), noise() + 2]
    maps[3] += maps[0]
    result = agreement([attribution(values) for values in maps], grain=None).rank
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
    assert agreement([attribution(first), attribution(second)], grain=None).overlap[0, 1] == pytest.approx(share)


def test_the_same_the_opposite_and_chance() -> None:
    first = noise()
    result = agreement([attribution(values) for values in (first, np.exp(first), -first, noise())], grain=None)
    assert np.allclose(result.rank[0, :3], [1, 1, -1]) and np.allclose(result.overlap[0, :3], [1, 1, 0])
    assert abs(result.rank[0, 3]) < 0.2 and result.overlap[0, 3] < 0.3
    assert np.allclose(result.rank, result.rank.T) and np.allclose(result.overlap, result.overlap.T)
    assert result.mean_rank[0] == pytest.approx((1 - 1 + result.rank[0, 3]) / 3)


def test_ties_do_not_depend_on_where_pixels_lie() -> None:
    halves = np.zeros((SIDE, SIDE))
    halves[:, : SIDE // 2] = 1
    second = noise()
    straight = agreement([attribution(halves), attribution(second)], grain=None)
    turned = agreement([attribution(halves[::-1]), attribution(second[::-1])], grain=None)
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


WIDE = 224


def blobs(centres: list[tuple[float, float]], width: float = 0.12) -> np.ndarray:
    """Return a region map: a hill at each centre (row, column), shares of the side."""
    y, x = np.mgrid[:WIDE, :WIDE] / WIDE
    return sum(np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2)) for row, column in centres)


def dots(density: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return a map of single pixels that says the same as a region map: noise whose mean is the density."""
    return density * WIDE / 10 + np.random.default_rng(seed).normal(0, WIDE / 10, density.shape)


def test_equal_maps_at_different_grain_agree_and_opposite_ones_contradict():
    region = blobs([(0.3, 0.4)])
    coarse = zoom(zoom(region, 7 / WIDE, order=1), WIDE / 7, order=1)
    pixels = dots(region)
    maps = [attribution(values) for values in (region, coarse, pixels, -pixels, blobs([(0.8, 0.85)]))]
    by_pixels, result = agreement(maps, grain=None), agreement(maps)
    assert by_pixels.rank[0, 2] < AGREE, "the case is trivial if single pixels agree with regions already"
    assert result.rank[0, 1] > 0.9
    assert result.rank[0, 2] > 0.6 and result.rank[1, 2] > 0.6
    assert result.rank[0, 3] < -0.6 and result.rank[2, 3] == pytest.approx(-1)
    assert result.rank[0, 4] < CONTRADICT, "a hill here and a hill there: far from one is near the other"


def test_unrelated_maps_have_about_nothing_in_common():
    rng = np.random.default_rng(0)
    ranks = [agreement([attribution(rng.normal(size=(WIDE, WIDE))) for _ in range(2)]).rank[0, 1] for _ in range(200)]
    assert abs(np.mean(ranks)) < 0.03 and np.std(ranks) < AGREE / 1.8
    assert np.mean(np.abs(ranks) >= AGREE) < 0.08


def test_places_are_gaussian_averages():
    heat = RNG.normal(size=(WIDE, WIDE)) + blobs([(0.1, 0.9)]) * 3
    places = average_places(heat)
    assert places.shape == (GRAIN, GRAIN)
    # The slow way: blur everything, divided by how much of the blur lies on the picture, and read the centres.
    width = WIDE / GRAIN
    inside = gaussian_filter(np.ones_like(heat), width, mode="constant", truncate=8)
    blurred = gaussian_filter(heat, width, mode="constant", truncate=8) / inside
    pairs = blurred.reshape(GRAIN, WIDE // GRAIN, GRAIN, WIDE // GRAIN)[:, 6:8, :, 6:8].mean(axis=(1, 3))
    assert np.abs(places - pairs).max() < 0.01 * np.ptp(places)
    assert average_places(np.full((9, 30), 2.5)).shape == (9, GRAIN)
    assert np.allclose(average_places(np.full((9, 30), 2.5)), 2.5)


def test_an_empty_cell_says_why():
    broken = blobs([(0.5, 0.5)])
    broken[3, 3] = np.inf
    maps = [attribution(values) for values in (blobs([(0.5, 0.5)]), np.ones((WIDE, WIDE)), broken, noise())]
    result = agreement([*maps, attribution(blobs([(0.5, 0.5)]), image_sha256="another")])
    assert result.gaps[0] == ("", "flat", "broken", "grid", "picture")
    assert [bool(gap) for gap in result.gaps[0]] == np.isnan(result.rank[0]).tolist()
    assert set(result.reasons) == set(GAPS.values()) - {""}
    assert agreement(maps[:1]).reasons == ()


def test_the_group_is_the_largest_that_agrees_with_one_of_it():
    near, far = blobs([(0.3, 0.3)]), blobs([(0.75, 0.75)])
    maps = [attribution(values) for values in (far, near, dots(near, 1), dots(near, 2))]
    assert agreement(maps).group == (1, 2, 3)
    assert agreement(maps[:2]).group == () and agreement([]).group == ()


def test_maps_that_share_none_of_their_strongest_places_do_not_point_at_the_same_one() -> None:
    rank, overlap = np.array([[1, 0.5], [0.5, 1]]), np.array([[1, 0.08], [0.08, 1]])
    assert Agreement(rank, overlap).group == ()
    assert Agreement(rank, np.array([[1, 0.4], [0.4, 1]])).group == (0, 1)
