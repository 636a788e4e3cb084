"""LayerCAM: every activation weighted by its own positive gradient, so that early, fine layers can be read too.

Jiang et al. 2021, doi:10.1109/TIP.2021.3089943.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import refuse_without_layer
from xai_core.methods.shared.layer_grid import RELU, sum_weighted_activations


def run(request: Request) -> RawMap:
    """Return the evidence for the target at each place of the layer, (H, W)."""
    return sum_weighted_activations(request, lambda activations, gradients: gradients.relu())


METHODS.add(
    MethodSpec(
        name="layer_cam",
        title="Region map, place by place",
        technical="LayerCAM",
        question="Which places of this layer speak for the class?",
        sentence=(
            "{For} places are where {layer} found something whose growth would raise {score}; earlier layers "
            "give finer maps.[ {Against} places would lower it.]"
        ),
        caution="Early layers show edges and textures of the picture as well as reasons: compare several layers.",
        family="activation",
        paper="Jiang et al. 2021, doi:10.1109/TIP.2021.3089943",
        run=run,
        cost=lambda params, side: 2,
        unit="weighted activation",
        gradient=True,
        uses_layer=True,
        refusal=refuse_without_layer,
        params=(RELU,),
    )
)
