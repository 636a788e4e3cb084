"""How long does SmoothGrad take with 25 noisy copies, against Captum's NoiseTunnel over its Saliency with the same
noise?
"""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import NoiseTunnel, Saliency

import xai_core
from benchmarks.harness.contest import Bench, Floats, Peer, Question

NOISE = 15.0
"""Percent of the range of the prepared picture."""


def question(bench: Bench, samples: int = 25) -> Question:
    """Both draw noise of their own, so even two right maps do not agree in full: the note says how well two seeds of
    ours do.
    """
    given: dict[str, object] = {"samples": samples, "noise": NOISE}

    def captum(batch: int) -> Floats:
        torch.manual_seed(0)  # Captum draws from the global generator
        low, high = bench.x.aminmax()
        tunnel = NoiseTunnel(Saliency(bench.module))
        slopes = tunnel.attribute(
            bench.x.clone().requires_grad_(True),
            nt_type="smoothgrad",
            nt_samples=samples,
            nt_samples_batch_size=min(batch, samples),
            stdevs=NOISE / 100 * float(high - low),
            target=bench.target,
            abs=False,
        )
        return np.asarray(slopes.detach().abs().amax(1)[0])

    def note(found: xai_core.Attribution) -> str:
        return f"every map has its own noise; two seeds of ours have Pearson {bench.seeds_agree('smooth_grad', given, found):.4f}"

    return Question(
        title=f"SmoothGrad, {samples} copies",
        ours=lambda: xai_core.explain(bench.model, bench.image, "smooth_grad", params=given),
        limit=lambda found: bench.gradient_limit(found.evaluations),
        peers=(Peer("Captum", captum),),
        note=note,
    )
