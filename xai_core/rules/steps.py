"""Relevance at each kind of step: one short function per kind, and the table of torch's names for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F

from xai_core.rules.base import rectifier_ceiling
from xai_core.rules.flow import Call, Carry, Redistribute, RelevanceMode, iter_tensors
from xai_core.rules.lrp_rules import Step

_SELECTIONS = """
get getitem adaptive_max_pool1d adaptive_max_pool2d alpha_dropout amax amin broadcast_to channel_shuffle chunk clone
contiguous cpu cuda dropout dropout1d dropout2d dropout3d expand expand_as feature_dropout flatten flip float
index_select max max_pool1d max_pool2d max_pool3d max_pool2d_with_indices maximum min minimum moveaxis movedim
narrow pad permute pixel_shuffle pixel_unshuffle repeat reshape reshape_as roll select split squeeze stack swapaxes
t to transpose type_as unbind unflatten unsqueeze view view_as where
""".split()
_ELEMENTWISE = """
addcmul celu clamp clamp_max clamp_min clip elu gelu group_norm hardshrink hardswish hardtanh instance_norm
leaky_relu local_response_norm mish neg negative normalize pow prelu relu relu6 rsub selu silu softplus softshrink
softsign sqrt square tanh tanhshrink threshold
""".split()
_GATES = "hardsigmoid log_softmax logsigmoid sigmoid softmax".split()
_MEANS = """
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d avg_pool1d avg_pool2d avg_pool3d interpolate mean sum
""".split()
_LAYERS = "linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d".split()
_AFFINE = frozenset("add addcmul div mul neg negative rsub sub true_divide".split())


def _pass_gradient(mode: RelevanceMode, call: Call) -> Any:
    return call()


def mark_unknown(mode: RelevanceMode, call: Call) -> Any:
    out = call()
    if isinstance(out, (tuple, list)):
        return type(out)(_mark(part, call.name) for part in out) if type(out) in (tuple, list) else out
    return _mark(out, call.name)


def _mark(out: Any, name: str) -> Any:
    if not isinstance(out, torch.Tensor) or not out.requires_grad:
        return out
    return Carry.apply(lambda: out.detach().clone(), ("unknown", name), out)


def _carry(call: Call, live: list[torch.Tensor]) -> torch.Tensor:
    rectifies = rectifier_ceiling(call.name, call.arguments) is not None
    kind = "affine" if call.name in _AFFINE else "rectifier" if rectifies else "activation"
    out: torch.Tensor = Carry.apply(lambda: call(torch.Tensor.detach), (kind, call.name), *live)
    return out


def _handle_elementwise(mode: RelevanceMode, call: Call) -> Any:
    return _carry(call, call.live) if len(call.live) == 1 else mark_unknown(mode, call)


def _handle_product(mode: RelevanceMode, call: Call) -> Any:
    return _carry(call, call.live)


def _handle_quotient(mode: RelevanceMode, call: Call) -> Any:
    above = call.arguments(0, "input")
    return (
        _carry(call, [above]) if isinstance(above, torch.Tensor) and above.requires_grad else mark_unknown(mode, call)
    )


def _hold_constant(mode: RelevanceMode, call: Call) -> Any:
    return call(torch.Tensor.detach)


def _share_sum(mode: RelevanceMode, call: Call) -> Any:
    if len(call.live) == 1:
        return _carry(call, call.live)
    first, second = call.arguments(0, "input"), call.arguments(1, "other")
    # Bring a difference or a scaled sum into the form of a plain sum.
    factor = call.kwargs.get("alpha", 1) * (-1 if call.name == "sub" else 1)
    if factor != 1:
        second = Carry.apply(lambda: second.detach() * factor, ("affine", "mul"), second)
    pair = torch.stack(torch.broadcast_tensors(first, second))
    return mode.share(pair, Step(lambda t, w: t.sum(0) * w, pair.new_ones(())))


def _share_mean(mode: RelevanceMode, call: Call) -> Any:
    x = call.arguments(0, "input")
    return mode.share(x, Step(lambda t, w: call(lambda tensor: t if tensor is x else tensor) * w, x.new_ones(())))


def _share_layer(mode: RelevanceMode, call: Call) -> Any:
    x, weight, bias = call.arguments(0, "input"), call.arguments(1, "weight"), call.arguments(2, "bias")
    if [tensor for tensor in call.live if tensor is not x]:
        return mark_unknown(mode, call)
    rest, named = (
        call.args[3:],
        {name: value for name, value in call.kwargs.items() if name not in ("input", "weight", "bias")},
    )
    step = Step(lambda t, w: call.func(t, w, None, *rest, **named), weight, bias)
    if call.name != "linear" and bias is not None:
        step = replace(step, bias=bias.view(-1, *[1] * (weight.ndim - 2)))
    if call.name != "linear":
        step = replace(
            step, all_channels=lambda t, w: step.apply(t.sum(-weight.ndim + 1, keepdim=True).expand_as(t), w)
        )
    return mode.share(
        x, step, "dense" if call.name == "linear" else "transposed" if "transpose" in call.name else "conv", call.name
    )


def _share_matmul(mode: RelevanceMode, call: Call) -> Any:
    left, right = call.args[:2]
    # Two at once are queries times keys, which end in a gate.
    if len(call.live) != 1:
        return mark_unknown(mode, call)
    if left.requires_grad:
        return mode.share(left, Step(lambda t, w: call.func(t, w), right), "dense", call.name)
    return mode.share(right, Step(lambda t, w: call.func(w, t), left))


def _share_batch_norm(mode: RelevanceMode, call: Call) -> Any:
    if call.func is not F.batch_norm or len(call.live) != 1:
        return mark_unknown(mode, call)
    arguments = inspect.signature(F.batch_norm).bind(*call.args, **call.kwargs).arguments
    x, variance = arguments["input"], arguments["running_var"]
    if arguments.get("training") or variance is None:
        return mark_unknown(mode, call)
    # Without training a batch norm is a scale and a shift for each channel.
    scale = (variance + arguments.get("eps", 1e-5)).rsqrt()
    scale = scale if arguments.get("weight") is None else scale * arguments["weight"]
    shift = -arguments["running_mean"] * scale
    shift = shift if arguments.get("bias") is None else shift + arguments["bias"]
    before, per_channel = mode.linear_before(x), (-1, *[1] * (x.ndim - 2))
    if before is not None:
        # Fold the norm into the linear layer that it reads.
        step, out = before.step, (-1, *[1] * (before.step.weight.ndim - 1))
        bias = (
            shift.view(per_channel)
            if step.bias is None
            else step.bias * scale.view(per_channel) + shift.view(per_channel)
        )
        return mode.share(
            before.x, replace(step, weight=step.weight * scale.view(out), bias=bias), before.kind, "batch_norm"
        )
    if mode.composite.norms_pass:
        return Carry.apply(lambda: call(torch.Tensor.detach), ("affine", "batch_norm"), x)
    step = Step(
        lambda t, w: t * w,
        scale.view(per_channel),
        shift.view(per_channel),
        all_channels=lambda t, w: t.sum(1, keepdim=True).expand_as(t),
    )
    return mode.share(x, step, "norm", "batch_norm")


def _share_layer_norm(mode: RelevanceMode, call: Call) -> Any:
    if call.func is not F.layer_norm or len(call.live) != 1:
        return mark_unknown(mode, call)
    arguments = inspect.signature(F.layer_norm).bind(*call.args, **call.kwargs).arguments
    x, weight = arguments["input"], arguments.get("weight")
    dims = tuple(range(-len(arguments["normalized_shape"]), 0))
    # Hold the spread constant, so that the norm is linear.
    factor = (x.detach().var(dims, correction=0, keepdim=True) + arguments.get("eps", 1e-5)).rsqrt()
    factor = factor.expand_as(x) if weight is None else factor * weight
    sum_sizes = lambda t, w: t.sum(dims, keepdim=True).expand_as(t)  # noqa: E731
    return mode.share(
        x,
        Step(lambda t, w: (t - t.mean(dims, keepdim=True)) * w, factor, arguments.get("bias"), all_channels=sum_sizes),
        "norm",
        "layer_norm",
    )


def _handle_concat(mode: RelevanceMode, call: Call) -> Any:
    out, parts = call(), list(iter_tensors((call.args, tuple(call.kwargs.values()))))
    if len(call.live) == len(parts):
        return out
    # Mark values that depend on the picture with 1, constant ones with 0.
    live = call(lambda tensor: torch.full_like(tensor, float(tensor.requires_grad), requires_grad=False))
    return Redistribute.apply(out, live)


def _share_attention(mode: RelevanceMode, call: Call) -> Any:
    """Share by scaled dot products: linear in the values, with the attention weights held constant."""
    query, key, value = (call.arguments(place, name) for place, name in enumerate(("query", "key", "value")))
    rest, named = (
        call.args[3:],
        {name: entry for name, entry in call.kwargs.items() if name not in ("query", "key", "value")},
    )
    if not value.requires_grad:
        return mark_unknown(mode, call)
    return mode.share(
        value, Step(lambda t, w: call.func(query.detach(), key.detach(), t, *rest, **named) * w, value.new_ones(()))
    )


def _share_multi_head(mode: RelevanceMode, call: Call) -> Any:
    """Share by nn.MultiheadAttention, which is one call, as its value layer, constant weights and output layer."""
    arguments = inspect.signature(call.func).bind(*call.args, **call.kwargs).arguments
    plain = (
        not arguments.get("use_separate_proj_weight") and arguments["bias_k"] is None and not arguments["add_zero_attn"]
    )
    value, width, heads = arguments["value"], arguments["embed_dim_to_check"], arguments["num_heads"]
    if not plain or value.ndim != 3 or not value.requires_grad:
        return mark_unknown(mode, call)
    named = arguments | {"need_weights": True, "average_attn_weights": False}
    with torch.no_grad():
        # (N, heads, to, from)
        weights = call.func(**named)[1]
    bias = arguments["in_proj_bias"]
    # The value layer is the last third of the joint projection.
    values = mode.share(
        value,
        Step(F.linear, arguments["in_proj_weight"][-width:], None if bias is None else bias[-width:]),
        "dense",
        "linear",
    )
    # Lay the values out as (N, heads, from, features), to be mixed by the weights.
    values = values.unflatten(-1, (heads, -1)).permute(1, 2, 0, 3)
    mixed = mode.share(values, Step(lambda t, w: w @ t, weights)).permute(2, 0, 1, 3).flatten(-2)
    out = mode.share(mixed, Step(F.linear, arguments["out_proj_weight"], arguments["out_proj_bias"]), "dense", "linear")
    if not arguments.get("need_weights", True):
        return out, None
    return out, weights.mean(1) if arguments.get("average_attn_weights", True) else weights


HANDLERS: dict[str, Callable[[RelevanceMode, Call], Any]] = {
    **dict.fromkeys(_SELECTIONS, _pass_gradient),
    **dict.fromkeys(_ELEMENTWISE, _handle_elementwise),
    **dict.fromkeys(_GATES, _hold_constant),
    **dict.fromkeys(_MEANS, _share_mean),
    **dict.fromkeys(_LAYERS, _share_layer),
    **dict.fromkeys(("matmul", "mm", "bmm"), _share_matmul),
    **dict.fromkeys(("cat", "concat", "concatenate"), _handle_concat),
    **dict.fromkeys(("add", "sub"), _share_sum),
    **dict.fromkeys(("mul", "multiply"), _handle_product),
    **dict.fromkeys(("div", "true_divide", "truediv"), _handle_quotient),
    "batch_norm": _share_batch_norm,
    "layer_norm": _share_layer_norm,
    "scaled_dot_product_attention": _share_attention,
    "multi_head_attention_forward": _share_multi_head,
}
KEEPS_RANGES = frozenset((*_SELECTIONS, *_ELEMENTWISE, *_AFFINE, "cat"))
