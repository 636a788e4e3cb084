"""Time of SmoothGrad with 25 noisy copies against Captum's NoiseTunnel over its Saliency with the same noise."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import NoiseTunnel, Saliency

import xai_core
from benchmarks.harness.contest import Peer, Question, Target, Workload
from xai_core.arrays import Float

NOISE = 15.0
"""Percent of the range of the prepared picture."""

TARGETS = (Target("ratio", maximum=0.4, peer="Captum"), Target("to_limit", maximum=1.25))


def build_question(workload: Workload, samples: int = 25) -> Question:
    """Build the contest.

    The peer draws its own noise, so correct maps agree only in part; the note states the agreement of two of our seeds.
    """
    params: dict[str, object] = {"samples": samples, "noise": NOISE}

    def captum(batch: int) -> Float:
        # Captum draws from the global generator.
        torch.manual_seed(0)
        low, high = workload.model_input.aminmax()
        tunnel = NoiseTunnel(Saliency(workload.module))
        slopes = tunnel.attribute(
            workload.model_input.clone().requires_grad_(True),
            nt_type="smoothgrad",
            nt_samples=samples,
            nt_samples_batch_size=min(batch, samples),
            stdevs=NOISE / 100 * float(high - low),
            target=workload.target,
            abs=False,
        )
        return np.asarray(slopes.detach().abs().amax(1)[0])

    return Question(
        title=f"SmoothGrad, {samples} copies",
        ours=lambda: xai_core.explain(workload.model, workload.image, "smooth_grad", params=params),
        limit=lambda attribution: workload.gradient_limit(attribution.evaluations),
        peers=(Peer("Captum", captum),),
        targets=TARGETS,
        note=lambda attribution: workload.describe_seeds("smooth_grad", "noise", params, attribution),
    )
