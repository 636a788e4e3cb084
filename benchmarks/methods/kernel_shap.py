"""Time of KernelSHAP with 500 samples against Captum's KernelShap, on the same superpixels and grey."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import KernelShap

import xai_core
from benchmarks.harness.contest import Peer, Question, Workload
from xai_core.arrays import Float
from xai_core.images import make_baseline
from xai_core.methods.shared.superpixels import find_superpixels

_TRIAL_SHARE = 5


def build_question(workload: Workload, samples: int = 500, segments: int = 50) -> Question:
    """Build the contest.

    The peer draws its own coalitions, so correct maps agree only in part; the note states the agreement of two of our
    seeds.
    """
    params: dict[str, object] = {"samples": samples, "segments": segments, "replace": "grey"}
    few = max(10, samples // _TRIAL_SHARE)

    def captum(batch: int, count: int = samples) -> Float:
        patches = torch.from_numpy(find_superpixels(workload.pixels, segments))
        grey = workload.model.preprocessing.to_tensor(make_baseline(workload.pixels, "grey", np.random.default_rng(0)))
        # Captum draws from the global generator.
        torch.manual_seed(0)
        values = KernelShap(workload.module).attribute(
            workload.model_input,
            baselines=grey,
            target=workload.target,
            feature_mask=patches[None, None],
            n_samples=count,
            perturbations_per_eval=batch,
        )
        return np.asarray(values[0, 0].detach())

    return Question(
        title=f"KernelSHAP, {samples} samples",
        ours=lambda: xai_core.explain(workload.model, workload.image, "kernel_shap", params=params),
        limit=lambda attribution: workload.forward_limit(attribution.evaluations),
        peers=(Peer("Captum", captum, lambda batch: captum(batch, few)),),
        note=lambda attribution: workload.describe_seeds("kernel_shap", "random samples", params, attribution),
    )
