"""Likeness of a unit's pictures to another network, and whether they fall into two groups.

Another network judges, since the unit's own would find alike whatever excites the unit. After SemanticLens
(Dreyer et al. 2025, arXiv:2501.05398), which takes a language model's features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from xai_core.arrays import Float64
from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.inside.head import read_head
from xai_core.inside.visualization.pooled_features import BATCH, prepare_batch
from xai_core.models import MODELS
from xai_core.models.classifier import Classifier

MIN_CROPS = 4
# Groups of fewer crops are outliers, and those closer together than this are one group.
MIN_GROUP, MIN_SEPARATION = 3, 0.2


@dataclass(frozen=True, eq=False)
class Clarity:
    """Mean cosine of a unit's crops to each other in another network's features, and that of other crops.

    `groups`: numbers of the crops, in one group, or in two that are apart.
    """

    value: float
    chance: float
    judge: str
    groups: tuple[tuple[int, ...], ...]


def choose_judge(model: Classifier) -> str:
    """Return the name of another bundled network that sees colour pictures. Raises NotApplicable."""
    names = [spec.name for spec in MODELS.specs() if spec.bundled and spec.channels == 3 and spec.name != model.name]
    if not names:
        raise NotApplicable("There is no other model on this computer that could judge these pictures.")
    return names[-1]


def measure_clarity(
    model: Classifier, crops: Sequence[Image.Image], others: Sequence[Image.Image], job: Job[Any] | None = None
) -> Clarity:
    """Return how alike a unit's crops are to a network that judges them, beside crops of any pictures.

    `job` counts crops. Raises InvalidParam for fewer than four of either, NotApplicable, Cancelled.
    """
    if min(len(crops), len(others)) < MIN_CROPS:
        raise InvalidParam(
            f"At least {MIN_CROPS} crops of the unit and as many others are needed to compare them. "
            f"Got {len(crops)} and {len(others)}."
        )
    job = job or Job()
    pictures = [*crops, *others]
    job.expect(job.done + len(pictures))
    parts = []
    for first in range(0, len(pictures), BATCH):
        inputs = prepare_batch(model, pictures, first)
        parts.append(read_head(model, inputs, job).features.double().cpu().numpy())
        job.tick(len(inputs))
    features = np.concatenate(parts)
    own, rest = features[: len(crops)], features[len(crops) :]
    # What all crops have in common must not hide that there are two groups.
    return Clarity(_mean_cosine(own), _mean_cosine(rest), model.name, find_groups(own - features.mean(0)))


def _normalize(features: Float64) -> Float64:
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12))


def _mean_cosine(features: Float64) -> float:
    """Return the mean cosine of all pairs of different rows."""
    cosines = _normalize(features) @ _normalize(features).T
    count = len(features)
    return float((cosines.sum() - np.trace(cosines)) / (count * (count - 1)))


def find_groups(features: Float64) -> tuple[tuple[int, ...], ...]:
    """Return the rows (n, F) as one group, or as two where they are apart (silhouette), the larger first."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    everyone = (tuple(range(len(features))),)
    if len(features) < 2 * MIN_GROUP:
        return everyone
    # By angle: a strong crop must not be a group of its own.
    unit = _normalize(features)
    with cores.limit(cores.CORES_PER_WORKER):
        labels = KMeans(2, n_init=10, random_state=0).fit_predict(unit)
        sizes = np.bincount(labels, minlength=2)
        if sizes.min() < MIN_GROUP or silhouette_score(unit, labels, metric="cosine") < MIN_SEPARATION:
            return everyone
    groups = [tuple(np.flatnonzero(labels == label).tolist()) for label in (0, 1)]
    return tuple(sorted(groups, key=lambda group: (-len(group), group)))
