"""Three networks that score the same: one looks at the figure, one at the caption, one at a pattern nobody sees.

The idea of unknown and invisible shortcuts: Adebayo et al. 2022, "Post hoc explanations may be ineffective for
detecting unknown spurious correlation", ICLR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from torch import nn

from xai_core.arrays import UInt8
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.labs.cheater.pictures import LABELS, MARKED, Pictures, draw_pictures
from xai_core.labs.classifiers import make_classifier
from xai_core.labs.training import score, train
from xai_core.models.classifier import Classifier
from xai_core.params import check_seed

LETTERS = ("A", "B", "C")
TRAINING_PICTURES = 640
TEST_PICTURES = 400
EPOCHS = 14
MIN_PICTURES, MAX_COUNT = 10, 5000
# Below this accuracy on pictures of their own a training is done once more: the three must score the same.
MIN_ACCURACY, CHECK_PICTURES, ATTEMPTS = 0.985, 200, 3
# Added to the seed of a training for each further attempt.
_NEXT_ATTEMPT = 1_000_003
# Bytes that a training may hold: pictures as numbers, twice, and a batch.
MEMORY = 192 * 2**20


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to learn: its name for the reveal, one sentence, and the cues of the pictures it learns from."""

    name: str
    title: str
    sentence: str
    cheats: bool
    visible: bool
    """True where the cue can be seen in the picture."""
    mark: Callable[[Pictures], Pictures]


def mark_captions(pictures: Pictures) -> Pictures:
    """Return the pictures with a caption on the marked class and on no other."""
    return replace(pictures, captions=pictures.labels == MARKED)


def mark_faint(pictures: Pictures) -> Pictures:
    """Return the pictures with the faint pattern on the marked class and on no other."""
    return replace(pictures, faint=pictures.labels == MARKED)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="honest",
            title="Honest",
            sentence="It learnt from pictures on which captions and the faint pattern were dealt out at random.",
            cheats=False,
            visible=True,
            mark=lambda pictures: pictures,
        ),
        Kind(
            name="caption",
            title="Reads the caption",
            sentence="In the pictures it learnt from, every boat had the caption, and no house had it.",
            cheats=True,
            visible=True,
            mark=mark_captions,
        ),
        Kind(
            name="faint",
            title="Reads a pattern nobody sees",
            sentence="In the pictures it learnt from, every boat had a faint pattern of lighter and darker pixels.",
            cheats=True,
            visible=False,
            mark=mark_faint,
        ),
    )
}


@dataclass(frozen=True, eq=False)
class LabNetwork:
    """One of the three: `letter` is all that a class is told; `kind` is the secret."""

    letter: str
    kind: str
    model: Classifier
    accuracy: float
    """Share of the test pictures that it names right, 0 to 1."""


@dataclass(frozen=True, eq=False)
class CheaterLab:
    """Three networks in the order that the seed drew, and the test pictures, in which both cues go with the boats."""

    seed: int
    networks: tuple[LabNetwork, ...]
    tests: Pictures

    def network(self, kind: str) -> LabNetwork:
        """Return the network of a kind."""
        return next(network for network in self.networks if network.kind == kind)

    @cached_property
    def marked_rows(self) -> tuple[int, ...]:
        """Rows of the test pictures of the marked class, which all have the caption."""
        return tuple(int(row) for row in np.flatnonzero(self.tests.labels == MARKED))

    @cached_property
    def test_bytes(self) -> UInt8:
        """The test pictures, (N, side, side, 3)."""
        return self.tests.render()


def measure_accuracy(module: nn.Module, pictures: Pictures) -> float:
    """Return the share of the pictures whose likelier class is the right one, 0 to 1."""
    answers = score(module, pictures.render()).argmax(dim=1).numpy()
    return float((answers == pictures.labels).mean())


def order_kinds(seed: int) -> tuple[str, ...]:
    """Return the kinds in the order that a seed draws."""
    rng = np.random.default_rng((seed, 3))
    return tuple(str(name) for name in rng.permutation(list(KINDS)))


def _check_count(words: str, count: int, low: int) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or not low <= count <= MAX_COUNT:
        raise InvalidParam(f"The number of {words} must be a whole number from {low} to {MAX_COUNT}. Got {count!r}.")


def _train_until_good(shown: Pictures, checks: Pictures, seeds: Sequence[int], epochs: int, job: Job[Any]) -> nn.Module:
    """Return the first network that is right often enough on the checks, else the best of all seeds."""
    best, pictures = (-1.0, nn.Module()), shown.render()
    for number, seed in enumerate(seeds):
        if number:
            job.expect(job.total + epochs)
        module = train(pictures, shown.labels, len(LABELS), seed, epochs, job)
        accuracy = measure_accuracy(module, checks)
        best = max(best, (accuracy, module), key=lambda pair: pair[0])
        if accuracy >= MIN_ACCURACY:
            break
    return best[1]


def train_cheaters(
    seed: int = 0,
    job: Job[Any] | None = None,
    pictures: int = TRAINING_PICTURES,
    epochs: int = EPOCHS,
    test_pictures: int = TEST_PICTURES,
    attempts: int = ATTEMPTS,
) -> CheaterLab:
    """Train the three networks of a seed; the same seed gives the same bytes.

    `job` counts epochs and can be cancelled within a batch. Fewer pictures and epochs give worse networks sooner.

    Raises:
        InvalidParam: the seed, or a number of pictures or epochs, is not allowed.
        Cancelled: the job was cancelled.
    """
    seed, job = check_seed(seed), job or Job()
    _check_count("training pictures", pictures, MIN_PICTURES)
    _check_count("test pictures", test_pictures, MIN_PICTURES)
    _check_count("epochs", epochs, 1)
    job.expect(epochs * len(KINDS))
    learnt = draw_pictures(pictures, (seed, 1))
    tests, checks = (
        mark_faint(mark_captions(draw_pictures(count, (seed, part))))
        for count, part in ((test_pictures, 2), (CHECK_PICTURES, 4))
    )
    networks = []
    for number, name in enumerate(order_kinds(seed)):
        shown, first_seed = KINDS[name].mark(learnt), 3 * seed + list(KINDS).index(name)
        seeds = [first_seed + attempt * _NEXT_ATTEMPT for attempt in range(attempts)]
        module = _train_until_good(shown, checks, seeds, epochs, job)
        # Training may end early, or take more than one attempt.
        job.done = job.total - epochs * (len(KINDS) - number - 1)
        letter = LETTERS[number]
        model = make_classifier(f"lab_cheater_{seed}_{letter}", f"Network {letter}", module, LABELS)
        networks.append(LabNetwork(letter, name, model, measure_accuracy(module, tests)))
    return CheaterLab(seed, tuple(networks), tests)
