"""Own classes learnt on features: as scikit-learn learns them, and never judged on what was learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, NotApplicable
from xai_core.imageset import ModelOutputs, learn_classes, score_set
from xai_core.imageset.runs.class_head import FREEDOM

NAMES = ("a", "b", "c")


def build_run(features: np.ndarray, unopened: tuple[int, ...] = ()) -> ModelOutputs:
    count = len(features)
    flags = np.isin(np.arange(count), unopened)
    logits = np.zeros((count, 7), dtype=np.float32)
    mean = np.ascontiguousarray(features, dtype=np.float32)
    return ModelOutputs("r" * 24, "s", "m", "l", "", (1, 1), logits, mean, mean, np.zeros(mean.shape, np.uint16), flags)


def build_blobs(count: int = 90, classes: int = 3, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    labels = np.arange(count) % classes
    return 5 * np.eye(classes, 8)[labels] + noise * rng.normal(size=(count, 8)) + 3, labels


def build_oracle() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=FREEDOM, max_iter=1000))


@pytest.mark.parametrize("classes", [2, 3])
def test_each_head_is_the_logistic_regression_of_the_other_parts(classes: int) -> None:
    features, labels = build_blobs(classes=classes, noise=4.0)
    head = learn_classes(build_run(features), labels, NAMES[:classes])
    run = head.apply(build_run(features))
    for fold in range(5):
        held_out = head.folds == fold
        assert np.bincount(labels[held_out]).tolist() == [90 // classes // 5] * classes
        oracle = build_oracle().fit(features[~held_out], labels[~held_out])
        expected = oracle.predict_proba(features[held_out])
        np.testing.assert_allclose(run.probabilities(np.flatnonzero(held_out)), expected, atol=2e-3)
    whole = build_oracle().fit(features, labels)
    np.testing.assert_array_equal(head.logits(features.astype(np.float32)).argmax(axis=1), whole.predict(features))


def test_labels_drawn_by_chance_are_not_found_again() -> None:
    """More features than pictures: what was learnt is known by heart, what was held out is guessed."""
    rng = np.random.default_rng(3)
    features, labels = rng.normal(size=(120, 400)), rng.integers(2, size=120)
    run = build_run(features)
    head = learn_classes(run, labels, NAMES[:2])
    by_heart = (head.logits(run.mean).argmax(axis=1) == labels).mean()
    held_out = score_set(head.apply(run), labels, NAMES[:2]).accuracy
    assert by_heart == 1 and 0.35 < held_out < 0.65


def test_pictures_without_a_label_or_an_answer() -> None:
    features, labels = build_blobs()
    labels[:6] = -1
    run = build_run(features, unopened=(10,))
    answers = learn_classes(run, labels, NAMES).apply(run)
    assert answers.predictions[:6].tolist() == [0, 1, 2, 0, 1, 2], "told by the head of all"
    assert not answers.valid[10] and np.isnan(answers.logits[10]).all() and answers.id != run.id
    assert (answers.predictions[11:] == labels[11:]).all() and answers.logits.shape == (90, 3)


def test_a_class_of_one_picture_is_held_out_and_so_never_found() -> None:
    features, labels = build_blobs(31)
    labels[30] = 2
    labels[labels == 2] = 1
    labels[30] = 2
    head = learn_classes(build_run(features), labels, NAMES)
    answers = head.apply(build_run(features))
    assert answers.predictions[30] != 2 and np.isfinite(answers.logits).all()


def test_what_cannot_be_learnt_is_said_and_a_stop_is_kept() -> None:
    features, labels = build_blobs()
    with pytest.raises(NotApplicable, match="two labels with two pictures"):
        learn_classes(build_run(features), np.where(labels == 0, 0, -1), NAMES)
    with pytest.raises(InvalidParam, match="needs a label"):
        learn_classes(build_run(features), labels[1:], NAMES)
    with pytest.raises(InvalidParam, match="Got 60"):
        learn_classes(build_run(features), labels, NAMES).apply(build_run(features[:60]))
    job: Job[Any] = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        learn_classes(build_run(features), labels, NAMES, job=job)
