"""Grad-CAM: activations of a layer weighted by their mean gradients.

Selvaraju et al. 2017, arXiv:1610.02391. Weighted as Captum's LayerGradCam does it, on the raw activations, then
upsampled.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import refuse_without_layer
from xai_core.methods.shared.layer_grid import RELU, sum_weighted_activations


def run(request: Request) -> RawMap:
    """Return the evidence for the target at each place of the layer, (H, W)."""
    return sum_weighted_activations(request, lambda _activations, gradients: gradients.mean((1, 2), keepdim=True))


METHODS.add(
    MethodSpec(
        name="grad_cam",
        title="Region map",
        technical="Grad-CAM",
        usual=1,
        question="Which region made the model think of this class?",
        sentence=("{For} regions are where {layer} found signs of {class}.[ {Against} regions speak against it.]"),
        caution="It is coarse: it shows a region, not the exact edge of an object.",
        family="activation",
        paper="Selvaraju et al. 2017, arXiv:1610.02391",
        verdict="passes",
        sanity="Passes: with random weights the region was another one (Adebayo et al. 2018, arXiv:1810.03292).",
        run=run,
        cost=lambda params, side: 2,
        unit="weighted activation",
        gradient=True,
        uses_layer=True,
        refusal=refuse_without_layer,
        params=(RELU,),
    )
)
