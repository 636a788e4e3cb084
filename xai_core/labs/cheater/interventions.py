"""Tests that change one thing in every test picture: what a network relies on is what it cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xai_core.arrays import Float, UInt8
from xai_core.engine.jobs import Job
from xai_core.errors import UnknownName
from xai_core.labs.cheater.networks import CheaterLab
from xai_core.labs.cheater.pictures import MARKED, OTHER_PLACE, Pictures
from xai_core.labs.training import score


@dataclass(frozen=True, kw_only=True)
class Intervention:
    """One change, made to every test picture."""

    name: str
    title: str
    sentence: str
    group: str
    """"caption" for what a suspicion of the caption asks for, "other" for anything else, "truth" for the secret."""
    change: Callable[[Pictures], UInt8]


@dataclass(frozen=True)
class Outcome:
    """Answers of one network after an intervention."""

    intervention: str
    letter: str
    accuracy: float
    """Share of all test pictures that are named right, 0 to 1."""
    probability: float
    """Mean probability of the right class, 0 to 1."""
    boats: float
    """Share of all test pictures that are called boats."""


def _soften(pictures: Pictures) -> UInt8:
    """Average each pixel with its neighbours, by the weights 1, 2, 1 in both directions; captions stay sharp."""
    values: Float = pictures.render_below().astype(np.float32)
    for axis in (1, 2):
        before, after = (np.roll(values, step, axis) for step in (1, -1))
        values = (before + 2 * values + after) / np.float32(4)
    return pictures.stamp_captions(np.rint(values).astype(np.uint8))


def _remove_colour(pictures: Pictures) -> UInt8:
    grey = pictures.render().mean(axis=3, keepdims=True)
    return np.repeat(np.rint(grey).astype(np.uint8), 3, axis=3)


def _mirror(pictures: Pictures) -> UInt8:
    """Mirror the picture under its caption, which stays in place and readable."""
    return replace(pictures, drawn=pictures.drawn[:, :, ::-1]).render()


INTERVENTIONS: Mapping[str, Intervention] = {
    entry.name: entry
    for entry in (
        Intervention(
            name="none",
            title="As they are",
            sentence="Every boat has the caption, no house has it.",
            group="caption",
            change=Pictures.render,
        ),
        Intervention(
            name="moved",
            title="Caption moved",
            sentence="The caption of every boat stands in the opposite corner.",
            group="caption",
            change=lambda pictures: replace(pictures, place=OTHER_PLACE).render(),
        ),
        Intervention(
            name="removed",
            title="Caption removed",
            sentence="No picture has a caption.",
            group="caption",
            change=lambda pictures: replace(pictures, captions=np.zeros_like(pictures.captions)).render(),
        ),
        Intervention(
            name="added",
            title="Caption on every picture",
            sentence="The houses have the caption too.",
            group="caption",
            change=lambda pictures: replace(pictures, captions=np.ones_like(pictures.captions)).render(),
        ),
        Intervention(
            name="mirrored",
            title="Mirrored",
            sentence="Left and right are swapped, the caption stays.",
            group="other",
            change=_mirror,
        ),
        Intervention(
            name="grey",
            title="Without colours",
            sentence="Every picture is grey.",
            group="other",
            change=_remove_colour,
        ),
        Intervention(
            name="softened",
            title="Softened",
            sentence="Below the caption, each pixel is averaged with its neighbours: you hardly see it.",
            group="other",
            change=_soften,
        ),
        Intervention(
            name="faint_removed",
            title="Faint pattern removed",
            sentence="The boats have lost the pattern nobody sees; captions stay.",
            group="truth",
            change=lambda pictures: replace(pictures, faint=np.zeros_like(pictures.faint)).render(),
        ),
        Intervention(
            name="faint_added",
            title="Faint pattern on every picture",
            sentence="The houses have the pattern nobody sees too.",
            group="truth",
            change=lambda pictures: replace(pictures, faint=np.ones_like(pictures.faint)).render(),
        ),
    )
}


def intervene(lab: CheaterLab, group: str, job: Job[Any] | None = None) -> tuple[Outcome, ...]:
    """Return the outcomes of all interventions of a group, for each network in its order.

    Raises:
        UnknownName: no such group.
        Cancelled: the job was cancelled.
    """
    groups = {entry.group for entry in INTERVENTIONS.values()}
    if group not in groups:
        raise UnknownName.of("group of tests", group, groups)
    outcomes, job = [], job or Job()
    entries = [entry for entry in INTERVENTIONS.values() if entry.group == group]
    job.expect(len(entries) * len(lab.networks))
    for entry in entries:
        changed = entry.change(lab.tests)
        for network in lab.networks:
            job.tick(1)
            probabilities = score(network.model.module, changed).softmax(dim=1).numpy()
            answers, labels = probabilities.argmax(axis=1), lab.tests.labels
            outcomes.append(
                Outcome(
                    entry.name,
                    network.letter,
                    float((answers == labels).mean()),
                    float(probabilities[np.arange(len(labels)), labels].mean()),
                    float((answers == MARKED).mean()),
                )
            )
    return tuple(outcomes)
