"""Nearest neighbours against all distances at once, and the place of a new picture on a map."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam
from xai_core.imageset.projection import neighbours
from xai_core.imageset.projection.neighbours import find_nearest, neighbour_table, place_among
from xai_core.imageset.projection.spec import Map


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(300, 7)).astype(np.float32)


def by_hand(data: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    rows, query = data.astype(np.float64), query.astype(np.float64)
    if metric == "euclidean":
        return np.array([np.sqrt(((row - query) ** 2).sum()) for row in rows])
    return np.array([1 - (row * query).sum() / np.sqrt((row**2).sum() * (query**2).sum()) for row in rows])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("block", [1, 1000, 2**24])
def test_nearest_are_those_of_all_distances(
    data: np.ndarray, metric: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "BLOCK_BYTES", block)
    query = np.random.default_rng(1).normal(size=7).astype(np.float32)
    far = by_hand(data, query, metric)
    rows, distances = find_nearest(data, query, 12, metric)
    assert rows.tolist() == np.argsort(far)[:12].tolist()
    assert np.abs(distances - far[rows]).max() < 1e-5


def test_the_two_distances_are_not_the_same_question(data: np.ndarray) -> None:
    query = np.full(7, 0.1, dtype=np.float32)
    assert find_nearest(data, query, 5)[0].tolist() != find_nearest(data, query, 5, "euclidean")[0].tolist()


def test_equal_distances_come_in_the_order_of_rows_and_failed_pictures_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbours, "BLOCK_BYTES", 40)
    data = np.ones((9, 2), dtype=np.float32)
    data[[1, 4]] = np.nan
    data[7] = 0  # has no direction: as far by angle as a right one
    rows, far = find_nearest(data, np.array([2.0, 2.0]), 20)
    assert rows.tolist() == [0, 2, 3, 5, 6, 8, 7]
    assert np.allclose(far, [0, 0, 0, 0, 0, 0, 1], atol=1e-6)


def test_a_memory_mapped_array_is_read_in_blocks(data: np.ndarray, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "data.npy", data)
    mapped = np.load(tmp_path / "data.npy", mmap_mode="r")
    monkeypatch.setattr(neighbours, "BLOCK_BYTES", 500)
    assert find_nearest(mapped, data[17], 3)[0].tolist() == find_nearest(data, data[17], 3)[0].tolist()
    assert find_nearest(mapped, data[17], 1)[0].tolist() == [17]


def test_what_cannot_be_compared_is_refused_in_words(data: np.ndarray) -> None:
    with pytest.raises(InvalidParam, match=r"7 numbers.*Got 3"):
        find_nearest(data, np.zeros(3))
    with pytest.raises(InvalidParam, match=r"1 or more. Got 0"):
        find_nearest(data, data[0], 0)
    with pytest.raises(InvalidParam, match=r"cosine or euclidean. Got 'manhattan'"):
        find_nearest(data, data[0], 3, "manhattan")  # type: ignore[arg-type]


def test_the_table_of_all_neighbours_leaves_each_point_itself_out(
    data: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "QUERIES", 64)
    job: Job[None] = Job()
    table = neighbour_table(data, 6, job, steps=10)
    assert job.done == 10
    for row in range(0, len(data), 7):
        far = by_hand(data, data[row], "euclidean")
        far[row] = np.inf
        assert table.rows[row].tolist() == np.argsort(far)[:6].tolist()
        assert np.abs(table.distances[row] - np.sort(far)[:6]).max() < 1e-5
    assert np.array_equal(table.nearest(2).rows, table.rows[:, :2])


def test_points_that_many_others_equal_still_have_as_many_neighbours() -> None:
    data = np.repeat(np.arange(3.0, dtype=np.float32), 10)[:, None]
    table = neighbour_table(data, 4)
    assert table.rows.shape == (30, 4)
    assert not (table.rows == np.arange(30)[:, None]).any()
    assert not table.distances.any()


def test_finding_all_neighbours_stops_between_blocks(data: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "QUERIES", 10)
    job: Job[None] = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        neighbour_table(data, 3, job)


def build_map(points: np.ndarray, rows: np.ndarray) -> Map:
    return Map(points, rows, "tsne", {}, 0, 1.0, "")


def test_a_picture_that_is_on_the_map_stands_on_itself(data: np.ndarray) -> None:
    rows = np.arange(0, 300, 2)
    points = np.random.default_rng(2).normal(size=(150, 2))
    assert np.abs(place_among(build_map(points, rows), data, data[40]) - points[20]).max() < 1e-3


def test_a_new_picture_stands_between_its_neighbours_and_nearest_to_the_nearest() -> None:
    data = np.array([[0.0], [1.0], [100.0], [200.0]], dtype=np.float32)
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 50, 0], [0, 0, 70]], dtype=np.float32)
    weights = 1 / np.array([0.25, 0.75]) ** 2
    assert place_among(build_map(points, np.arange(4)), data, np.array([0.25]), k=2)[0] == pytest.approx(
        weights[1] / weights.sum()
    )
    whole = place_among(build_map(points, np.arange(4)), data, np.array([0.25]))
    assert whole.shape == (3,) and np.abs(whole).max() < 0.2, "far ones hardly count"
