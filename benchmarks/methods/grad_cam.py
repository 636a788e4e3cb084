"""Time of Grad-CAM against Captum's LayerGradCam and pytorch-grad-cam, on the same layer and upsampled alike."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from pytorch_grad_cam import GradCAM  # type: ignore[import-untyped]  # ships no types

# Ships no types.
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # type: ignore[import-untyped]

from benchmarks.harness.contest import Peer, Question, Target, Workload
from benchmarks.harness.limits import SingleRun
from xai_core.arrays import Float
from xai_core.engine.backends.gradients import prepare_layer_gradients, ready_layer_gradients
from xai_core.engine.jobs import Job

TARGETS = (Target("pearson", minimum=0.999), Target("ratio", maximum=1.0, peer="Captum"))


LAYER = "_blocks.15"
"""The last block.

The recommended layer is an activation that the network calls twice: pytorch-grad-cam takes the first call's maps.
"""


def build_question(workload: Workload, name: str = LAYER) -> Question:
    """Build the contest. pytorch-grad-cam scales its map to 0..1, which does not change the correlation."""
    layer = workload.module.get_submodule(name)
    side = workload.model.side

    def captum(_batch: int) -> Float:
        raw = LayerGradCam(workload.module, layer).attribute(
            workload.model_input, target=workload.target, relu_attributions=True
        )
        return np.asarray(LayerAttribution.interpolate(raw, (side, side), "bilinear")[0, 0].detach())

    def grad_cam(_batch: int) -> Float:
        # The frozen network keeps no graph otherwise.
        own = workload.model_input.clone().requires_grad_(True)
        with GradCAM(workload.module, [layer]) as cam:
            return np.asarray(cam(own, [ClassifierOutputTarget(workload.target)])[0])

    our_layer = workload.model.layer(name)
    prepare_layer_gradients(workload.model, our_layer)
    compiled = ready_layer_gradients(workload.model, our_layer)

    def run_least_work() -> None:
        workload.forward(workload.model_input)
        if compiled is not None:
            compiled.compute(workload.model_input, workload.target, Job())
            return
        with torch.no_grad():
            workload.module(workload.model_input)

    return Question(
        title="Grad-CAM",
        ours=lambda: workload.explain("grad_cam", layer=name),
        limit=lambda _attribution: SingleRun("one fast forward pass and one gradient by the layer", run_least_work),
        peers=(Peer("Captum", captum, batched=False), Peer("pytorch-grad-cam", grad_cam, batched=False)),
        targets=TARGETS,
    )
