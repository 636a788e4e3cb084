"""Many sessions at once on the device: every map against the same one made alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image

import xai_core
from benchmarks.gpu.agreement import correlate
from xai_core import Job
from xai_core.methods.run.explain import carry_out

METHODS = ("grad_cam", "lime", "occlusion", "rise", "integrated_gradients")
# Largest difference from the map made alone, as a share of its largest value: other batches round otherwise.
MAX_DIFFERENCE = 1e-3
# Kinks of rectifiers may be decided by rounding, which changes single pixels of gradient maps.
MIN_CORRELATION = 0.99999


def run_sessions(model: xai_core.Classifier, images: Sequence[Image.Image], sessions: int) -> dict[str, Any]:
    """Return a row: wrong maps, seconds together and alone."""
    plans = []
    for number in range(sessions):
        method = METHODS[number % len(METHODS)]
        params = dict(xai_core.METHODS.get(method).quick_params(model.side))
        image = images[number % len(images)]
        plans.append(xai_core.plan(model, image, method, params=params, seed=number))
    began = time.perf_counter()
    alone = [carry_out(planned, Job()) for planned in plans]
    alone_s = time.perf_counter() - began
    began = time.perf_counter()
    with ThreadPoolExecutor(sessions) as pool:
        together = list(pool.map(lambda planned: carry_out(planned, Job()), plans))
    together_s = time.perf_counter() - began
    wrong = [
        f"{a.method}, seed {a.seed}" for a, b in zip(alone, together, strict=True) if not _is_same(a.values, b.values)
    ]
    return {
        "sessions": sessions,
        "maps": len(plans),
        "wrong": wrong,
        "seconds together": round(together_s, 2),
        "seconds alone": round(alone_s, 2),
        "passed": not wrong,
    }


def _is_same(values: np.ndarray, others: np.ndarray) -> bool:
    peak = max(float(np.abs(values).max()), 1e-12)
    near = float(np.abs(values - others).max()) <= MAX_DIFFERENCE * peak
    return near or correlate(values, others) >= MIN_CORRELATION
