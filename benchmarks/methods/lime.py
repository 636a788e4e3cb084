"""Time of LIME with 1000 samples against Captum's Lime and the authors' package, on the same superpixels.

All three use the same grey, the same kernel and the same ridge regression on all patches (no K-Lasso).
"""

from __future__ import annotations

import sys
from contextlib import redirect_stderr
from io import StringIO

import numpy as np
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import Lime
from lime.lime_image import LimeImageExplainer  # type: ignore[import-untyped]  # ships no types

import xai_core
from benchmarks.harness.contest import Peer, Question, Target, Workload
from xai_core.arrays import Float
from xai_core.images import make_baseline
from xai_core.methods.shared.superpixels import find_superpixels

TARGETS = (Target("ratio", maximum=0.14, peer="Captum"), Target("to_limit", maximum=1.15))
KERNEL_WIDTH = 0.25
GREY = 0.5
_TRIAL_SHARE = 5


def build_question(workload: Workload, samples: int = 1000, segments: int = 50) -> Question:
    """Build the contest.

    The peer draws its own samples, so correct maps agree only in part; the note states the agreement of two of our
    seeds.
    """
    params: dict[str, object] = {
        "samples": samples,
        "segments": segments,
        "features": segments,
        "kernel_width": KERNEL_WIDTH,
    }
    few = max(10, samples // _TRIAL_SHARE)

    return Question(
        title=f"LIME, {samples} samples",
        ours=lambda: xai_core.explain(workload.model, workload.image, "lime", params=params),
        limit=lambda attribution: workload.forward_limit(attribution.evaluations),
        peers=(
            Peer(
                "Captum",
                lambda batch: _run_captum(workload, samples, segments, batch),
                lambda batch: _run_captum(workload, few, segments, batch),
            ),
            Peer(
                "lime",
                lambda batch: _run_lime_package(workload, samples, segments, batch),
                lambda batch: _run_lime_package(workload, few, segments, batch),
            ),
        ),
        targets=TARGETS,
        note=lambda attribution: workload.describe_seeds("lime", "random samples", params, attribution),
    )


def _run_captum(workload: Workload, samples: int, segments: int, batch: int) -> Float:
    """Run Captum's Lime; superpixels are part of the work, as in ours and in the authors' package."""
    patches = torch.from_numpy(find_superpixels(workload.pixels, segments))
    grey = workload.model.preprocessing.to_tensor(make_baseline(workload.pixels, "grey", np.random.default_rng(0)))

    def similarity(_picture: object, _sample: object, shown: torch.Tensor, **_: object) -> torch.Tensor:
        distance = 1 - (shown.sum() / shown.numel()).sqrt()
        return torch.exp(-((distance / KERNEL_WIDTH) ** 2))

    # Captum draws from the global generator.
    torch.manual_seed(0)
    surrogate = SkLearnRidge(alpha=1.0)
    weights = Lime(workload.module, interpretable_model=surrogate, similarity_func=similarity).attribute(
        workload.model_input,
        target=workload.target,
        baselines=grey,
        feature_mask=patches[None, None],
        n_samples=samples,
        perturbations_per_eval=batch,
    )
    return np.asarray(weights[0, 0].detach())


def _run_lime_package(workload: Workload, samples: int, segments: int, batch: int) -> Float:
    def kernel(distance: Float, kernel_width: float) -> Float:
        return np.asarray(np.exp(-((distance / kernel_width) ** 2)))

    def logits(pictures: Float) -> Float:
        mean, std = (
            np.asarray(part, np.float32)
            for part in (workload.model.preprocessing.mean, workload.model.preprocessing.std)
        )
        with torch.no_grad():
            values = workload.module(torch.from_numpy((pictures - mean) / std).permute(0, 3, 1, 2).contiguous())
        return np.asarray(values)

    patches = find_superpixels(workload.pixels, segments)
    explainer = LimeImageExplainer(kernel_width=KERNEL_WIDTH, kernel=kernel, random_state=0)
    # It draws a progress bar.
    with redirect_stderr(StringIO() if sys.stderr is not None else None):
        explanation = explainer.explain_instance(
            workload.pixels,
            logits,
            labels=(workload.target,),
            hide_color=GREY,
            top_labels=None,
            num_samples=samples,
            batch_size=batch,
            segmentation_fn=lambda _picture: patches,
        )
    weights = np.zeros(int(patches.max()) + 1)
    for patch, weight in explanation.local_exp[workload.target]:
        weights[patch] = weight
    return weights[patches]
