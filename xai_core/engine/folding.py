"""A network with its batch norms folded into the convolutions before them: the same numbers by a third less work backwards.

Which norm follows which convolution is not in the module tree; one forward pass tells, and a second one checks the result.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from xai_core.engine.isolation import fold_norms, isolate, out_of_place

LARGEST_ERROR = 1e-4
"""Logits may change by this share of the largest one, which is rounding; more means that a convolution's output is used elsewhere too."""


def _pairs(private: nn.Module, example: torch.Tensor) -> dict[str, str]:
    """Norm by the convolution whose output it normalizes, as names; only where each of both is called once."""
    calls: Counter[str] = Counter()
    made: list[tuple[torch.Tensor, str]] = []  # the tensors are kept, or another could get the place in memory of one that is gone
    found: dict[str, str] = {}

    def watch(name: str) -> Any:
        def hook(part: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            calls[name] += 1
            if isinstance(part, nn.Conv2d):
                made.append((output, name))
                return
            found.update({conv: name for tensor, conv in made if tensor is inputs[0]})

        return hook

    hooks = [
        part.register_forward_hook(watch(name))
        for name, part in private.named_modules()
        if isinstance(part, nn.Conv2d) or (type(part) is nn.BatchNorm2d and part.running_mean is not None)
    ]
    with torch.no_grad(), out_of_place():
        private(example)
    for hook in hooks:
        hook.remove()
    return {conv: norm for conv, norm in found.items() if calls[conv] == calls[norm] == 1}


def _fuse(private: nn.Module, conv_name: str, norm_name: str) -> None:
    conv, norm = private.get_submodule(conv_name), private.get_submodule(norm_name)
    known = (norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias)
    weight, bias = fuse_conv_bn_weights(conv.weight, conv.bias, *known)  # type: ignore[arg-type]  # modules type attributes loosely
    conv.weight, conv.bias = (nn.Parameter(part.detach(), requires_grad=False) for part in (weight, bias))
    parent, _, place = norm_name.rpartition(".")
    setattr(private.get_submodule(parent), place, nn.Identity())


def folded(module: nn.Module, example: torch.Tensor) -> nn.Module:
    """A private copy for gradients by the input, whose layers nobody looks at. `example` is any prepared picture (1, C, H, W).

    Folded convolutions have weights of their own; all others are shared. Norms that follow no convolution become a scale and a shift.
    """
    private = isolate(module)
    for conv, norm in _pairs(private, example).items():
        _fuse(private, conv, norm)
    private = fold_norms(private)
    noise = torch.rand(example.shape, generator=torch.Generator().manual_seed(0)).to(example) * 2 - 1
    with torch.no_grad(), out_of_place():
        expected, found = isolate(module)(noise), private(noise)
    if (found - expected).abs().max() <= LARGEST_ERROR * expected.abs().max():
        return private
    return fold_norms(isolate(module))
