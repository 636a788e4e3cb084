"""Two networks for scenes: one can only use the object that decides, the other may use a helper instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_core.engine.jobs import Job
from xai_core.labs.classifiers import make_classifier
from xai_core.labs.objects.scenes import DECIDERS, Scene, draw_scenes, stack_scenes
from xai_core.labs.training import score, train
from xai_core.models.classifier import Classifier
from xai_core.params import check_seed

TITLES = {"plain": "One object decides", "helped": "A yellow one helps"}
LABELS = DECIDERS
TRAINING_SCENES = 480
TEST_SCENES = 100
EPOCHS = 10
# Bytes that a training may hold.
MEMORY = 192 * 2**20


@dataclass(frozen=True, eq=False)
class SceneNetwork:
    """A network with scenes like those it learnt from, which it has never seen."""

    name: str
    model: Classifier
    scenes: tuple[Scene, ...]
    accuracy: float
    """Share of these scenes that it names right, 0 to 1."""


def train_scene_networks(
    seed: int = 0,
    job: Job[Any] | None = None,
    scenes: int = TRAINING_SCENES,
    epochs: int = EPOCHS,
    test_scenes: int = TEST_SCENES,
) -> tuple[SceneNetwork, ...]:
    """Train the two networks of a seed; the same seed gives the same bytes. `job` counts epochs.

    Raises:
        InvalidParam: the seed is not allowed.
        Cancelled: the job was cancelled.
    """
    seed, job = check_seed(seed), job or Job()
    job.expect(epochs * len(TITLES))
    networks = []
    for number, (name, title) in enumerate(TITLES.items()):
        helped = name == "helped"
        pictures, labels = stack_scenes(draw_scenes(scenes, (seed, 11, number), helped=helped))
        module = train(pictures, labels, len(LABELS), 2 * seed + number, epochs, job)
        # Training may end early.
        job.done = epochs * (number + 1)
        tests = draw_scenes(test_scenes, (seed, 12, number), helped=helped)
        pictures, labels = stack_scenes(tests)
        accuracy = float(np.mean(score(module, pictures).argmax(dim=1).numpy() == labels))
        model = make_classifier(f"lab_scenes_{seed}_{name}", title, module, LABELS)
        networks.append(SceneNetwork(name, model, tuple(tests), accuracy))
    return tuple(networks)
