"""How long does Grad-CAM take, against Captum's LayerGradCam and pytorch-grad-cam on the same layer, upsampled the same
way?
"""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from pytorch_grad_cam import GradCAM  # type: ignore[import-untyped]  # ships no types

# Ships no types.
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # type: ignore[import-untyped]

from benchmarks.harness.contest import Bench, Floats, Peer, Question, Target
from benchmarks.harness.limits import Once

TARGETS = (Target("pearson", least=0.999),)


LAYER = "_blocks.15"
"""The last block.

The recommended layer is an activation that the network calls twice: pytorch-grad-cam takes the first call's maps.
"""


def question(bench: Bench, name: str = LAYER) -> Question:
    """pytorch-grad-cam scales its map to 0..1, which a correlation does not see."""
    layer = bench.module.get_submodule(name)
    side = bench.model.side

    def captum(_batch: int) -> Floats:
        raw = LayerGradCam(bench.module, layer).attribute(bench.x, target=bench.target, relu_attributions=True)
        return np.asarray(LayerAttribution.interpolate(raw, (side, side), "bilinear")[0, 0].detach())

    def grad_cam(_batch: int) -> Floats:
        own = bench.x.clone().requires_grad_(True)  # the frozen network keeps no graph otherwise
        with GradCAM(bench.module, [layer]) as cam:
            return np.asarray(cam(own, [ClassifierOutputTarget(bench.target)])[0])

    def least() -> None:
        bench.forward(bench.x)
        with torch.no_grad():
            bench.module(bench.x)

    return Question(
        title="Grad-CAM",
        ours=lambda: bench.explain("grad_cam", layer=name),
        limit=lambda _found: Once("one fast forward pass and one in plain torch", least),
        peers=(Peer("Captum", captum, batched=False), Peer("pytorch-grad-cam", grad_cam, batched=False)),
        targets=TARGETS,
    )
