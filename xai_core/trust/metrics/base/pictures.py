"""Methods compared over many pictures: a claim about a method rests on more than one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, Float64
from xai_core.engine.jobs import Job, JobPart
from xai_core.errors import InvalidImage, InvalidParam, NotApplicable
from xai_core.methods.run.explain import Plan, plan, predict
from xai_core.methods.run.judge import see_mask
from xai_core.models.classifier import Classifier
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec
from xai_core.trust.metrics.base.table import count_passes, measure_maps
from xai_core.trust.metrics.pointing import center_hits

MIN_PICTURES, MAX_PICTURES = 10, 50
_RESAMPLES = 2000
_LEVELS = (2.5, 97.5)


class Pictures(Protocol):
    """Pictures with the mask of an object where one is known, such as an image set."""

    @property
    def id(self) -> str: ...

    def __len__(self) -> int: ...

    def open(self, index: int) -> Image.Image: ...

    def mask(self, index: int) -> Bool | None: ...


@dataclass(frozen=True, eq=False)
class PictureComparison:
    """Values of metrics on each picture by each method, (pictures, methods, metrics); NaN where there is none."""

    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    values: Float64
    object_area: Float64
    """Share of each picture that its marked object covers, (pictures,); NaN without one."""
    center_hits: Float64
    """1 where the middle of the picture lies on its object or near it, else 0, (pictures,); NaN without one."""

    def take_metric(self, metric: str) -> Float64:
        """Return the values of a metric, (pictures, methods)."""
        values: Float64 = self.values[:, :, self.metrics.index(metric)]
        return values

    def count(self, metric: str) -> int:
        """Return the number of pictures on which every method has a value of this metric."""
        return int(np.isfinite(self.take_metric(metric)).all(axis=1).sum())

    def summarize(self, metric: str) -> tuple[Float64, Float64]:
        """Return the mean by each method, (methods,), and the ends of its 95 % interval, (methods, 2).

        Over the pictures on which every method has a value; NaN for fewer than ten.
        """
        rows = self.take_metric(metric)
        rows = rows[np.isfinite(rows).all(axis=1)]
        if len(rows) < MIN_PICTURES:
            return np.full(len(self.methods), np.nan), np.full((len(self.methods), 2), np.nan)
        mean: Float64 = rows.mean(axis=0)
        return mean, resample_mean(rows)

    def find_ties(self, metric: str, place: int) -> tuple[str, ...]:
        """Return the methods whose difference to one, picture by picture, may be chance: its interval holds 0."""
        rows = self.take_metric(metric)
        rows = rows[np.isfinite(rows).all(axis=1)]
        ends = resample_mean(rows[:, [place]] - rows)
        return tuple(
            name
            for number, name in enumerate(self.methods)
            if number != place and ends[number, 0] <= 0 <= ends[number, 1]
        )


def resample_mean(rows: Float64, seed: int = 0) -> Float64:
    """Return the ends of the 95 % interval of each column's mean, (columns, 2), by drawing rows with replacement."""
    draws = np.random.default_rng(seed).integers(0, len(rows), (_RESAMPLES, len(rows)))
    ends: Float64 = np.percentile(rows[draws].mean(axis=1), _LEVELS, axis=0).T
    return ends


def list_cheap_metrics() -> list[MetricSpec]:
    """Return the metrics that need no map beside the one they measure."""
    return [metric for metric in METRICS.specs() if not metric.maps]


def check_count(pictures: Pictures) -> None:
    """Refuse too few pictures. Raises InvalidParam."""
    if len(pictures) < MIN_PICTURES:
        raise InvalidParam(
            f"A claim about a method needs at least {MIN_PICTURES} pictures: with fewer, chance decides. "
            f"Got {len(pictures)}. Choose a larger set."
        )


def plan_blank(model: Classifier, methods: Sequence[str]) -> list[Plan]:
    """Return a plan of each method for an empty picture, to count its work and memory."""
    blank = Image.new("RGB", (model.side, model.side))
    return [plan(model, blank, method, 0) for method in methods]


def count_comparison(model: Classifier, methods: Sequence[str], pictures: int) -> int:
    """Return about how many evaluations a comparison over this many pictures takes."""
    passes = sum(count_passes(planned, list_cheap_metrics()) for planned in plan_blank(model, methods))
    return min(pictures, MAX_PICTURES) * passes


def compare_over_pictures(
    model: Classifier, pictures: Pictures, methods: Sequence[str], seed: int = 0, job: Job[Any] | None = None
) -> PictureComparison:
    """Measure methods by their maps of the model's own first guess, over 10 to 50 pictures.

    Of more than 50 a seeded draw is taken; a picture that cannot be read, or has no map, has no values. Metrics that
    need further maps are left out.

    Raises InvalidParam (fewer than ten pictures, no method), NotApplicable, UnknownName or Cancelled.
    """
    check_count(pictures)
    if not methods:
        raise InvalidParam("Choose at least one method.")
    whole, metrics = job or Job(), list_cheap_metrics()
    rows = np.sort(np.random.default_rng(seed).permutation(len(pictures))[:MAX_PICTURES]).tolist()
    whole.expect(count_comparison(model, methods, len(rows)))
    values = np.full((len(rows), len(methods), len(metrics)), np.nan)
    area, center = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for place, row in enumerate(rows):
        try:
            image, mask = pictures.open(row), pictures.mask(row)
            seen = None if mask is None else see_mask(model, Image.fromarray(mask))
            target = predict(model, image, 1).classes[0][0]
            plans = [plan(model, image, method, target, seed=seed) for method in methods]
            # The crop may have cut the object away.
            known = seen if seen is not None and seen.any() else None
            table = measure_maps(plans, seed, JobPart(whole), metrics, known)
        except (InvalidImage, NotApplicable):
            continue
        if known is not None:
            area[place], center[place] = known.mean(), center_hits(known)
        values[place] = [
            [table.values[method].get(metric.name, np.nan) for metric in metrics] for method in table.values
        ]
    return PictureComparison(tuple(methods), tuple(metric.name for metric in metrics), values, area, center)
