"""Background work of metrics: the table of one picture, and the comparison over many."""

from __future__ import annotations

from collections.abc import Sequence

from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.methods.run.explain import Plan
from xai_core.models.classifier import Classifier
from xai_core.trust.hiding.faithfulness import CALL_BYTES
from xai_core.trust.metrics.base.pictures import (
    PictureComparison,
    Pictures,
    check_count,
    compare_over_pictures,
    count_comparison,
    plan_blank,
)
from xai_core.trust.metrics.base.table import MetricTable, count_passes, measure_maps

_POOL = JobPool("metrics", timeout=CLOSED_TAB_S)


def start_measuring(plans: Sequence[Plan], session_id: str = "") -> Job[MetricTable]:
    """Measure the maps of plans in the background and return the job, which equal requests of all sessions share.

    Raises InvalidParam without a plan.
    """
    return _POOL.start(
        ("metrics", *(planned.id for planned in plans)),
        lambda job: measure_maps(plans, 0, job),
        float(sum(map(count_passes, plans))),
        session_id,
        CALL_BYTES + max((planned.memory for planned in plans), default=0),
    )


def start_comparison(
    model: Classifier, pictures: Pictures, methods: Sequence[str], session_id: str = ""
) -> Job[PictureComparison]:
    """Compare methods over pictures in the background and return the job, which equal requests share.

    Raises InvalidParam for fewer than ten pictures.
    """
    check_count(pictures)
    return _POOL.start(
        ("metrics of a set", pictures.id, model.name, model.weights_sha256, *methods),
        lambda job: compare_over_pictures(model, pictures, methods, 0, job),
        float(count_comparison(model, methods, len(pictures))),
        session_id,
        CALL_BYTES + max((planned.memory for planned in plan_blank(model, methods)), default=0),
    )
