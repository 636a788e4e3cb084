"""Methods ranked by the truth: do their maps order the objects of a scene as removing each object does?

Importance is what the network does when an object is gone (FunnyBirds, Hesse et al. 2023), not what the drawing rule
says: a trained network may use something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from xai_core.arrays import Bool, Float, Float64
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.labs.objects.scenes import Scene
from xai_core.methods import METHODS, explain
from xai_core.models.classifier import Classifier
from xai_core.params import Value

MIN_SCENES = 5
_RESAMPLES = 2000
_LEVELS = (2.5, 97.5)


@dataclass(frozen=True)
class Setting:
    """A method with a layer and parameters; `words` name what differs from its defaults."""

    method: str
    layer: str | None = None
    params: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    words: str = ""

    @property
    def title(self) -> str:
        return " · ".join(filter(None, (METHODS.get(self.method).technical, self.words)))


@dataclass(frozen=True)
class Ranked:
    """A setting's agreement with removal over the scenes of one network."""

    setting: Setting
    rank: float
    """Mean over scenes of Spearman's rank correlation of map and importance over the objects, -1 to 1."""
    rank_interval: tuple[float, float]
    """95 % by bootstrap over scenes."""
    hits: float
    """Share of scenes in which the map's first object is the most important one."""
    hits_interval: tuple[float, float]
    ranks: tuple[float, ...]
    """The correlation in each scene."""


@dataclass(frozen=True)
class Importance:
    """The class that the network says, and the log-odds that it loses without each object, (K,)."""

    target: int
    drops: Float64


def measure_importance(model: Classifier, scene: Scene, job: Job[Any] | None = None) -> Importance:
    """Return how much the log-odds of the answer fall when an object is removed."""
    images = [scene.picture, *scene.without]
    steps = model.preprocessing
    batch = torch.cat([steps.to_tensor(steps.to_pixels(np.asarray(image))) for image in images]).to(model.device)
    logits = forward_for(model)(batch, job).double()
    target = int(logits[0].argmax())
    rest = torch.cat([logits[:, :target], logits[:, target + 1 :]], dim=1)
    log_odds = (logits[:, target] - rest.logsumexp(dim=1)).numpy()
    return Importance(target, log_odds[0] - log_odds[1:])


def sum_evidence(heatmap: Float, masks: Bool) -> Float64:
    """Return the sum of a map over each object, (K,)."""
    heat = np.asarray(heatmap, dtype=np.float64)
    return np.array([heat[mask].sum() for mask in masks])


def correlate(evidence: Float64, drops: Float64) -> float:
    """Return Spearman's rank correlation; 0 where the map gives every object the same: it does not order them."""
    if np.ptp(evidence) == 0 or np.ptp(drops) == 0:
        return 0.0
    # Importing it takes half a second.
    from scipy.stats import spearmanr

    return float(spearmanr(evidence, drops).statistic)


def rank_settings(
    model: Classifier, scenes: Sequence[Scene], settings: Sequence[Setting], seed: int = 0, job: Job[Any] | None = None
) -> tuple[Ranked, ...]:
    """Return the agreement of each setting with removal, best first.

    Raises:
        InvalidParam: too few scenes for an interval, or a parameter that is not allowed.
        UnknownName: no such method or layer.
        NotApplicable: a method that does not work on the network.
        Cancelled: the job was cancelled.
    """
    if len(scenes) < MIN_SCENES:
        raise InvalidParam(f"A ranking needs at least {MIN_SCENES} scenes. Got {len(scenes)}.")
    job = job or Job()
    job.expect((1 + len(settings)) * len(scenes))
    truths = []
    for scene in scenes:
        truths.append(measure_importance(model, scene))
        job.tick(1)
    rows = []
    for setting in settings:
        scores = []
        for scene, truth in zip(scenes, truths, strict=True):
            scores.append(score_scene(model, scene, setting, truth, seed))
            job.tick(1)
        rows.append(summarize(setting, scores, seed))
    return tuple(sorted(rows, key=lambda row: -row.rank))


def score_scene(
    model: Classifier, scene: Scene, setting: Setting, truth: Importance, seed: int = 0
) -> tuple[float, bool]:
    """Return the correlation of a setting's map with removal, and whether its first object is the most important.

    Raises what `explain` raises.
    """
    result = explain(model, scene.image, setting.method, truth.target, setting.layer, dict(setting.params), seed)
    evidence = sum_evidence(result.heatmap, scene.masks)
    return correlate(evidence, truth.drops), bool(np.ptp(evidence) > 0 and evidence.argmax() == truth.drops.argmax())


def summarize(setting: Setting, scores: Sequence[tuple[float, bool]], seed: int = 0) -> Ranked:
    """Return means and intervals of a setting's scores over scenes."""
    ranks, hits = [rank for rank, _ in scores], [float(hit) for _, hit in scores]
    return Ranked(
        setting,
        float(np.mean(ranks)),
        bootstrap_interval(ranks, seed),
        float(np.mean(hits)),
        bootstrap_interval(hits, seed),
        tuple(ranks),
    )


def compare_ranks(row: Ranked, default: Ranked, seed: int = 0) -> tuple[float, tuple[float, float]]:
    """Return the mean gain in correlation over another setting on their common scenes, and its 95 % interval."""
    gains = np.array([own - usual for own, usual in zip(row.ranks, default.ranks, strict=False)])
    return float(gains.mean()), bootstrap_interval(gains.tolist(), seed)


def bootstrap_interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean, by resampling the values."""
    rng = np.random.default_rng(seed)
    draws = np.asarray(values)[rng.integers(len(values), size=(_RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(draws, _LEVELS)
    return float(low), float(high)
