"""Maps of the device against those of the CPU: correlation, and sums that add up as well as there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

import xai_core
from benchmarks.gpu.networks import Pair
from xai_core.arrays import Float

MIN_CORRELATION = 0.999
# Gap of completeness that rounding alone may add.
GAP_SLACK = 1e-3
Row = dict[str, Any]


def correlate(values: Float, others: Float) -> float:
    """Return the Pearson correlation of two maps; 1 for two that are flat, 0 for one that is."""
    flat = [float(np.ptp(part)) == 0 for part in (values, others)]
    if any(flat):
        return float(all(flat))
    return float(np.corrcoef(values.ravel(), others.ravel())[0, 1])


def compare_methods(pair: Pair, image: Image.Image, is_over: Callable[[], bool]) -> Iterator[Row]:
    """Yield a row for each method that is right on the network, until the time is over."""
    target = xai_core.predict(pair.cpu, image, 1).classes[0][0]
    for spec in xai_core.METHODS.specs():
        if spec.refusal(pair.cpu) is not None:
            continue
        if is_over():
            return
        params = dict(spec.quick_params(pair.cpu.side))
        ours, reference = (
            xai_core.explain(model, image, spec.name, target, params=params, seed=1)
            for model in (pair.device, pair.cpu)
        )
        correlation = correlate(ours.heatmap, reference.heatmap)
        gaps = [entry.details.get("completeness_gap") for entry in (ours, reference)]
        adds_up = None if None in gaps else gaps[0] <= gaps[1] + GAP_SLACK  # type: ignore[operator]
        yield {
            "network": pair.name,
            "method": spec.name,
            "correlation": round(correlation, 6),
            "gap": gaps[0],
            "gap on the CPU": gaps[1],
            "seconds": round(ours.seconds, 3),
            "passed": correlation >= MIN_CORRELATION and adds_up is not False,
        }
