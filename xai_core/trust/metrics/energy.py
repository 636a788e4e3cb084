"""Energy: share of the evidence for the class that lies on the known object."""

from __future__ import annotations

from xai_core.errors import NotApplicable
from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec


def run(request: MetricRequest) -> float:
    """Return the share of the positive values on the object, 0 to 1."""
    mask, positive = request.object_mask, request.heat.clip(min=0)
    if positive.sum() == 0:
        raise NotApplicable("The map holds no evidence for the class.")
    return float(positive[mask].sum() / positive.sum())


METRICS.add(
    MetricSpec(
        name="energy",
        title="Evidence on the object",
        technical="energy inside the mask",
        question="Which share of the evidence lies on the known object? By chance it is the object's area.",
        direction="more",
        low=0.0,
        high=1.0,
        source="Wang et al. 2020, arXiv:1910.01279, section 4.3",
        run=run,
        order=9,
        form="share",
    )
)
