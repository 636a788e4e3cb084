"""A network prepared for input gradients: the same numbers by half the work.

Batch norms are folded into the convolutions before them. Which norm follows which convolution is not in the module
tree; one forward pass tells, and a second one checks the result. Convolutions of one pixel become a matrix product:
with one thread, as in a worker, torch copies the picture of such a layer to another layout and back, which takes as
long as the product. Weights are laid out as pictures are. Measured on EfficientNet-Lite0 in two workers, the last two
together: 0.88 of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from xai_core.models.classifier import Classifier
from xai_core.models.isolation import fold_norms, isolate, out_of_place
from xai_core.object_cache import cache_per_object

# Logits may change by this share of the largest one, which is rounding; more means that a convolution's output is used
# elsewhere too.
MAX_ERROR = 1e-4


@cache_per_object
def folded_network_for(model: Classifier) -> nn.Module:
    """Return the folded network of a model, to be isolated by each call that computes input gradients."""
    return fold_network(model.module, model.zero_input)


def fold_network(module: nn.Module, example: torch.Tensor, products: bool = True, keep: str = "") -> nn.Module:
    """Return a private copy for gradients; of its layers only `keep` gives the maps that it gave before.

    `example` is any prepared picture (1, C, H, W). `products`: convolutions of one pixel become matrix products.

    Folded convolutions have weights of their own; others are shared unless they have to be laid out anew. Norms that
    follow no convolution become a scale and a shift. A network that folding would change keeps its convolutions as they
    are.
    """
    private = isolate(module)
    for conv, norm in _find_norm_of_conv(private, example).items():
        if conv != keep:
            _fuse(private, conv, norm)
    private = fold_norms(private)
    private = _optimize_layout(private) if products else private
    noise = torch.rand(example.shape, generator=torch.Generator().manual_seed(0)).to(example) * 2 - 1
    with torch.no_grad(), out_of_place():
        expected, logits = isolate(module)(noise), private(noise)
    if (logits - expected).abs().max() <= MAX_ERROR * expected.abs().max():
        return private
    return fold_norms(isolate(module))


def _find_norm_of_conv(private: nn.Module, example: torch.Tensor) -> dict[str, str]:
    """Return the norm that normalizes each convolution's output, by name; only where each of both is called once."""
    calls: Counter[str] = Counter()
    # The tensors are kept: a freed one's place in memory could be given to another.
    outputs: list[tuple[torch.Tensor, str]] = []
    norm_of_conv: dict[str, str] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[torch.Tensor, ...], torch.Tensor], None]:
        def hook(part: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            calls[name] += 1
            if isinstance(part, nn.Conv2d):
                outputs.append((output, name))
                return
            norm_of_conv.update({conv: name for tensor, conv in outputs if tensor is inputs[0]})

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
    return {conv: norm for conv, norm in norm_of_conv.items() if calls[conv] == calls[norm] == 1}


def _fuse(private: nn.Module, conv_name: str, norm_name: str) -> None:
    conv, norm = private.get_submodule(conv_name), private.get_submodule(norm_name)
    statistics = (norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias)
    # Modules type their attributes loosely.
    weight, bias = fuse_conv_bn_weights(conv.weight, conv.bias, *statistics)  # type: ignore[arg-type]
    conv.weight, conv.bias = (nn.Parameter(part.detach(), requires_grad=False) for part in (weight, bias))
    parent, _, leaf = norm_name.rpartition(".")
    setattr(private.get_submodule(parent), leaf, nn.Identity())


class _Pointwise(nn.Conv2d):
    """A convolution of one pixel as the matrix product it is.

    Pictures (N, C, H, W), quickest where channels are stored last.
    """

    def _conv_forward(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        return F.linear(x.movedim(1, -1), weight.flatten(1), bias).movedim(-1, 1)


def _optimize_layout(private: nn.Module) -> nn.Module:
    for part in private.modules():
        if not isinstance(part, nn.Conv2d):
            continue
        # A subclass may do more than its settings say: the check of the whole network finds that out.
        if part.kernel_size == part.stride == (1, 1) and part.groups == 1 and part.padding in ((0, 0), "same", "valid"):
            part.__class__ = _Pointwise
    return private.to(memory_format=torch.channels_last)
