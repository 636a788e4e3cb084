"""Time of occlusion, window 16 and stride 8, against Captum's Occlusion with the same grey patch."""

from __future__ import annotations

import numpy as np
from captum.attr import Occlusion

from benchmarks.harness.contest import Peer, Question, Target, Workload
from xai_core.arrays import Float
from xai_core.images import make_baseline

TARGETS = (
    Target("ratio", maximum=0.15, peer="Captum"),
    Target("pearson", minimum=0.999, peer="Captum"),
    Target("to_limit", maximum=1.15),
)


def build_question(workload: Workload, window: int = 16, stride: int = 8) -> Question:
    """Build the contest. Captum's windows cover all channels, so its map is that of the first channel."""
    patch = workload.model.preprocessing.to_tensor(make_baseline(workload.pixels, "grey", np.random.default_rng(0)))
    channels = workload.model_input.shape[1]

    def captum(batch: int, step: int = stride) -> Float:
        values = Occlusion(workload.module).attribute(
            workload.model_input,
            sliding_window_shapes=(channels, window, window),
            strides=(channels, step, step),
            baselines=patch,
            target=workload.target,
            perturbations_per_eval=batch,
        )
        return np.asarray(values[0, 0])

    return Question(
        title=f"Occlusion, window {window}, stride {stride}",
        ours=lambda: workload.explain("occlusion", window=window, stride=stride, patch="grey"),
        limit=lambda attribution: workload.forward_limit(attribution.evaluations),
        peers=(Peer("Captum", captum, trial=lambda batch: captum(batch, window)),),
        targets=TARGETS,
    )
