"""CAM: the last maps weighted by the very weights with which the network itself adds them up.

Zhou et al. 2015, arXiv:1512.04150. Only where the head is a global average and one linear layer: then the mean of the map over all places
is the logit without its bias, exactly. Whether it is so is read from the calls of one forward pass, not from module names.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.layer_grid import RELU, on_picture
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.object_cache import cache_per_object

_MEANS = {"mean", "avg_pool2d", "adaptive_avg_pool2d"}
_PASSES_ON = {"flatten", "reshape", "view", "squeeze", "dropout", "contiguous", "clone"}
"""Calls after which the averages, or the logits, are still the same numbers in the same order."""


def _averaged(func: Any, args: Any, kwargs: Any, result: torch.Tensor) -> torch.Tensor | None:
    """The maps (N, C, rows, columns) of which a call takes the mean over all places, else None. A probe of unequal places says so."""
    maps = args[0]
    if getattr(func, "__name__", "") not in _MEANS or not isinstance(maps, torch.Tensor) or maps.ndim != 4:
        return None
    places = torch.arange(maps.numel(), dtype=torch.float64, device=maps.device).square().view(maps.shape)
    for dims in ((2, 3), (1, 2)):  # channels first, channels last
        means = places.mean(dims).flatten()
        if result.numel() == means.numel() and torch.allclose(func(places, *args[1:], **kwargs).flatten(), means):
            return maps if dims == (2, 3) else maps.permute(0, 3, 1, 2)
    return None


class _Head(TorchFunctionMode):
    """Follows global averages through a forward pass: which maps they came from, and the linear layer that made logits of them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        result = func(*args, **kwargs)
        if not isinstance(result, torch.Tensor) or not args:
            return result
        if (averaged := _averaged(func, args, kwargs, result)) is not None:
            self._mark(result, "_averaged", averaged)
        elif name in _PASSES_ON:
            for mark in ("_averaged", "_head"):
                self._mark(result, mark, getattr(args[0], mark, None))
        elif name == "linear" and (maps := getattr(args[0], "_averaged", None)) is not None and args[0].ndim == 2:
            self._mark(result, "_head", (maps, args[1]))
        return result

    @staticmethod
    def _mark(tensor: torch.Tensor, mark: str, value: Any) -> None:
        if value is not None:
            setattr(tensor, mark, value)


def head(module: torch.nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Maps (N, C, rows, columns) and weights (classes, C) with logits = weights · mean of the maps + bias; None where it is not so."""
    with torch.no_grad(), out_of_place(), _Head():
        found: tuple[torch.Tensor, torch.Tensor] | None = getattr(module(x), "_head", None)
    return found


@cache_per_object
def _applies(classifier: Classifier) -> bool:
    return head(isolate(classifier.module), classifier.zero_input) is not None


def _refusal(classifier: Classifier) -> str | None:
    if _applies(classifier):
        return None
    return (
        f"CAM needs a network that averages its last maps and adds the averages up in one linear layer. {classifier.title} does something "
        "else there. Use grad_cam instead: it needs no special head."
    )


def run(request: Request) -> RawMap:
    """Evidence for the target at each place of the last maps, (H, W), in logits; on the layer's grid its mean is the logit without bias."""
    with request.evaluator.exclusive():
        found = head(request.module, request.x)
    if found is None:
        raise RuntimeError("the head of the network differs from the one found before")
    request.evaluator.count(1)
    maps, weights = found
    return on_picture(request, torch.einsum("k,kij->ij", request.evaluator.select(weights.T), maps[0]))


METHODS.add(
    MethodSpec(
        name="cam",
        title="Region map, exact",
        technical="CAM (class activation map)",
        question="Which region made the model think of this class, by the model's own sum?",
        sentence="Bright regions are the places whose mean is the score of this class: nothing is estimated.",
        caution="It is coarse: each place has already seen much of the picture around it, so the region may lie beside the object.",
        family="activation",
        paper="Zhou et al. 2015, arXiv:1512.04150",
        run=run,
        cost=lambda params, side: 2,
        unit="logit per place",
        post_hoc=False,
        refusal=_refusal,
        params=(RELU,),
    )
)
