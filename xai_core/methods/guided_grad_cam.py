"""Guided Grad-CAM: the fine lines of guided backpropagation where Grad-CAM sees evidence.

Selvaraju et al. 2017, arXiv:1610.02391, section 3.2. It fails the sanity checks of Adebayo et al. 2018,
arXiv:1810.03292.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import refuse_without_layer, refuse_without_rectifier
from xai_core.methods.shared.gradients import apply_rectifier_rule
from xai_core.methods.shared.layer_grid import sum_weighted_activations
from xai_core.models.classifier import Classifier
from xai_core.rules import Guided


def run(request: Request) -> RawMap:
    """Return the guided gradient times the positive part of Grad-CAM, (C, H, W), signed."""
    # First, because the layer's probe cuts the graph between picture and layer.
    guided, details = apply_rectifier_rule(request, Guided())
    region = sum_weighted_activations(
        request, lambda activations, gradients: gradients.mean((1, 2), keepdim=True), relu=True
    )
    return RawMap(guided * region.values, details | region.details)


def _refuse(model: Classifier) -> str | None:
    return refuse_without_layer(model) or refuse_without_rectifier(model)


METHODS.add(
    MethodSpec(
        name="guided_grad_cam",
        title="Sharp outlines in the region",
        technical="Guided Grad-CAM",
        question="Which fine structures lie where the model found this class?",
        sentence=(
            "{For}[ and {against}] lines are structures the network responds to, shown only inside the region "
            "that speaks for {class}."
        ),
        caution=(
            "It fails the sanity checks of Adebayo 2018, as guided backpropagation does: "
            "the region depends on the model, the lines inside are mostly edges of the picture."
        ),
        family="gradient",
        paper="Selvaraju et al. 2017, arXiv:1610.02391",
        verdict="fails",
        sanity=(
            "Fails: its fine lines stayed when the upper layers got random weights (Adebayo et al. 2018, "
            "arXiv:1810.03292)."
        ),
        run=run,
        cost=lambda params, side: 4,
        unit="guided logit × weighted activation",
        gradient=True,
        uses_layer=True,
        refusal=_refuse,
    )
)
