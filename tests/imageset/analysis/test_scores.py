"""Scores of a pass against scikit-learn's, computed on all probabilities at once."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics
from sklearn.calibration import calibration_curve

from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, NotApplicable
from xai_core.imageset.analysis import scores
from xai_core.imageset.analysis.scores import SetScores, calibration_rows, confusion_rows, losses, score_set

CLASSES, COUNT = 8, 400
NAMES = [f"class {number}" for number in range(CLASSES)]


def a_pass(logits: np.ndarray, failed: np.ndarray | None = None) -> Any:
    bad = np.zeros(len(logits), dtype=bool) if failed is None else failed
    sure = softmax(logits, axis=1).max(axis=1)
    return SimpleNamespace(
        logits=logits.astype(np.float32), valid=~bad, model="none", confidence=sure.astype(np.float32)
    )


@pytest.fixture(scope="module")
def case() -> tuple[Any, np.ndarray]:
    """A model that is often right, failed and unlabelled pictures; class 7 is never true, class 6 never predicted."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES - 1, COUNT)
    logits = rng.normal(0, 2, (COUNT, CLASSES))
    logits[np.arange(COUNT), truth] += 3.5
    logits[:, 6] -= 20
    truth[::9] = -1
    failed = np.zeros(COUNT, dtype=bool)
    failed[5::31] = True
    logits[failed] = np.nan
    return a_pass(logits, failed), truth


@pytest.fixture(scope="module")
def result(case: tuple[Any, np.ndarray]) -> SetScores:
    return score_set(*case, NAMES)


@pytest.fixture(scope="module")
def plain(case: tuple[Any, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, answers and probabilities of the pictures that count."""
    done, truth = case
    judged = (truth >= 0) & done.valid
    logits = done.logits[judged].astype(np.float64)
    raised = np.exp(logits)
    return truth[judged], logits.argmax(axis=1), raised / raised.sum(axis=1, keepdims=True)


def test_the_whole_is_scikit_learns(result: SetScores, plain: tuple[np.ndarray, ...]) -> None:
    truth, words, probabilities = plain
    assert 0.4 < result.accuracy < 0.9, "neither perfect nor guessing"
    assert result.count == len(truth) and result.left_out == COUNT - len(truth)
    assert result.accuracy == pytest.approx(metrics.accuracy_score(truth, words))
    assert result.top5 == pytest.approx(
        metrics.top_k_accuracy_score(truth, probabilities, k=5, labels=np.arange(CLASSES))
    )
    some: Any = {"average": "macro", "labels": np.unique(truth), "zero_division": 0.0}
    assert result.precision == pytest.approx(metrics.precision_score(truth, words, **some))
    assert result.recall == pytest.approx(metrics.recall_score(truth, words, **some))
    assert result.f1 == pytest.approx(metrics.f1_score(truth, words, **some))
    areas = [metrics.roc_auc_score(truth == index, probabilities[:, index]) for index in np.unique(truth)]
    assert result.auc == pytest.approx(np.mean(areas))


def test_each_class_is_scikit_learns_and_classes_only_said_are_there_too(
    result: SetScores, plain: tuple[np.ndarray, ...]
) -> None:
    truth, words, probabilities = plain
    assert [item.index for item in result.classes] == list(range(CLASSES))
    for item in result.classes:
        is_it, called = truth == item.index, words == item.index
        assert (item.name, item.count, item.predicted_count) == (NAMES[item.index], is_it.sum(), called.sum())
        assert item.precision == pytest.approx(metrics.precision_score(is_it, called, zero_division=0.0))
        assert item.f1 == pytest.approx(metrics.f1_score(is_it, called, zero_division=0.0))
        if item.count:
            assert item.recall == pytest.approx(metrics.recall_score(is_it, called))
            assert item.auc == pytest.approx(metrics.roc_auc_score(is_it, probabilities[:, item.index]))
    assert result.classes[6].predicted_count == 0 and result.classes[6].count > 0
    assert result.classes[7].count == 0 and np.isnan([result.classes[7].recall, result.classes[7].auc]).all()


def test_confusion_and_the_pictures_behind_a_cell(
    result: SetScores, case: tuple[Any, np.ndarray], plain: tuple[np.ndarray, ...]
) -> None:
    done, truth = case
    assert np.array_equal(result.confusion, metrics.confusion_matrix(plain[0], plain[1]))
    words = np.where(~done.valid, -1, np.nan_to_num(done.logits).argmax(axis=1))
    rows = confusion_rows(truth, words, 1, 2)
    assert len(rows) == result.confusion[1, 2] > 0
    assert set(truth[rows]) == {1} and set(words[rows]) == {2}


def test_calibration_is_scikit_learns_curve(result: SetScores, plain: tuple[np.ndarray, ...]) -> None:
    truth, words, probabilities = plain
    share, mean = calibration_curve(truth == words, probabilities.max(axis=1), n_bins=10)
    assert np.abs(result.calibration.confidence - mean).max() < 1e-6 and len(mean) > 5
    assert np.abs(result.calibration.accuracy - share).max() < 1e-12
    assert result.calibration.counts.sum() == len(truth)
    assert result.calibration.bins.tolist() == sorted({math.ceil(10 * item) - 1 for item in probabilities.max(axis=1)})
    assert result.calibration.error == pytest.approx(
        np.average(np.abs(share - mean), weights=result.calibration.counts)
    )


def test_small_blocks_change_nothing(
    case: tuple[Any, np.ndarray], result: SetScores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "_BLOCK_BYTES", 4000)
    job: Job[None] = Job()
    again = score_set(*case, NAMES, job)
    assert [vars(item) for item in again.classes[:6]] == [vars(item) for item in result.classes[:6]]
    assert (again.accuracy, again.top5, again.auc) == (result.accuracy, result.top5, result.auc)
    assert job.done == job.total == CLASSES


def test_of_equal_answers_the_first_counts_as_said_and_no_tie_makes_a_top_five() -> None:
    result = score_set(a_pass(np.zeros((2, 8))), [4, 5], NAMES)
    assert result.accuracy == 0 and result.top5 == 0.5
    assert result.classes[0].predicted_count == 2


def test_losses_are_the_logarithms_of_the_true_class(
    case: tuple[Any, np.ndarray], plain: tuple[np.ndarray, ...]
) -> None:
    done, truth = case
    result = losses(done, truth)
    judged = (truth >= 0) & done.valid
    assert np.isnan(result[~judged]).all() and np.isfinite(result[judged]).all()
    assert result[judged].mean() == pytest.approx(
        -np.log(plain[2][np.arange(len(plain[0])), plain[0]]).mean(), rel=1e-5
    )


def test_every_number_has_a_sentence(result: SetScores) -> None:
    assert set(result.sentences) == {"accuracy", "top5", "precision", "recall", "f1", "auc", "calibration", "confusion"}
    assert all(text.endswith(".") and "nan" not in text for text in result.sentences.values())
    right = round(result.accuracy * result.count)
    assert f"right for {right} of {result.count} pictures" in result.sentences["accuracy"]
    wrong = result.confusion - np.diag(np.diag(result.confusion))
    truth, words = np.unravel_index(wrong.argmax(), wrong.shape)
    assert f"{wrong.max()} pictures of “class {truth}” called “class {words}”" in result.sentences["confusion"]


def test_one_class_has_no_order_to_judge_and_no_mistake() -> None:
    result = score_set(a_pass(np.eye(8)[[3, 3]] * 9), [3, 3], NAMES)
    assert np.isnan(result.auc) and "cannot be judged" in result.sentences["auc"]
    assert result.accuracy == 1 and "no mistake" in result.sentences["confusion"]


def test_nothing_known_and_classes_that_do_not_exist_are_refused_in_words() -> None:
    done = a_pass(np.zeros((3, 8)))
    with pytest.raises(NotApplicable, match="None of these pictures has a label that the model knows"):
        score_set(done, [-1, -1, -1], NAMES)
    for truth in ([0, 1], [0, 1, 8], [0, 1, -2], [0.0, 1.0, 2.0]):
        with pytest.raises(InvalidParam, match="class from 0 to 7, or -1"):
            score_set(done, truth, NAMES)


def test_a_cancel_stops_it(case: tuple[Any, np.ndarray]) -> None:
    job: Job[None] = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        score_set(*case, NAMES, job)


def test_the_pictures_behind_a_bin_are_those_counted_in_it(case: tuple[Any, np.ndarray], result: SetScores) -> None:
    done, truth = case
    behind = [calibration_rows(done, truth, int(number)) for number in result.calibration.bins]
    assert [len(rows) for rows in behind] == result.calibration.counts.tolist()
    assert sorted(np.concatenate(behind)) == np.flatnonzero((truth >= 0) & done.valid).tolist()
    assert [float(done.confidence[rows].mean()) for rows in behind] == pytest.approx(
        result.calibration.confidence, abs=1e-6
    )
    with pytest.raises(InvalidParam, match="0 to 9"):
        calibration_rows(done, truth, 10)
