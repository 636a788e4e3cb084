"""Maps judged by what is known: how much of a map's evidence lies on the caption, beside the caption's own area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, Float
from xai_core.engine.jobs import Job
from xai_core.labs.cheater.networks import CheaterLab
from xai_core.labs.cheater.pictures import MARKED
from xai_core.methods import METHODS, explain
from xai_core.models.classifier import Classifier
from xai_core.params import resolve

# Goals: a map finds the caption of the network that reads it, and does not accuse the honest one.
FINDS, ACCUSES = 4.0, 1.5
JUDGED_PICTURES = 6
# Forward passes of a method that is judged at most, but for the usual ones: the table takes some seconds.
MAX_COST = 200


@dataclass(frozen=True)
class MapScore:
    """One method: the mean share of evidence on the caption over the caption's share of the area, by kind of network.

    1 is what evidence spread evenly over the picture gives.
    """

    method: str
    honest: float
    caption: float
    faint: float

    @property
    def finds(self) -> bool:
        """True where the map points at the caption of the network that reads it."""
        return self.caption >= FINDS

    @property
    def accuses(self) -> bool:
        """True where the map points at the caption of the honest network: a false accusation."""
        return self.honest > ACCUSES


def measure_energy(heatmap: Float, box: Bool) -> float:
    """Return the share of positive evidence inside the box over the box's share of the area; 0 without evidence."""
    positive = np.clip(np.asarray(heatmap, dtype=np.float64), 0, None)
    total = positive.sum()
    return float(positive[box].sum() / total / box.mean()) if total > 0 else 0.0


def list_judged_methods(model: Classifier, max_cost: float = MAX_COST) -> tuple[str, ...]:
    """Return the usual methods and those of at most this cost in forward passes that work on a network."""
    specs = [spec for spec in METHODS.specs() if spec.refusal(model) is None]
    costs = {spec.name: spec.weight(resolve(spec.params, None, model.side), model.side) for spec in specs}
    return tuple(spec.name for spec in specs if spec.usual or costs[spec.name] <= max_cost)


def judge_maps(
    lab: CheaterLab, methods: Sequence[str] | None = None, pictures: int = JUDGED_PICTURES, job: Job[Any] | None = None
) -> tuple[MapScore, ...]:
    """Return the score of each method over the first boats of the test pictures.

    Raises:
        UnknownName: no such method.
        NotApplicable: a method that does not work on these networks.
        Cancelled: the job was cancelled.
    """
    names = list_judged_methods(lab.networks[0].model) if methods is None else tuple(methods)
    job = job or Job()
    rows = lab.marked_rows[:pictures]
    shown = [Image.fromarray(lab.test_bytes[row]) for row in rows]
    # Batches of one map count in a job of their own, so that this one counts maps.
    job.expect(len(names) * len(lab.networks))
    scores = []
    for name in names:
        energies = {}
        for network in lab.networks:
            heats = []
            for image in shown:
                job.tick()
                heats.append(explain(network.model, image, name, MARKED).heatmap)
            energies[network.kind] = float(np.mean([measure_energy(heat, lab.tests.caption_box) for heat in heats]))
            job.tick(1)
        scores.append(MapScore(name, energies["honest"], energies["caption"], energies["faint"]))
    return tuple(scores)
