"""The t-SNE contest on few points: equal scoring of both maps, and missed targets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.harness.array_contest import TableRow, format_contest_table
from benchmarks.harness.contest import Workload
from benchmarks.imageset import tsne
from benchmarks.imageset.tsne import Contest, MapScores

WORKLOAD = cast(Workload, SimpleNamespace(repeats=1, log=lambda _text: None))


def test_both_maps_are_made_of_the_same_data_and_judged_by_the_same_numbers() -> None:
    class Quick(Contest):
        def theirs(self) -> np.ndarray:
            return self.data[:, :2]

    answer = tsne.measure_maps(WORKLOAD, Quick(count=30, width=20, classes=3, perplexity=5))
    assert answer.row.difference == 0 and len(answer.misses) == 1, (
        "slower than nothing at all, but better than two of the numbers"
    )
    assert min(answer.row.ours_s, answer.row.peer_s, answer.row.ratio) > 0
    assert answer.row.size.startswith("30 × 20; KL ") and "trustworthiness" in answer.row.size
    assert format_contest_table([answer.row]).count("t-SNE map") == 1


def test_the_divergence_is_that_over_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    contest = Contest(count=40, width=10, classes=2, perplexity=5)
    points = np.random.default_rng(0).normal(size=(40, 2))
    close = 1 / (1 + ((points[:, None] - points[None]) ** 2).sum(axis=2))
    np.fill_diagonal(close, 0)
    similarities, expected = close / close.sum(), contest.affinities.toarray()
    positive = expected > 0
    assert expected.sum() == pytest.approx(1) and positive.sum() < 40 * 39
    assert contest.score(points).divergence == pytest.approx(
        (expected[positive] * np.log(expected[positive] / similarities[positive])).sum()
    )


def test_slower_worse_and_less_true_are_each_told() -> None:
    row = TableRow("t-SNE map", "scikit-learn", "", 3.0, 4.0, 0.75, 0.0, 0.0, 0.1)
    misses = tsne.list_misses(row, MapScores(1.1, 0.90), MapScores(1.0, 0.95))
    assert misses[0] == "t-SNE map against scikit-learn: ours / peer is 0.75, to reach: at most 0.5"
    assert (
        "the divergence is 1.1000, to reach: at most 1.0000" in misses[1] and "at least 0.9500 less 0.005" in misses[2]
    )
    good: Any = SimpleNamespace(ratio=0.4, question="", peer="")
    assert tsne.list_misses(good, MapScores(1.0, 0.946), MapScores(1.0, 0.95)) == ()
