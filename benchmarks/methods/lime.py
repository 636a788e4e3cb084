"""How long does LIME take with 1000 samples, against Captum's Lime and the authors' own package on the same
superpixels?

All three hide patches with the same grey, weigh samples with the same kernel and fit the same ridge on all patches (no
K-Lasso).
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
from benchmarks.harness.contest import Bench, Floats, Peer, Question, Target
from xai_core.images import make_baseline
from xai_core.methods.shared.superpixels import find_superpixels

TARGETS = (Target("ratio", most=0.25, peer="Captum"), Target("to_limit", most=1.15))
KERNEL_WIDTH = 0.25
GREY = 0.5
_TRIAL_SHARE = 5


def question(bench: Bench, samples: int = 1000, segments: int = 50) -> Question:
    """Peers draw samples of their own, so even two right maps do not agree in full: the note says how well two seeds of
    ours do.
    """
    given: dict[str, object] = {
        "samples": samples,
        "segments": segments,
        "features": segments,
        "kernel_width": KERNEL_WIDTH,
    }
    few = max(10, samples // _TRIAL_SHARE)

    def note(found: xai_core.Attribution) -> str:
        return f"every map has its own random samples; two seeds of ours have Pearson {bench.seeds_agree('lime', given, found):.4f}"

    return Question(
        title=f"LIME, {samples} samples",
        ours=lambda: xai_core.explain(bench.model, bench.image, "lime", params=given),
        limit=lambda found: bench.forward_limit(found.evaluations),
        peers=(
            Peer(
                "Captum",
                lambda batch: _captum(bench, samples, segments, batch),
                lambda batch: _captum(bench, few, segments, batch),
            ),
            Peer(
                "lime",
                lambda batch: _authors(bench, samples, segments, batch),
                lambda batch: _authors(bench, few, segments, batch),
            ),
        ),
        targets=TARGETS,
        note=note,
    )


def _captum(bench: Bench, samples: int, segments: int, batch: int) -> Floats:
    """Cutting the picture into superpixels is part of the work, as it is for ours and for the authors' package."""
    patches = torch.from_numpy(find_superpixels(bench.pixels, segments))
    grey = bench.model.preprocessing.to_tensor(make_baseline(bench.pixels, "grey", np.random.default_rng(0)))

    def near(_picture: object, _sample: object, shown: torch.Tensor, **_: object) -> torch.Tensor:
        distance = 1 - (shown.sum() / shown.numel()).sqrt()
        return torch.exp(-((distance / KERNEL_WIDTH) ** 2))

    torch.manual_seed(0)  # Captum draws from the global generator
    surrogate = SkLearnRidge(alpha=1.0)
    weights = Lime(bench.module, interpretable_model=surrogate, similarity_func=near).attribute(
        bench.x,
        target=bench.target,
        baselines=grey,
        feature_mask=patches[None, None],
        n_samples=samples,
        perturbations_per_eval=batch,
    )
    return np.asarray(weights[0, 0].detach())


def _authors(bench: Bench, samples: int, segments: int, batch: int) -> Floats:
    def kernel(distance: Floats, kernel_width: float) -> Floats:
        return np.asarray(np.exp(-((distance / kernel_width) ** 2)))

    def logits(pictures: Floats) -> Floats:
        mean, std = (
            np.asarray(part, np.float32) for part in (bench.model.preprocessing.mean, bench.model.preprocessing.std)
        )
        with torch.no_grad():
            found = bench.module(torch.from_numpy((pictures - mean) / std).permute(0, 3, 1, 2).contiguous())
        return np.asarray(found)

    patches = find_superpixels(bench.pixels, segments)
    explainer = LimeImageExplainer(kernel_width=KERNEL_WIDTH, kernel=kernel, random_state=0)
    with redirect_stderr(StringIO() if sys.stderr is not None else None):  # it draws a progress bar
        found = explainer.explain_instance(
            bench.pixels,
            logits,
            labels=(bench.target,),
            hide_color=GREY,
            top_labels=None,
            num_samples=samples,
            batch_size=batch,
            segmentation_fn=lambda _picture: patches,
        )
    weights = np.zeros(int(patches.max()) + 1)
    for patch, weight in found.local_exp[bench.target]:
        weights[patch] = weight
    return weights[patches]
