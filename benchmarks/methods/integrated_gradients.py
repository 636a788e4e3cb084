"""Time of Integrated Gradients against Captum's, with the same baseline and number of points."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import IntegratedGradients

import xai_core
from benchmarks.harness.contest import Peer, Question, Target, Workload
from xai_core.arrays import Float
from xai_core.images import make_baseline

TARGETS = (
    Target("ratio", maximum=0.4, peer="Captum"),
    Target("to_limit", maximum=1.25),
    Target("ours_mb", maximum=300),
)
BASELINE = "blur"


def build_question(workload: Workload, steps: int = 512) -> Question:
    """Build the contest. Ours adds points until the completeness gap closes; Captum gets that number of points."""
    baseline = workload.model.preprocessing.to_tensor(
        make_baseline(workload.pixels, BASELINE, np.random.default_rng(0))
    )
    points = int(workload.explain("integrated_gradients", baseline=BASELINE, steps=steps).details["steps"])
    with torch.no_grad():
        full, empty = workload.module(torch.cat([workload.model_input, baseline]))[:, workload.target].tolist()

    def gap(values: Float) -> float:
        """Return the relative completeness gap: the error of the map's sum in units of f(x) - f(baseline)."""
        return float(abs(values.sum(dtype=np.float64) - (full - empty)) / abs(full - empty))

    def captum(batch: int) -> Float:
        values = IntegratedGradients(workload.module).attribute(
            workload.model_input, baseline, target=workload.target, n_steps=points, internal_batch_size=batch
        )
        return np.asarray(values[0].sum(0).detach())

    def note(attribution: xai_core.Attribution) -> str:
        return f"baseline {BASELINE}, {points} points each; completeness gap of ours {gap(attribution.heatmap):.2%}"

    return Question(
        title="Integrated Gradients",
        ours=lambda: workload.explain("integrated_gradients", baseline=BASELINE, steps=steps),
        limit=lambda attribution: workload.gradient_limit(int(attribution.details["steps"])),
        peers=(Peer("Captum", captum, note=lambda values: f"of Captum's {gap(values):.2%}"),),
        targets=TARGETS,
        note=note,
    )
