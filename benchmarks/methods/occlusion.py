"""How long does occlusion take, window 16 and stride 8, against Captum's Occlusion with the same grey patch?"""

from __future__ import annotations

import numpy as np
from captum.attr import Occlusion

from benchmarks.harness.contest import Bench, Floats, Peer, Question, Target
from xai_core.images import make_baseline

TARGETS = (
    Target("ratio", most=0.25, peer="Captum"),
    Target("pearson", least=0.999, peer="Captum"),
    Target("to_limit", most=1.15),
)


def question(bench: Bench, window: int = 16, stride: int = 8) -> Question:
    """Captum's map is the same on all channels, since its window covers them together: the first is taken."""
    patch = bench.model.preprocessing.to_tensor(make_baseline(bench.pixels, "grey", np.random.default_rng(0)))
    channels = bench.x.shape[1]

    def captum(batch: int, step: int = stride) -> Floats:
        values = Occlusion(bench.module).attribute(
            bench.x,
            sliding_window_shapes=(channels, window, window),
            strides=(channels, step, step),
            baselines=patch,
            target=bench.target,
            perturbations_per_eval=batch,
        )
        return np.asarray(values[0, 0])

    return Question(
        title=f"Occlusion, window {window}, stride {stride}",
        ours=lambda: bench.explain("occlusion", window=window, stride=stride, patch="grey"),
        limit=lambda found: bench.forward_limit(found.evaluations),
        peers=(Peer("Captum", captum, trial=lambda batch: captum(batch, window)),),
        targets=TARGETS,
    )
