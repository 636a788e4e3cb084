"""How long does Integrated Gradients take, against Captum's with the same baseline and as many points as ours needed?
"""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import IntegratedGradients

import xai_core
from benchmarks.harness.contest import Bench, Floats, Peer, Question, Target
from xai_core.images import make_baseline

TARGETS = (Target("ratio", most=1.0, peer="Captum"), Target("ours_mb", most=300))
BASELINE = "blur"


def question(bench: Bench, steps: int = 512) -> Question:
    """Ours runs until its shares add up; how many points that takes is found first and given to Captum."""
    baseline = bench.model.preprocessing.to_tensor(make_baseline(bench.pixels, BASELINE, np.random.default_rng(0)))
    points = int(bench.explain("integrated_gradients", baseline=BASELINE, steps=steps).details["steps"])
    with torch.no_grad():
        full, empty = bench.module(torch.cat([bench.x, baseline]))[:, bench.target].tolist()

    def gap(values: Floats) -> float:
        """By how much of f(x) - f(baseline) the map misses it, computed the same way for both."""
        return float(abs(values.sum(dtype=np.float64) - (full - empty)) / abs(full - empty))

    def captum(batch: int) -> Floats:
        found = IntegratedGradients(bench.module).attribute(
            bench.x, baseline, target=bench.target, n_steps=points, internal_batch_size=batch
        )
        return np.asarray(found[0].sum(0).detach())

    def note(found: xai_core.Attribution) -> str:
        return f"baseline {BASELINE}, {points} points each; completeness gap of ours {gap(found.heatmap):.2%}"

    return Question(
        title="Integrated Gradients",
        ours=lambda: bench.explain("integrated_gradients", baseline=BASELINE, steps=steps),
        limit=lambda found: bench.gradient_limit(int(found.details["steps"])),
        peers=(Peer("Captum", captum, note=lambda values: f"of Captum's {gap(values):.2%}"),),
        targets=TARGETS,
        note=note,
    )
