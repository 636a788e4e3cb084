"""Relevance instead of gradients: what flows back through a network is the explained number itself, shared out layer by layer.

Bach et al. 2015, doi:10.1371/journal.pone.0130140; composites of rules after Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10.

Inside the mode every step of the network gets a backward pass that hands relevance on and keeps its sum:
- views, selections and max-pooling do what they do in any gradient;
- an activation, a scaling, whatever works on each value alone, passes relevance on as it is;
- gates (sigmoid, softmax: squeeze-and-excitation, attention) count as constants, as in Ali et al. 2022, arXiv:2202.07304;
- linear layers, sums and means share by a rule of `shares`; a batch norm joins the convolution it reads;
- other norms are linear with their divisor held constant; what their shift adds goes to the values that are normalized together.
A step that is none of these is marked, and `obstacles` finds the marks that lie on the way back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from xai_core.rules._base import _ceiling, _Given
from xai_core.rules.shares import Epsilon, Rule, Step

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
_IN_PLACE = {"__iadd__": "add", "__isub__": "sub", "__imul__": "mul", "__itruediv__": "div", "__setitem__": "setitem"}
_AFFINE = frozenset("add addcmul div mul neg negative rsub sub true_divide".split())


@dataclass(frozen=True)
class Composite:
    """Which rule shares where: convolutions, other linear layers, sums and means; the layer that reads the picture; the one that scores."""

    conv: Rule
    dense: Rule
    mix: Rule = Epsilon()  # noqa: RUF009  # frozen: all composites may share it
    first: Callable[[torch.Tensor, torch.Tensor], Rule] | None = None
    """Made from the lowest and the highest values the layer could read."""
    top: Rule | None = None
    norms_pass: bool = False
    """Whether a batch norm without a convolution passes relevance on as an activation does."""


class _Call:
    """One torch call of the network."""

    def __init__(self, func: Any, args: Any, kwargs: Any) -> None:
        self.func, self.args = func, tuple(args)
        self.kwargs = {name: value for name, value in (kwargs or {}).items() if name != "inplace"}
        self.given = _Given(self.args, self.kwargs)
        full = getattr(func, "__name__", "")
        self.name = _IN_PLACE.get(full, full.strip("_"))
        self.writes = full in _IN_PLACE or (full.endswith("_") and not full.endswith("__"))

    def __call__(self, swap: Callable[[torch.Tensor], torch.Tensor] = lambda tensor: tensor) -> Any:
        """The call's result, for other tensors if `swap` names them."""
        return self.func(*_swapped(self.args, swap), **{name: _swapped(value, swap) for name, value in self.kwargs.items()})

    @property
    def live(self) -> list[torch.Tensor]:
        """The tensors that depend on the picture."""
        return [tensor for tensor in _tensors((self.args, tuple(self.kwargs.values()))) if tensor.requires_grad]


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from _tensors(inner)


def _swapped(value: Any, swap: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        return swap(value)
    return type(value)(_swapped(inner, swap) for inner in value) if type(value) in (tuple, list) else value


class _Carry(torch.autograd.Function):
    """Any value; its relevance goes to the tensors it was made of, in equal parts, as it is."""

    @staticmethod
    def forward(ctx: Any, value: Callable[[], torch.Tensor], met: tuple[str, str], *live: torch.Tensor) -> torch.Tensor:
        ctx.met, ctx.shapes = met, [tensor.shape for tensor in live]
        return value().detach()

    @staticmethod
    def backward(ctx: Any, relevance: torch.Tensor) -> Any:
        part = relevance / len(ctx.shapes)
        return None, None, *(part.sum_to_size(shape) for shape in ctx.shapes)


class _Share(torch.autograd.Function):
    """A linear step that shares its relevance by the rule it is given when relevance arrives."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, step: Step, rule: Callable[[], Rule], met: tuple[str, str]) -> torch.Tensor:
        ctx.step, ctx.rule, ctx.met = step, rule, met
        ctx.save_for_backward(x)
        return step(x)

    @staticmethod
    def backward(ctx: Any, relevance: torch.Tensor) -> Any:
        return ctx.rule().share(ctx.step, ctx.saved_tensors[0].detach(), relevance), None, None, None


class _Settle(torch.autograd.Function):
    """The same values; what constants among them would keep goes to the others of that picture, by size."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, live: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x.abs() * live, live)
        return x.clone()

    @staticmethod
    def backward(ctx: Any, relevance: torch.Tensor) -> Any:
        size, live = ctx.saved_tensors
        kept = (relevance * (1 - live)).flatten(1).sum(1)
        total = size.flatten(1).sum(1).clamp(min=1e-30)
        return relevance * live + size * (kept / total).view(-1, *[1] * (size.ndim - 1)), None


@dataclass(frozen=True)
class _Latest:
    """The linear layer called last, for the batch norm that may follow."""

    out: torch.Tensor
    version: int
    x: torch.Tensor
    step: Step
    kind: str


class Relevance(TorchFunctionMode):
    """Inside, a network's outputs hand relevance back by the rules of `composite`; `torch.autograd.grad` outside then finds the input's.

    Give the network `x`, which may hold anything from `low` to `high`, and as the outputs' gradient the relevance to share.
    """

    def __init__(self, composite: Composite, x: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> None:
        super().__init__()
        self.composite, self._top = composite, composite.top
        self.lost: set[str] = set()
        """Writing steps that could not be followed."""
        self._raw = {id(x): (x, low.expand_as(x), high.expand_as(x))}
        self._latest: _Latest | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = _Call(func, args, kwargs)
        if not call.live or not torch.is_grad_enabled():
            return func(*args, **(kwargs or {}))
        return self._written(call) if call.writes else self._taken(call)

    def _taken(self, call: _Call) -> Any:
        out = _HANDLERS.get(call.name, _unknown)(self, call)
        raw = [self._raw.get(id(tensor)) for tensor in call.live]
        if isinstance(out, torch.Tensor) and all(raw) and call.name in _KEEP_RAW:
            found = {key: entry for key, entry in zip(map(id, call.live), raw, strict=True) if entry}
            low, high = (call(lambda tensor, end=end: found[id(tensor)][end] if id(tensor) in found else tensor) for end in (1, 2))  # type: ignore[misc]
            self._raw[id(out)] = (out, low, high)
        return out

    def _written(self, call: _Call) -> Any:
        """An in-place call works on a copy, whose result is then written back: rules read the values of before."""
        target = call.args[0]
        if call.name not in _HANDLERS or not isinstance(target, torch.Tensor):
            self.lost.add(call.name)
            return call()
        own = target.clone()
        if id(target) in self._raw:
            self._raw[id(own)] = (own, *self._raw.pop(id(target))[1:])
        out = self._taken(_Call(call.func, (own, *call.args[1:]), call.kwargs))
        target.copy_(out)
        if id(out) in self._raw:
            self._raw[id(target)] = (target, *self._raw[id(out)][1:])
        return target

    def _rule(self, kind: str, bounds: tuple[torch.Tensor, torch.Tensor] | None) -> Rule:
        if kind in ("mix", "norm"):
            return self.composite.mix if kind == "mix" else Epsilon()
        if self._top is not None:
            top, self._top = self._top, None  # relevance reaches the layer that scores before all others
            return top
        if bounds is not None and self.composite.first is not None:
            return self.composite.first(*bounds)
        return self.composite.conv if kind == "conv" else self.composite.dense

    def share(self, x: torch.Tensor, step: Step, kind: str = "mix", name: str = "") -> torch.Tensor:
        """The step's output for x, which will share its relevance by the rule for this kind of step."""
        raw = self._raw.get(id(x))
        bounds = None if raw is None else (torch.minimum(*raw[1:]), torch.maximum(*raw[1:]))
        if bounds is not None:
            step = replace(step, field=(bounds[0] < bounds[1]).to(x.dtype))
        out: torch.Tensor = _Share.apply(x, step, lambda: self._rule(kind, bounds), (kind, name))
        self._latest = _Latest(out, out._version, x, step, kind) if kind in ("conv", "dense") else None
        return out

    def joined(self, x: torch.Tensor) -> _Latest | None:
        """The linear layer that made x, if it was the last one and x is still what it was."""
        latest = self._latest
        return latest if latest is not None and latest.out is x and latest.version == x._version else None


def _select(mode: Relevance, call: _Call) -> Any:
    return call()


def _unknown(mode: Relevance, call: _Call) -> Any:
    out = call()
    if isinstance(out, (tuple, list)):
        return type(out)(_marked(part, call.name) for part in out) if type(out) in (tuple, list) else out
    return _marked(out, call.name)


def _marked(out: Any, name: str) -> Any:
    if not isinstance(out, torch.Tensor) or not out.requires_grad:
        return out
    return _Carry.apply(lambda: out.detach().clone(), ("unknown", name), out)


def _carried(call: _Call, live: list[torch.Tensor]) -> torch.Tensor:
    rectifies = _ceiling(call.name, call.given) is not None
    kind = "affine" if call.name in _AFFINE else "rectifier" if rectifies else "activation"
    out: torch.Tensor = _Carry.apply(lambda: call(torch.Tensor.detach), (kind, call.name), *live)
    return out


def _each(mode: Relevance, call: _Call) -> Any:
    return _carried(call, call.live) if len(call.live) == 1 else _unknown(mode, call)


def _product(mode: Relevance, call: _Call) -> Any:
    return _carried(call, call.live)


def _quotient(mode: Relevance, call: _Call) -> Any:
    above = call.given(0, "input")
    return _carried(call, [above]) if isinstance(above, torch.Tensor) and above.requires_grad else _unknown(mode, call)


def _gate(mode: Relevance, call: _Call) -> Any:
    return call(torch.Tensor.detach)


def _sum_of_two(mode: Relevance, call: _Call) -> Any:
    if len(call.live) == 1:
        return _carried(call, call.live)
    one, other = call.given(0, "input"), call.given(1, "other")
    factor = call.kwargs.get("alpha", 1) * (-1 if call.name == "sub" else 1)
    if factor != 1:
        other = _Carry.apply(lambda: other.detach() * factor, ("affine", "mul"), other)
    pair = torch.stack(torch.broadcast_tensors(one, other))
    return mode.share(pair, Step(lambda t, w: t.sum(0) * w, pair.new_ones(())))


def _mean(mode: Relevance, call: _Call) -> Any:
    x = call.given(0, "input")
    return mode.share(x, Step(lambda t, w: call(lambda tensor: t if tensor is x else tensor) * w, x.new_ones(())))


def _layer(mode: Relevance, call: _Call) -> Any:
    x, weight, bias = call.given(0, "input"), call.given(1, "weight"), call.given(2, "bias")
    if [tensor for tensor in call.live if tensor is not x]:
        return _unknown(mode, call)
    rest, named = call.args[3:], {name: value for name, value in call.kwargs.items() if name not in ("input", "weight", "bias")}
    step = Step(lambda t, w: call.func(t, w, None, *rest, **named), weight, bias)
    if call.name != "linear" and bias is not None:
        step = replace(step, bias=bias.view(-1, *[1] * (weight.ndim - 2)))
    if call.name != "linear":
        step = replace(step, sees=lambda t, w: step.apply(t.sum(-weight.ndim + 1, keepdim=True).expand_as(t), w))
    return mode.share(x, step, "dense" if call.name == "linear" else "transposed" if "transpose" in call.name else "conv", call.name)


def _matmul(mode: Relevance, call: _Call) -> Any:
    one, other = call.args[:2]
    if len(call.live) != 1:
        return _unknown(mode, call)  # two at once: queries times keys, which end in a gate
    if one.requires_grad:
        return mode.share(one, Step(lambda t, w: call.func(t, w), other), "dense", call.name)
    return mode.share(other, Step(lambda t, w: call.func(w, t), one))


def _batch_norm(mode: Relevance, call: _Call) -> Any:
    if call.func is not F.batch_norm or len(call.live) != 1:
        return _unknown(mode, call)
    given = inspect.signature(F.batch_norm).bind(*call.args, **call.kwargs).arguments
    x, variance = given["input"], given["running_var"]
    if given.get("training") or variance is None:
        return _unknown(mode, call)
    scale = (variance + given.get("eps", 1e-5)).rsqrt()
    scale = scale if given.get("weight") is None else scale * given["weight"]
    shift = -given["running_mean"] * scale
    shift = shift if given.get("bias") is None else shift + given["bias"]
    before, each = mode.joined(x), (-1, *[1] * (x.ndim - 2))
    if before is not None:
        step, out = before.step, (-1, *[1] * (before.step.weight.ndim - 1))
        bias = shift.view(each) if step.bias is None else step.bias * scale.view(each) + shift.view(each)
        return mode.share(before.x, replace(step, weight=step.weight * scale.view(out), bias=bias), before.kind, "batch_norm")
    if mode.composite.norms_pass:
        return _Carry.apply(lambda: call(torch.Tensor.detach), ("affine", "batch_norm"), x)
    step = Step(lambda t, w: t * w, scale.view(each), shift.view(each), sees=lambda t, w: t.sum(1, keepdim=True).expand_as(t))
    return mode.share(x, step, "norm", "batch_norm")


def _layer_norm(mode: Relevance, call: _Call) -> Any:
    if call.func is not F.layer_norm or len(call.live) != 1:
        return _unknown(mode, call)
    given = inspect.signature(F.layer_norm).bind(*call.args, **call.kwargs).arguments
    x, weight = given["input"], given.get("weight")
    dims = tuple(range(-len(given["normalized_shape"]), 0))
    factor = (x.detach().var(dims, correction=0, keepdim=True) + given.get("eps", 1e-5)).rsqrt()
    factor = factor.expand_as(x) if weight is None else factor * weight
    sizes = lambda t, w: t.sum(dims, keepdim=True).expand_as(t)  # noqa: E731
    return mode.share(
        x, Step(lambda t, w: (t - t.mean(dims, keepdim=True)) * w, factor, given.get("bias"), sees=sizes), "norm", "layer_norm"
    )


def _cat(mode: Relevance, call: _Call) -> Any:
    out, parts = call(), list(_tensors((call.args, tuple(call.kwargs.values()))))
    if len(call.live) == len(parts):
        return out
    live = call(lambda tensor: torch.full_like(tensor, float(tensor.requires_grad), requires_grad=False))
    return _Settle.apply(out, live)


def _attention(mode: Relevance, call: _Call) -> Any:
    """Scaled dot products: linear in the values, their weights held constant."""
    query, key, value = (call.given(place, name) for place, name in enumerate(("query", "key", "value")))
    rest, named = call.args[3:], {name: given for name, given in call.kwargs.items() if name not in ("query", "key", "value")}
    if not value.requires_grad:
        return _unknown(mode, call)
    return mode.share(value, Step(lambda t, w: call.func(query.detach(), key.detach(), t, *rest, **named) * w, value.new_ones(())))


def _multi_head(mode: Relevance, call: _Call) -> Any:
    """nn.MultiheadAttention arrives as one call: taken apart into values, constant weights and the layer behind."""
    given = inspect.signature(call.func).bind(*call.args, **call.kwargs).arguments
    plain = not given.get("use_separate_proj_weight") and given["bias_k"] is None and not given["add_zero_attn"]
    value, width, heads = given["value"], given["embed_dim_to_check"], given["num_heads"]
    if not plain or value.ndim != 3 or not value.requires_grad:
        return _unknown(mode, call)
    named = given | {"need_weights": True, "average_attn_weights": False}
    with torch.no_grad():
        weights = call.func(**named)[1]  # (N, heads, to, from)
    bias = given["in_proj_bias"]
    values = mode.share(value, Step(F.linear, given["in_proj_weight"][-width:], None if bias is None else bias[-width:]), "dense", "linear")
    values = values.unflatten(-1, (heads, -1)).permute(1, 2, 0, 3)
    mixed = mode.share(values, Step(lambda t, w: w @ t, weights)).permute(2, 0, 1, 3).flatten(-2)
    out = mode.share(mixed, Step(F.linear, given["out_proj_weight"], given["out_proj_bias"]), "dense", "linear")
    if not given.get("need_weights", True):
        return out, None
    return out, weights.mean(1) if given.get("average_attn_weights", True) else weights


_HANDLERS: dict[str, Callable[[Relevance, _Call], Any]] = {
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
_KEEP_RAW = frozenset((*_SELECT, *_EACH, *_AFFINE, "cat"))


def obstacles(outputs: torch.Tensor) -> set[tuple[str, str]]:
    """What lies on the way back from the outputs: (kind, name) of every step, kind "unknown" where no rule is known."""
    found, seen, open_ = set(), set(), [outputs.grad_fn]
    while open_:
        node = open_.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        open_ += [before for before, _ in node.next_functions]
        if hasattr(node, "met"):
            found.add(node.met)
    return found
