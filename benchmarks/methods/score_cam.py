"""Time of Score-CAM against pytorch-grad-cam, on the same layer with all its maps."""

from __future__ import annotations

import numpy as np
from pytorch_grad_cam import ScoreCAM  # type: ignore[import-untyped]  # ships no types

# Ships no types.
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # type: ignore[import-untyped]

from benchmarks.harness.contest import Peer, Question, Target, Workload
from benchmarks.methods.grad_cam import LAYER
from xai_core.arrays import Float

TARGETS = (Target("pearson", minimum=0.99),)


def build_question(workload: Workload, name: str = LAYER) -> Question:
    """Build the contest. pytorch-grad-cam aligns corners in upsampling and ours aligns edges: maps differ slightly."""
    layer = workload.module.get_submodule(name)

    def score_cam(batch: int) -> Float:
        with ScoreCAM(workload.module, [layer]) as cam:
            cam.batch_size = batch
            return np.asarray(cam(workload.model_input.clone(), [ClassifierOutputTarget(workload.target)])[0])

    return Question(
        title="Score-CAM",
        ours=lambda: workload.explain("score_cam", layer=name),
        limit=lambda attribution: workload.forward_limit(attribution.evaluations),
        peers=(Peer("pytorch-grad-cam", score_cam),),
        targets=TARGETS,
    )
