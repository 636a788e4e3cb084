"""How long does KernelSHAP take with 500 samples, against Captum's KernelShap on the same superpixels, hidden with the
same grey?
"""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import KernelShap

import xai_core
from benchmarks.harness.contest import Bench, Floats, Peer, Question
from xai_core.images import make_baseline
from xai_core.methods.shared.superpixels import find_superpixels

_TRIAL_SHARE = 5


def question(bench: Bench, samples: int = 500, segments: int = 50) -> Question:
    """Both draw coalitions of their own, so even two right maps do not agree in full: the note says how well two seeds
    of ours do.
    """
    given: dict[str, object] = {"samples": samples, "segments": segments, "replace": "grey"}
    few = max(10, samples // _TRIAL_SHARE)

    def captum(batch: int, count: int = samples) -> Floats:
        patches = torch.from_numpy(find_superpixels(bench.pixels, segments))
        grey = bench.model.preprocessing.to_tensor(make_baseline(bench.pixels, "grey", np.random.default_rng(0)))
        torch.manual_seed(0)  # Captum draws from the global generator
        values = KernelShap(bench.module).attribute(
            bench.x,
            baselines=grey,
            target=bench.target,
            feature_mask=patches[None, None],
            n_samples=count,
            perturbations_per_eval=batch,
        )
        return np.asarray(values[0, 0].detach())

    def note(found: xai_core.Attribution) -> str:
        return f"every map has its own random samples; two seeds of ours have Pearson {bench.seeds_agree('kernel_shap', given, found):.4f}"

    return Question(
        title=f"KernelSHAP, {samples} samples",
        ours=lambda: xai_core.explain(bench.model, bench.image, "kernel_shap", params=given),
        limit=lambda found: bench.forward_limit(found.evaluations),
        peers=(Peer("Captum", captum, lambda batch: captum(batch, few)),),
        note=note,
    )
