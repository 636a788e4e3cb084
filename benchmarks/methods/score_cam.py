"""How long does Score-CAM take, against pytorch-grad-cam on the same layer with all its maps?"""

from __future__ import annotations

import numpy as np
from pytorch_grad_cam import ScoreCAM  # type: ignore[import-untyped]  # ships no types

# Ships no types.
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # type: ignore[import-untyped]

from benchmarks.harness.contest import Bench, Floats, Peer, Question, Target
from benchmarks.methods.grad_cam import LAYER

TARGETS = (Target("pearson", least=0.99),)


def question(bench: Bench, name: str = LAYER) -> Question:
    """pytorch-grad-cam stretches windows from corner to corner and ours from edge to edge, so the maps are not quite
    the same.
    """
    layer = bench.module.get_submodule(name)

    def score_cam(batch: int) -> Floats:
        with ScoreCAM(bench.module, [layer]) as cam:
            cam.batch_size = batch
            return np.asarray(cam(bench.x.clone(), [ClassifierOutputTarget(bench.target)])[0])

    return Question(
        title="Score-CAM",
        ours=lambda: bench.explain("score_cam", layer=name),
        limit=lambda found: bench.forward_limit(found.evaluations),
        peers=(Peer("pytorch-grad-cam", score_cam),),
        targets=TARGETS,
    )
