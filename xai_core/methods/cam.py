"""CAM: the last activations weighted by the very weights with which the network itself adds them up.

Zhou et al. 2015, arXiv:1512.04150. Only where the head is a global average and one linear layer: then the mean of the
map over all places is the logit without its bias, exactly. Whether it is so is read from the calls of one forward pass,
not from module names.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.layer_grid import RELU, make_raw_map
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.object_cache import cache_per_object

_MEANS = {"mean", "avg_pool2d", "adaptive_avg_pool2d"}
# Calls after which the averages, or the logits, are still the same numbers in the same order.
_IDENTITIES = {"flatten", "reshape", "view", "squeeze", "dropout", "contiguous", "clone"}


def _trace_global_average(func: Any, args: Any, kwargs: Any, result: torch.Tensor) -> torch.Tensor | None:
    """Return the activations (N, C, rows, columns) that a call averages over all places; None for another call.

    Tested by repeating the call on values that differ at every place.
    """
    activations = args[0]
    if (
        getattr(func, "__name__", "") not in _MEANS
        or not isinstance(activations, torch.Tensor)
        or activations.ndim != 4
    ):
        return None
    count, device = activations.numel(), activations.device
    values = torch.arange(count, dtype=torch.float64, device=device).square().view(activations.shape)
    # Channels first, channels last.
    for dims in ((2, 3), (1, 2)):
        means = values.mean(dims).flatten()
        if result.numel() == means.numel() and torch.allclose(func(values, *args[1:], **kwargs).flatten(), means):
            return activations if dims == (2, 3) else activations.permute(0, 3, 1, 2)
    return None


class _HeadFinder(TorchFunctionMode):
    """Follow global averages through a forward pass: the activations before them and the linear layer after."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        result = func(*args, **kwargs)
        if not isinstance(result, torch.Tensor) or not args:
            return result
        if (averaged := _trace_global_average(func, args, kwargs, result)) is not None:
            self._mark(result, "_averaged", averaged)
        elif name in _IDENTITIES:
            for mark in ("_averaged", "_head"):
                self._mark(result, mark, getattr(args[0], mark, None))
        elif name == "linear" and (averaged := getattr(args[0], "_averaged", None)) is not None and args[0].ndim == 2:
            self._mark(result, "_head", (averaged, args[1]))
        return result

    @staticmethod
    def _mark(tensor: torch.Tensor, mark: str, value: Any) -> None:
        if value is not None:
            setattr(tensor, mark, value)


def find_linear_head(module: torch.nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return activations (N, C, rows, columns) and weights (classes, C) of the network's own sum.

    Logits are the weights times the mean of the activations, plus a bias; None for a network with another head.
    """
    with torch.no_grad(), out_of_place(), _HeadFinder():
        head: tuple[torch.Tensor, torch.Tensor] | None = getattr(module(x), "_head", None)
    return head


@cache_per_object
def _has_linear_head(model: Classifier) -> bool:
    return find_linear_head(isolate(model.module), model.zero_input) is not None


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
    if head is None:
        raise RuntimeError("the head of the network differs from the one found before")
    request.evaluator.count(1)
    activations, weights = head
    return make_raw_map(request, torch.einsum("k,kij->ij", request.evaluator.select(weights.T), activations[0]))


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
