"""A network's input gradient as a plain graph of tensor operations, which an engine without automatic
differentiation can run.

`make_fx` writes down what autograd does. Backward operations that the engine does not know are written as forward
ones here, or by torch's own decompositions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from xai_core.models.isolation import isolate, out_of_place
from xai_core.models.layers import Layer
from xai_core.models.probe import probe_layer

# Traces patch torch's modules for a moment, in a way that two at once would not undo.
TRACE_LOCK = threading.Lock()
# Turns any number above rounding into at least 1, so that a clamp makes a mask of it in one pass over memory.
_STEEP = 1e30
_TORCH_DECOMPOSITIONS = (
    "threshold_backward silu_backward hardswish_backward hardsigmoid_backward gelu_backward elu_backward "
    "leaky_relu_backward native_layer_norm native_layer_norm_backward native_group_norm native_group_norm_backward "
    "_softmax_backward_data _log_softmax_backward_data select_backward slice_backward sigmoid_backward tanh_backward "
    "addcmul _scaled_dot_product_flash_attention_for_cpu"
).split()
_Decompositions = Mapping[Any, Callable[..., Any]]
_aten = torch.ops.aten


def trace_gradient(
    module: nn.Module, example: torch.Tensor, classes: int, layer: Layer | None = None
) -> torch.fx.GraphModule:
    """Trace (pictures (N, C, H, W), weights (N, classes)) to (logits (N, classes), gradient of their weighted sum by
    the pictures (N, C, H, W)), for the N of the example; with a layer to (logits, its maps, gradient by these maps).

    One graph serves every class and every pair: a class has weight 1, the second of a pair -1.

    Raises RuntimeError, NotImplementedError or TypeError for what cannot be traced.
    """
    from torch.fx.experimental.proxy_tensor import make_fx

    def run(pictures: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return differentiate(private, pictures, weights, layer)

    # Copied before the trace: it knows no storages.
    private = isolate(module)
    with TRACE_LOCK:
        graph = make_fx(run, decomposition_table=_decompositions())(example, torch.zeros(len(example), classes))
    _share_clips(graph.graph)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph


def differentiate(
    module: nn.Module, pictures: torch.Tensor, weights: torch.Tensor, layer: Layer | None = None
) -> tuple[torch.Tensor, ...]:
    """Return what `trace_gradient` traces, in plain torch. With a layer the module is a private copy for one call.

    A layer that is used several times gives its last call's maps (N, C, rows, columns).
    """
    maps: list[torch.Tensor] = []
    if layer is not None:
        probe_layer(module, layer).register_forward_hook(lambda _module, _inputs, output: maps.append(output))
    with out_of_place(), torch.enable_grad():
        own = pictures.detach().requires_grad_(layer is None)
        logits = module(own)
        (gradient,) = torch.autograd.grad((logits * weights).sum(), maps[-1] if maps else own)
    return (logits.detach(), *(part.detach() for part in maps[-1:]), gradient)


def _share_clips(graph: torch.fx.Graph) -> None:
    """Let masks read the clipped values that the forward half has, instead of clipping again.

    Not by torch's own pass: it imports torch's compiler, which takes seconds.
    """
    clips: dict[Any, torch.fx.Node] = {}
    for node in graph.nodes:
        if node.target is _aten.hardtanh.default:
            first = clips.setdefault(node.args, node)
            if first is not node:
                node.replace_all_uses_with(first)


def _decompositions() -> _Decompositions:
    from torch._decomp import get_decompositions

    table: dict[Any, Callable[..., Any]] = dict(
        get_decompositions([getattr(_aten, name) for name in _TORCH_DECOMPOSITIONS])
    )
    return table | {
        _aten.threshold_backward.default: _relu_backward,
        _aten.hardtanh_backward.default: _clip_backward,
        _aten.convolution_backward.default: _convolution_backward,
        _aten.max_pool2d_with_indices_backward.default: _max_pool_backward,
        _aten.avg_pool2d_backward.default: _average_pool_backward,
        _aten._adaptive_avg_pool2d_backward.default: _adaptive_average_backward,
        _aten._scaled_dot_product_flash_attention_for_cpu_backward.default: _attention_backward,
    }


def _relu_backward(gradient: torch.Tensor, output: torch.Tensor, threshold: float) -> torch.Tensor:
    """Multiply by a mask made of arithmetic: a comparison would be a pass of its own over memory."""
    return gradient * ((output - threshold) * _STEEP).clamp(0, 1)


def _clip_backward(gradient: torch.Tensor, x: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Read the mask off the output, so that the clipping can be part of the convolution before it."""
    output: torch.Tensor = _aten.hardtanh(x, low, high)
    return gradient * ((output - low) * (high - output) * _STEEP).clamp(0, 1)


def _convolution_backward(
    gradient: torch.Tensor,
    x: torch.Tensor,
    weight: torch.Tensor,
    _bias_sizes: Sequence[int] | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    output_mask: Sequence[bool],
) -> tuple[torch.Tensor, None, None]:
    """Return the gradient by the input only: a convolution the other way round."""
    if output_mask[1] or output_mask[2] or transposed:
        raise NotImplementedError("gradients by weights, or of a transposed convolution")
    missing = [
        side - ((gradient.shape[2 + axis] - 1) * stride[axis] - 2 * padding[axis] + _reach(weight, dilation, axis))
        for axis, side in enumerate(x.shape[2:])
    ]
    return _aten.convolution(gradient, weight, None, stride, padding, dilation, True, missing, groups), None, None


def _reach(weight: torch.Tensor, dilation: Sequence[int], axis: int) -> int:
    return (weight.shape[2 + axis] - 1) * dilation[axis] + 1


def _max_pool_backward(
    gradient: torch.Tensor,
    x: torch.Tensor,
    _kernel: Sequence[int],
    _stride: Sequence[int],
    _padding: Sequence[int],
    _dilation: Sequence[int],
    _ceil: bool,
    places: torch.Tensor,
) -> torch.Tensor:
    """Put each gradient where its maximum was found."""
    flat = torch.zeros((*x.shape[:2], x.shape[2] * x.shape[3]), dtype=gradient.dtype)
    return flat.scatter_add(2, places.flatten(2), gradient.flatten(2)).view(x.shape)


def _average_pool_backward(
    gradient: torch.Tensor,
    x: torch.Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil: bool,
    count_padding: bool,
    divisor: int | None,
) -> torch.Tensor:
    """Spread each gradient over its window by a transposed convolution with equal weights."""
    stride = list(stride) or list(kernel)
    if ceil or (any(padding) and not count_padding):
        raise NotImplementedError("averages over windows of several sizes")
    channels, area = x.shape[1], divisor or kernel[0] * kernel[1]
    weight = torch.full((channels, 1, *kernel), 1 / area)
    settings = (None, stride, list(padding), [1, 1], False, [0, 0], channels, (True, False, False))
    return _convolution_backward(gradient, x, weight, *settings)[0]


def _adaptive_average_backward(gradient: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Spread each gradient evenly over its cell."""
    (rows, columns), (height, width) = gradient.shape[2:], x.shape[2:]
    if height % rows or width % columns:
        raise NotImplementedError("averages over cells of several sizes")
    cell = (height // rows, width // columns)
    spread = gradient[:, :, :, None, :, None] / (cell[0] * cell[1])
    return spread.expand(-1, -1, -1, cell[0], -1, cell[1]).reshape(x.shape)


def _attention_backward(
    gradient: torch.Tensor,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _output: torch.Tensor,
    _log_sums: torch.Tensor,
    dropout: float,
    causal: bool,
    attn_mask: torch.Tensor | None = None,
    scale: float | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Differentiate softmax(query key / sqrt(d)) value."""
    if dropout or causal:
        raise NotImplementedError("attention with dropout, or to the past only")
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = query @ key.transpose(-2, -1) * scale
    shares = (scores if attn_mask is None else scores + attn_mask).softmax(-1)
    by_shares = gradient @ value.transpose(-2, -1)
    by_scores = shares * (by_shares - (by_shares * shares).sum(-1, keepdim=True)) * scale
    return by_scores @ key, by_scores.transpose(-2, -1) @ query, shares.transpose(-2, -1) @ gradient
