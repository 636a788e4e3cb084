"""What relevance does at each kind of step: one short function a kind, and the table of torch's names for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from xai_core.rules._base import _ceiling
from xai_core.rules._flow import Call, Carry, Settle, tensors
from xai_core.rules.shares import Step

if TYPE_CHECKING:
    from xai_core.rules.relevance import Relevance

_SELECT = """
get getitem adaptive_max_pool1d adaptive_max_pool2d alpha_dropout amax amin broadcast_to channel_shuffle chunk clone contiguous cpu cuda
dropout dropout1d dropout2d dropout3d expand expand_as feature_dropout flatten flip float index_select max max_pool1d max_pool2d max_pool3d
max_pool2d_with_indices maximum min minimum moveaxis movedim narrow pad permute pixel_shuffle pixel_unshuffle repeat reshape reshape_as
roll select split squeeze stack swapaxes t to transpose type_as unbind unflatten unsqueeze view view_as where
""".split()
_EACH = """
addcmul celu clamp clamp_max clamp_min clip elu gelu group_norm hardshrink hardswish hardtanh instance_norm leaky_relu local_response_norm
mish neg negative normalize pow prelu relu relu6 rsub selu silu softplus softshrink softsign sqrt square tanh tanhshrink threshold
""".split()
_GATES = "hardsigmoid log_softmax logsigmoid sigmoid softmax".split()
_MEANS = "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d avg_pool1d avg_pool2d avg_pool3d interpolate mean sum".split()
_LAYERS = "linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d".split()
_AFFINE = frozenset("add addcmul div mul neg negative rsub sub true_divide".split())


def _select(mode: Relevance, call: Call) -> Any:
    return call()


def unknown(mode: Relevance, call: Call) -> Any:
    out = call()
    if isinstance(out, (tuple, list)):
        return type(out)(_marked(part, call.name) for part in out) if type(out) in (tuple, list) else out
    return _marked(out, call.name)


def _marked(out: Any, name: str) -> Any:
    if not isinstance(out, torch.Tensor) or not out.requires_grad:
        return out
    return Carry.apply(lambda: out.detach().clone(), ("unknown", name), out)


def _carried(call: Call, live: list[torch.Tensor]) -> torch.Tensor:
    rectifies = _ceiling(call.name, call.given) is not None
    kind = "affine" if call.name in _AFFINE else "rectifier" if rectifies else "activation"
    out: torch.Tensor = Carry.apply(lambda: call(torch.Tensor.detach), (kind, call.name), *live)
    return out


def _each(mode: Relevance, call: Call) -> Any:
    return _carried(call, call.live) if len(call.live) == 1 else unknown(mode, call)


def _product(mode: Relevance, call: Call) -> Any:
    return _carried(call, call.live)


def _quotient(mode: Relevance, call: Call) -> Any:
    above = call.given(0, "input")
    return _carried(call, [above]) if isinstance(above, torch.Tensor) and above.requires_grad else unknown(mode, call)


def _gate(mode: Relevance, call: Call) -> Any:
    return call(torch.Tensor.detach)


def _sum_of_two(mode: Relevance, call: Call) -> Any:
    if len(call.live) == 1:
        return _carried(call, call.live)
    one, other = call.given(0, "input"), call.given(1, "other")
    factor = call.kwargs.get("alpha", 1) * (-1 if call.name == "sub" else 1)
    if factor != 1:
        other = Carry.apply(lambda: other.detach() * factor, ("affine", "mul"), other)
    pair = torch.stack(torch.broadcast_tensors(one, other))
    return mode.share(pair, Step(lambda t, w: t.sum(0) * w, pair.new_ones(())))


def _mean(mode: Relevance, call: Call) -> Any:
    x = call.given(0, "input")
    return mode.share(x, Step(lambda t, w: call(lambda tensor: t if tensor is x else tensor) * w, x.new_ones(())))


def _layer(mode: Relevance, call: Call) -> Any:
    x, weight, bias = call.given(0, "input"), call.given(1, "weight"), call.given(2, "bias")
    if [tensor for tensor in call.live if tensor is not x]:
        return unknown(mode, call)
    rest, named = (
        call.args[3:],
        {name: value for name, value in call.kwargs.items() if name not in ("input", "weight", "bias")},
    )
    step = Step(lambda t, w: call.func(t, w, None, *rest, **named), weight, bias)
    if call.name != "linear" and bias is not None:
        step = replace(step, bias=bias.view(-1, *[1] * (weight.ndim - 2)))
    if call.name != "linear":
        step = replace(step, sees=lambda t, w: step.apply(t.sum(-weight.ndim + 1, keepdim=True).expand_as(t), w))
    return mode.share(
        x, step, "dense" if call.name == "linear" else "transposed" if "transpose" in call.name else "conv", call.name
    )


def _matmul(mode: Relevance, call: Call) -> Any:
    one, other = call.args[:2]
    if len(call.live) != 1:
        return unknown(mode, call)  # two at once: queries times keys, which end in a gate
    if one.requires_grad:
        return mode.share(one, Step(lambda t, w: call.func(t, w), other), "dense", call.name)
    return mode.share(other, Step(lambda t, w: call.func(w, t), one))


def _batch_norm(mode: Relevance, call: Call) -> Any:
    if call.func is not F.batch_norm or len(call.live) != 1:
        return unknown(mode, call)
    given = inspect.signature(F.batch_norm).bind(*call.args, **call.kwargs).arguments
    x, variance = given["input"], given["running_var"]
    if given.get("training") or variance is None:
        return unknown(mode, call)
    scale = (variance + given.get("eps", 1e-5)).rsqrt()
    scale = scale if given.get("weight") is None else scale * given["weight"]
    shift = -given["running_mean"] * scale
    shift = shift if given.get("bias") is None else shift + given["bias"]
    before, each = mode.joined(x), (-1, *[1] * (x.ndim - 2))
    if before is not None:
        step, out = before.step, (-1, *[1] * (before.step.weight.ndim - 1))
        bias = shift.view(each) if step.bias is None else step.bias * scale.view(each) + shift.view(each)
        return mode.share(
            before.x, replace(step, weight=step.weight * scale.view(out), bias=bias), before.kind, "batch_norm"
        )
    if mode.composite.norms_pass:
        return Carry.apply(lambda: call(torch.Tensor.detach), ("affine", "batch_norm"), x)
    step = Step(
        lambda t, w: t * w, scale.view(each), shift.view(each), sees=lambda t, w: t.sum(1, keepdim=True).expand_as(t)
    )
    return mode.share(x, step, "norm", "batch_norm")


def _layer_norm(mode: Relevance, call: Call) -> Any:
    if call.func is not F.layer_norm or len(call.live) != 1:
        return unknown(mode, call)
    given = inspect.signature(F.layer_norm).bind(*call.args, **call.kwargs).arguments
    x, weight = given["input"], given.get("weight")
    dims = tuple(range(-len(given["normalized_shape"]), 0))
    factor = (x.detach().var(dims, correction=0, keepdim=True) + given.get("eps", 1e-5)).rsqrt()
    factor = factor.expand_as(x) if weight is None else factor * weight
    sizes = lambda t, w: t.sum(dims, keepdim=True).expand_as(t)  # noqa: E731
    return mode.share(
        x,
        Step(lambda t, w: (t - t.mean(dims, keepdim=True)) * w, factor, given.get("bias"), sees=sizes),
        "norm",
        "layer_norm",
    )


def _cat(mode: Relevance, call: Call) -> Any:
    out, parts = call(), list(tensors((call.args, tuple(call.kwargs.values()))))
    if len(call.live) == len(parts):
        return out
    live = call(lambda tensor: torch.full_like(tensor, float(tensor.requires_grad), requires_grad=False))
    return Settle.apply(out, live)


def _attention(mode: Relevance, call: Call) -> Any:
    """Scaled dot products: linear in the values, their weights held constant."""
    query, key, value = (call.given(place, name) for place, name in enumerate(("query", "key", "value")))
    rest, named = (
        call.args[3:],
        {name: given for name, given in call.kwargs.items() if name not in ("query", "key", "value")},
    )
    if not value.requires_grad:
        return unknown(mode, call)
    return mode.share(
        value, Step(lambda t, w: call.func(query.detach(), key.detach(), t, *rest, **named) * w, value.new_ones(()))
    )


def _multi_head(mode: Relevance, call: Call) -> Any:
    """nn.MultiheadAttention arrives as one call: taken apart into values, constant weights and the layer behind."""
    given = inspect.signature(call.func).bind(*call.args, **call.kwargs).arguments
    plain = not given.get("use_separate_proj_weight") and given["bias_k"] is None and not given["add_zero_attn"]
    value, width, heads = given["value"], given["embed_dim_to_check"], given["num_heads"]
    if not plain or value.ndim != 3 or not value.requires_grad:
        return unknown(mode, call)
    named = given | {"need_weights": True, "average_attn_weights": False}
    with torch.no_grad():
        weights = call.func(**named)[1]  # (N, heads, to, from)
    bias = given["in_proj_bias"]
    values = mode.share(
        value,
        Step(F.linear, given["in_proj_weight"][-width:], None if bias is None else bias[-width:]),
        "dense",
        "linear",
    )
    values = values.unflatten(-1, (heads, -1)).permute(1, 2, 0, 3)
    mixed = mode.share(values, Step(lambda t, w: w @ t, weights)).permute(2, 0, 1, 3).flatten(-2)
    out = mode.share(mixed, Step(F.linear, given["out_proj_weight"], given["out_proj_bias"]), "dense", "linear")
    if not given.get("need_weights", True):
        return out, None
    return out, weights.mean(1) if given.get("average_attn_weights", True) else weights


HANDLERS: dict[str, Callable[[Relevance, Call], Any]] = {
    **dict.fromkeys(_SELECT, _select),
    **dict.fromkeys(_EACH, _each),
    **dict.fromkeys(_GATES, _gate),
    **dict.fromkeys(_MEANS, _mean),
    **dict.fromkeys(_LAYERS, _layer),
    **dict.fromkeys(("matmul", "mm", "bmm"), _matmul),
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    **dict.fromkeys(("add", "sub"), _sum_of_two),
    **dict.fromkeys(("mul", "multiply"), _product),
    **dict.fromkeys(("div", "true_divide", "truediv"), _quotient),
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "scaled_dot_product_attention": _attention,
    "multi_head_attention_forward": _multi_head,
}
KEEP_RAW = frozenset((*_SELECT, *_EACH, *_AFFINE, "cat"))
