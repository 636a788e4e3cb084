"""CAM: the last activations weighted by the very weights with which the network itself adds them up.

Zhou et al. 2015, arXiv:1512.04150. Only where the head is a global average and one linear layer: then the mean of the
map over all places is the logit without its bias, exactly. Whether it is so is read from the calls of one forward pass,
not from module names.
"""

from __future__ import annotations

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.layer_grid import RELU, make_raw_map
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate
from xai_core.models.linear_head import find_linear_head
from xai_core.object_cache import cache_per_object


@cache_per_object
def _has_linear_head(model: Classifier) -> bool:
    head = find_linear_head(isolate(model.module), model.zero_input)
    return head is not None and head.maps is not None


def _refuse(model: Classifier) -> str | None:
    if _has_linear_head(model):
        return None
    return (
        "CAM needs a network that averages its last maps and adds the averages up in one linear layer. "
        f"{model.title} does something else there. Use grad_cam instead: it needs no special head."
    )


def run(request: Request) -> RawMap:
    """Return the evidence for the target at each place of the last layer, (H, W), in logits.

    On the layer's grid its mean is the logit without bias.
    """
    with request.evaluator.exclusive():
        head = find_linear_head(request.module, request.x)
    if head is None or head.maps is None:
        raise RuntimeError("the head of the network differs from the one found before")
    request.evaluator.count(1)
    return make_raw_map(request, torch.einsum("k,kij->ij", request.evaluator.select(head.weight.T), head.maps[0]))


METHODS.add(
    MethodSpec(
        name="cam",
        title="Exact region map",
        technical="CAM (class activation map)",
        question="Which region made the model think of this class, by the model's own sum?",
        sentence=(
            "{For} regions are the places whose average is {score}: nothing is estimated.[ {Against} regions lower it.]"
        ),
        caution=(
            "It is coarse: each place has already seen much of the picture around it, so the region may lie beside "
            "the object."
        ),
        family="activation",
        paper="Zhou et al. 2015, arXiv:1512.04150",
        run=run,
        cost=lambda params, side: 2,
        unit="logit per place",
        post_hoc=False,
        refusal=_refuse,
        params=(RELU,),
    )
)
