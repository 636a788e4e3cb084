"""Maps: PCA and trustworthiness against scikit-learn, t-SNE against its definition, refusals and notes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as by_sklearn
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, NotApplicable, UnknownName
from xai_core.imageset.projection import fft_repulsion, maps as map_module, quality
from xai_core.imageset.projection.fft_repulsion import Gradient, Repulsion
from xai_core.imageset.projection.kinds import MAPS, tsne as tsne_module
from xai_core.imageset.projection.maps import choose_perplexities, make_map, small_multiples, stratified
from xai_core.imageset.projection.neighbours import neighbour_table
from xai_core.imageset.projection.quality import compute_trustworthiness, describe_trustworthiness
from xai_core.imageset.projection.spec import Map

QUICK = {"iterations": 250}


@pytest.fixture(scope="module", autouse=True)
def early() -> Iterator[None]:
    """Fewer first steps: so few points need no more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tsne_module, "EARLY_STEPS", 80)
        yield


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return (images[:500] / 16).astype(np.float32), labels[:500]


@pytest.fixture(scope="module")
def clouds() -> np.ndarray:
    """90 points in three clouds in 20 dimensions."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(90, 20)) + 6 * rng.normal(size=(3, 20))[np.arange(90) % 3]).astype(np.float32)


@pytest.fixture(scope="module")
def usual(clouds: np.ndarray) -> Map:
    return make_map(clouds, "tsne", params=QUICK, seed=3)


@pytest.fixture(scope="module")
def tsne(digits: tuple[np.ndarray, np.ndarray]) -> tuple[Map, Job[Any]]:
    job: Job[Any] = Job()
    return make_map(digits[0], "tsne", params=QUICK, job=job), job


def told_apart(points: np.ndarray, labels: np.ndarray) -> float:
    """Return the accuracy of the five nearest on the map for each digit, its own point left out."""
    return float(cross_val_score(KNeighborsClassifier(5), points, labels, cv=5).mean())


def test_pca_is_scikit_learns_and_the_eigenvectors(digits: tuple[np.ndarray, np.ndarray]) -> None:
    result = make_map(digits[0], "pca", 3)
    expected = PCA(3, svd_solver="full").fit_transform(digits[0].astype(np.float64))
    centred = digits[0].astype(np.float64) - digits[0].mean(axis=0, dtype=np.float64)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    for axis in range(3):
        same = np.sign(result.points[:, axis] @ expected[:, axis])
        assert np.abs(result.points[:, axis] * same - expected[:, axis]).max() < 1e-4
        assert np.abs(np.abs(result.points[:, axis]) - np.abs(left[:, axis] * sizes[axis])).max() < 1e-4
    share = (sizes[:3] ** 2).sum() / (sizes**2).sum()
    assert result.notes == (
        f"The 3 directions shown keep {100 * share:.0f} % of the differences between the pictures.",
    )
    assert result.dimensions == 3 and result.kl is None and not result.points.flags.writeable


def test_tsne_keeps_the_digits_apart(tsne: tuple[Map, Job[Any]], digits: tuple[np.ndarray, np.ndarray]) -> None:
    flat = make_map(digits[0], "pca")
    assert told_apart(flat.points, digits[1]) < 0.75, "a plain shadow does not do it"
    assert told_apart(tsne[0].points, digits[1]) >= 0.9
    assert tsne[0].trustworthiness > 0.95 > flat.trustworthiness
    assert tsne[0].sentence.startswith("Trust the neighbours") and tsne[0].notes[0].startswith("First the 64 numbers")


def test_the_whole_way_was_counted(tsne: tuple[Map, Job[Any]]) -> None:
    assert tsne[1].done == tsne[1].total > 300


def test_one_seed_gives_one_map_and_another_another(clouds: np.ndarray, usual: Map) -> None:
    first, again, different = usual, *(make_map(clouds, "tsne", params=QUICK, seed=seed) for seed in (3, 4))
    assert np.array_equal(first.points, again.points) and first.kl == again.kl
    assert not np.allclose(first.points, different.points)


def by_definition(data: np.ndarray, points: np.ndarray, perplexity: float) -> float:
    """The divergence of van der Maaten and Hinton 2008, all pairs, with the width of each Gaussian found by halving."""
    count = len(data)
    near = ((data[:, None].astype(np.float64) - data[None]) ** 2).sum(axis=2)
    given = np.zeros((count, count))
    for row in range(count):
        others = np.argsort(near[row])[1 : int(3 * perplexity) + 1]
        low, high = 1e-10, 1e10
        for _ in range(80):
            beta = np.sqrt(low * high)
            weights = np.exp(-beta * (near[row, others] - near[row, others].min()))
            share = weights / weights.sum()
            entropy = -(share * np.log(np.maximum(share, 1e-300))).sum()
            low, high = (beta, high) if entropy > np.log(perplexity) else (low, beta)
        given[row, others] = share
    expected = (given + given.T) / (2 * count)
    close = 1 / (1 + ((points[:, None].astype(np.float64) - points[None]) ** 2).sum(axis=2))
    np.fill_diagonal(close, 0)
    computed = close / close.sum()
    held = expected > 0
    return float((expected[held] * np.log(expected[held] / computed[held])).sum())


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_divergence_told_is_that_of_the_definition_and_is_made_small(clouds: np.ndarray, dimensions: int) -> None:
    result = make_map(clouds, "tsne", dimensions, {"perplexity": 10, **QUICK})
    assert result.points.shape == (90, dimensions) and result.kl is not None
    assert result.kl == pytest.approx(by_definition(clouds, result.points, 10), abs=0.02)
    assert result.kl < by_definition(clouds, make_map(clouds, "pca", dimensions).points, 10) / 2


def test_many_points_go_by_the_grid_and_come_out_alike(clouds: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    table, course = neighbour_table(clouds, 45), tsne_module.Schedule(15, 60, 0)
    start = tsne_module.start_points(clouds, 2, "pca", 0)
    tree = tsne_module.optimize(table, start, course, Job())
    monkeypatch.setattr(tsne_module, "MIN_GRID_POINTS", 50)
    grid = tsne_module.optimize(table, start, course, Job())
    assert not np.array_equal(tree.points, grid.points), "or it was not another way"
    assert grid.kl == pytest.approx(tree.kl, abs=0.03)
    assert grid.kl == pytest.approx(by_definition(clouds, grid.points, 15), abs=0.01)


@pytest.mark.parametrize("spread", [1e-4, 0.1, 2.0, 20.0])
def test_the_push_on_the_grid_is_that_between_all_pairs(spread: float) -> None:
    points = np.random.default_rng(0).normal(size=(300, 2)) * [spread, spread / 3]
    apart = points[:, None] - points[None]
    close = 1 / (1 + (apart**2).sum(axis=2))
    expected = (close[:, :, None] ** 2 * apart).sum(axis=1)
    forces, total = Repulsion()(points)
    assert total == pytest.approx(close.sum() - 300, rel=5e-3)
    assert np.linalg.norm(forces - expected) < 0.02 * np.linalg.norm(expected)


def test_a_map_too_wide_for_the_grid_goes_by_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    points, far = np.random.default_rng(0).normal(size=(40, 2)), csr_matrix(np.ones((40, 40)) / 1600)

    def result(gradient: Gradient) -> tuple[np.ndarray, float]:
        pull = gradient(points, P=far, dof=1.0, n_jobs=1, bh_params={"theta": 0.0})[1]
        return pull, gradient.divergence(points, far)

    on_grid, always = result(Gradient(1, on_grid=True)), result(Gradient(1, on_grid=False))
    monkeypatch.setattr(fft_repulsion, "MAX_NODES", 11)
    by_tree = result(Gradient(1, on_grid=True))
    assert np.abs(on_grid[0] - by_tree[0]).max() < 1e-5 < np.abs(by_tree[0]).max() and on_grid[1] == pytest.approx(
        by_tree[1], rel=1e-4
    )
    assert not np.array_equal(on_grid[0], by_tree[0]) and np.array_equal(always[0], by_tree[0])


def test_without_opentsne_scikit_learn_makes_the_map(
    clouds: np.ndarray, usual: Map, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tsne_module, "PACKAGE", "no_such_package")
    job: Job[Any] = Job()
    result = make_map(clouds, "tsne", params=QUICK, seed=3, job=job)
    assert job.done == job.total
    assert not np.array_equal(result.points, usual.points) and result.kl == pytest.approx(usual.kl, abs=0.05)


def test_trustworthiness_is_scikit_learns_whatever_the_blocks(
    clouds: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    for points in (
        clouds[:, :2],
        clouds[:, :1] * np.array([[1, 0]], dtype=np.float32),
        np.random.default_rng(1).normal(size=(90, 2)),
    ):
        expected = by_sklearn(clouds, points, n_neighbors=5)
        assert compute_trustworthiness(clouds, points, 0) == pytest.approx(expected, abs=1e-12)
        monkeypatch.setattr(quality, "_DISTANCES", 1)
        assert compute_trustworthiness(clouds, points, 0) == pytest.approx(expected, abs=1e-12)
    assert 0.4 < expected < 0.6, "a map by chance"
    monkeypatch.setattr(quality, "MAX_JUDGED", 60)
    assert compute_trustworthiness(clouds, points, 0) == pytest.approx(expected, abs=0.05)
    assert compute_trustworthiness(clouds, points, 0) != expected


@pytest.mark.parametrize(
    ("value", "words"), [(1.0, "Trust the"), (0.9, "Trust most"), (0.7, "Be careful"), (0.2, "Do not trust")]
)
def test_a_trustworthiness_is_a_sentence(value: float, words: str) -> None:
    assert describe_trustworthiness(value, 100).startswith(words) and describe_trustworthiness(value, 100).endswith(
        f"({'trustworthiness'} {value:.2f} of 1)."
    )
    assert "measured on 2,000 of the pictures" in describe_trustworthiness(value, 2001)


def test_rows_choose_and_failed_pictures_are_left_out_and_said(clouds: np.ndarray) -> None:
    data = clouds.copy()
    data[[4, 7]] = np.nan
    result = make_map(data, "pca", rows=[9, 4, 3, 80, 7, 50, 60])
    assert result.rows.tolist() == [9, 3, 80, 50, 60]
    assert np.abs(result.points - make_map(clouds[[9, 3, 80, 50, 60]], "pca").points).max() < 1e-6
    assert "2 pictures that could not be read are not on the map." in result.notes
    for rows in ([0, 90], [-1, 3], [0.5, 2.0], [[1, 2]]):
        with pytest.raises(InvalidParam):
            make_map(clouds, "pca", rows=rows)


def test_more_than_a_map_can_show_are_drawn(clouds: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_module, "MAX_POINTS", 50)
    result = make_map(clouds, "pca", seed=2)
    assert len(result.rows) == 50 and np.array_equal(result.points, make_map(clouds, "pca", seed=2).points)
    assert result.notes[0] == "The map shows 50 of 90 pictures, drawn at random: more would take too long."


def test_a_stratified_sample_gives_each_label_its_share() -> None:
    labels = np.random.default_rng(0).choice(6, 5_000, p=[0.5, 0.3, 0.1, 0.07, 0.02, 0.01]) - 1
    rows, words = stratified(labels, 1_000, seed=1)
    assert len(rows) == len(set(rows.tolist())) == 1_000 and np.array_equal(rows, np.sort(rows))
    for label in np.unique(labels):
        assert abs((labels[rows] == label).sum() - (labels == label).sum() / 5) <= 1
    assert "1,000 of 5,000 pictures, drawn at random, each label with its share" in words
    assert np.array_equal(rows, stratified(labels, 1_000, seed=1)[0]) and not np.array_equal(
        rows, stratified(labels, 1_000, seed=2)[0]
    )
    assert stratified(labels[:10], 20)[0].tolist() == list(range(10)) and stratified(labels[:10], 20)[1] == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"perplexity": 4}, "from 5 to 50"),
        ({"perplexity": 51}, "from 5 to 50"),
        ({"iterations": 249}, "from 250 to 2000"),
        ({"learning_rate": 5}, "0 .chosen automatically. or a number from 10 to 1000"),
        ({"learning_rate": 1001}, "from 0 to 1000"),
        ({"start": "spectral"}, "one of pca, random"),
    ],
)
def test_parameters_have_bounds(clouds: np.ndarray, given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidParam, match=words):
        make_map(clouds, "tsne", params=given)


def test_the_learning_rate_matters(clouds: np.ndarray, usual: Map) -> None:
    slow = make_map(clouds, "tsne", params={"learning_rate": 10, **QUICK}, seed=3)
    assert slow.params["learning_rate"] == 10 and not np.allclose(slow.points, usual.points)


def test_what_makes_no_map_is_refused_in_words(clouds: np.ndarray) -> None:
    with pytest.raises(UnknownName, match="tsne"):
        make_map(clouds, "t-sne")
    with pytest.raises(InvalidParam, match="2 or 3 dimensions"):
        make_map(clouds, "pca", 4)
    with pytest.raises(InvalidParam, match=r"at least 5 pictures. Got 4"):
        make_map(clouds[:4])
    with pytest.raises(InvalidParam, match="nothing to spread out"):
        make_map(np.ones((30, 4)))
    with pytest.raises(InvalidParam, match="seed"):
        make_map(clouds, seed=-1)


@pytest.mark.parametrize("kind", ["pca", "tsne"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_few_pictures_equal_pictures_and_few_numbers_make_a_map(kind: str, dimensions: int) -> None:
    few = np.random.default_rng(0).normal(size=(5, 9))
    equal = np.repeat(few, 30, axis=0)
    narrow = np.arange(30.0)[:, None]
    for data in (few, equal, narrow):
        result = make_map(data, kind, dimensions, QUICK if kind == "tsne" else None)
        assert result.points.shape == (len(data), dimensions) and np.isfinite(result.points).all()
    if kind == "tsne":
        assert "With only 30 pictures the perplexity is 9.7 instead of 30" in result.notes[0]


@pytest.mark.parametrize("step", [1, 200])
def test_a_cancel_stops_within_ten_steps(clouds: np.ndarray, step: int) -> None:
    class Stopped(Job[None]):
        def tick(self, evaluations: int = 0) -> None:
            if self.done >= step:
                self.cancel()
            super().tick(evaluations)

    job = Stopped()
    with pytest.raises(Cancelled):
        make_map(clouds, "tsne", job=job)
    assert job.done <= step + tsne_module.PREPARATION_STEPS + tsne_module.STEPS_A_TICK


def test_the_data_stay_as_they_were(clouds: np.ndarray, usual: Map, tmp_path: Path) -> None:
    np.save(tmp_path / "data.npy", clouds)
    mapped = np.load(tmp_path / "data.npy", mmap_mode="r")
    assert np.array_equal(make_map(mapped, "tsne", params=QUICK, seed=3).points, usual.points)
    assert np.array_equal(np.load(tmp_path / "data.npy"), clouds)


def test_small_multiples_are_the_maps_one_would_get_one_by_one(clouds: np.ndarray) -> None:
    job: Job[Any] = Job()
    result = small_multiples(clouds, (5, 15), (0, 1), rows=range(60), job=job, params=QUICK)
    assert [(item.params["perplexity"], item.seed) for item in result] == [(5, 0), (15, 0), (5, 1), (15, 1)]
    assert job.done == job.total
    given = {**QUICK, "start": "random", "perplexity": 5}
    alone = make_map(clouds, "tsne", params=given, seed=1, rows=range(60))
    assert np.array_equal(result[2].points, alone.points) and result[2].trustworthiness == alone.trustworthiness
    assert not np.allclose(result[0].points, result[2].points), "seeds matter"
    with pytest.raises(InvalidParam, match="At least one"):
        small_multiples(clouds, ())


@pytest.mark.parametrize(
    ("count", "effective", "words"),
    [
        (151, (5, 15, 30, 50), ""),
        (150, (5, 15, 30, 149 / 3), "49.7 at most: it stands for 50."),
        (60, (5, 15, 59 / 3), "19.7 at most: it stands for 30 and 50."),
        (46, (5, 15), "15.0 at most: it stands for 30 and 50."),
        (12, (11 / 3,), "3.7 at most: it stands for 5, 15, 30 and 50."),
    ],
)
def test_perplexities_that_few_pictures_cap_come_once(count: int, effective: tuple[float, ...], words: str) -> None:
    choice = choose_perplexities(count)
    assert choice.effective == pytest.approx(effective) and len(choice.requested) == len(effective)
    assert choice.note.endswith(words) and bool(choice.note) == bool(words)


def test_the_maps_of_the_chosen_perplexities_are_all_different(clouds: np.ndarray) -> None:
    choice = choose_perplexities(20)
    result = small_multiples(clouds, choice.requested, (0,), rows=range(20), params=QUICK)
    again = small_multiples(clouds, (5, 15, 30, 50), (0,), rows=range(20), params=QUICK)
    assert np.array_equal(again[1].points, again[3].points), "all four would show one map three times"
    assert len(result) == 2 and not np.allclose(result[0].points, result[1].points)


def test_umap_says_how_to_get_it_and_runs_where_it_is(clouds: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = MAPS.get("umap")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install umap-learn" in str(spec.refusal())
    with pytest.raises(NotApplicable, match="pip install umap-learn"):
        make_map(clouds, "umap")

    class Umap:
        def __init__(self, **given: Any) -> None:
            self.given = given

        def fit_transform(self, data: np.ndarray) -> np.ndarray:
            assert self.given["random_state"] == 5 and self.given["n_neighbors"] == 15
            return data[:, : self.given["n_components"]]

    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Umap))
    result = make_map(clouds, "umap", 3, seed=5)
    assert np.array_equal(result.points, clouds[:, :3]) and result.kind == "umap"


def test_every_map_describes_itself() -> None:
    assert list(MAPS) == ["pca", "tsne", "umap"]
    for spec in MAPS.specs():
        assert spec.about.endswith(".") and spec.source and spec.title
        assert all(param.help.endswith(".") for param in spec.params)
