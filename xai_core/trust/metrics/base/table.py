"""Table of metrics over methods for one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xai_core.arrays import Bool
from xai_core.engine.jobs import Job, JobPart
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.formatting import duration
from xai_core.methods.run.explain import Plan, carry_out
from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec


@dataclass(frozen=True)
class MetricTable:
    """Values by method and metric; a reason in words where there is no value."""

    values: Mapping[str, Mapping[str, float]]
    reasons: Mapping[str, Mapping[str, str]]


def measure_maps(
    plans: Sequence[Plan],
    seed: int = 0,
    job: Job[Any] | None = None,
    metrics: Sequence[MetricSpec] | None = None,
    mask: Bool | None = None,
) -> MetricTable:
    """Make the map of each plan and measure it by every metric; all plans ask the same question about one picture.

    `mask` (H, W) marks the object as the model sees it; None: what is known of a sample picture.

    Raises InvalidParam without a plan, and what `explain` raises.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> table = measure_maps([xai_core.plan(model, image, "grad_cam", 3)])
    >>> table.values["grad_cam"]["gain"] > 0
    True
    """
    if not plans:
        raise InvalidParam("Choose at least one method.")
    whole = job or Job()
    specs = METRICS.specs() if metrics is None else metrics
    whole.expect(sum(count_passes(planned, specs) for planned in plans))
    maps = [carry_out(planned, JobPart(whole)) for planned in plans]
    requests = [
        MetricRequest(planned, result, [*maps[:place], *maps[place + 1 :]], whole, seed, mask)
        for place, (planned, result) in enumerate(zip(plans, maps, strict=True))
    ]
    values: dict[str, dict[str, float]] = {planned.spec.name: {} for planned in plans}
    reasons: dict[str, dict[str, str]] = {planned.spec.name: {} for planned in plans}
    work = [(request, metric) for request in requests for metric in specs]
    for place, (request, metric) in enumerate(work):
        # Only the maps tell which metrics are too dear.
        whole.expect(whole.done + sum(_count_work(*entry) for entry in work[place:]))
        name = request.planned.spec.name
        try:
            _check_seconds(request, metric)
            values[name][metric.name] = metric.run(request)
        except NotApplicable as problem:
            reasons[name][metric.name] = str(problem)
    return MetricTable(values, reasons)


def _check_seconds(request: MetricRequest, metric: MetricSpec) -> None:
    """Raise NotApplicable, with its cost, where a map takes too long to make it several times."""
    if request.seconds >= metric.max_seconds:
        raise NotApplicable(
            f"A map took {duration(request.seconds)}, and this test needs {metric.maps} more, so it would take about "
            f"{duration(metric.maps * request.seconds)}. Only methods that take less than "
            f"{duration(metric.max_seconds)} a map are tested."
        )


def _count_work(request: MetricRequest, metric: MetricSpec) -> int:
    """Return the evaluations that a metric of one map will take."""
    planned = request.planned
    again = metric.maps if request.seconds < metric.max_seconds else 0
    return metric.passes + again * planned.spec.cost(planned.params, planned.model.side)


def count_passes(planned: Plan, metrics: Sequence[MetricSpec] | None = None) -> int:
    """Return the evaluations that a map and its metrics, by default all, take at most."""
    specs = METRICS.specs() if metrics is None else metrics
    maps = 1 + sum(metric.maps for metric in specs)
    return maps * planned.spec.cost(planned.params, planned.model.side) + sum(metric.passes for metric in specs)
