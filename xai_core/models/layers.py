"""The layers of a network that can be explained on the picture's grid, found by one forward pass on a private copy.

A layer qualifies if it returns one float tensor that still knows where things are: (N, C, H, W), (N, H, W, C) or tokens
(N, T, C) with a square number of patches. Which axis holds the channels is not guessed from sizes: it is followed
through every torch call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd
from torch.overrides import TorchFunctionMode

from xai_core.models.isolation import isolate, out_of_place

Layout = Literal["channels_first", "channels_last", "tokens"]
Stage = Literal["early", "middle", "late"]


@dataclass(frozen=True)
class Layer:
    """One explainable layer: `shape` is its output without the batch, `grid` its (rows, columns), `depth` its place in
    execution order.

    `depth` counts the listed layers from 1 by the end of their last call. `alias_of` names the outermost layer that
    returns the very same tensor (a container and its last child): explaining either gives the same map.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    depth: int
    layout: Layout
    prefix_tokens: int
    grid: tuple[int, int]
    recommended: bool = False
    alias_of: str | None = None

    @property
    def channels(self) -> int:
        """Number of its maps."""
        return self.shape[0] if self.layout == "channels_first" else self.shape[-1]

    @property
    def is_padding(self) -> bool:
        """True where it only frames its input: there is nothing to explain in it."""
        # A convolution may be called "...Padding" and pad on its own.
        return re.search(r"Pad\dd$", self.kind) is not None

    def to_maps(self, activation: torch.Tensor) -> torch.Tensor:
        """Return the activation as maps, (N, C, rows, columns), without class tokens."""
        if self.layout == "channels_first":
            return activation
        if self.layout == "channels_last":
            return activation.permute(0, 3, 1, 2)
        patches = activation[:, self.prefix_tokens :]
        return patches.transpose(1, 2).reshape(len(patches), -1, *self.grid)

    def from_maps(self, maps: torch.Tensor, activation: torch.Tensor) -> torch.Tensor:
        """Return maps (N, C, rows, columns) in the activation's own shape; class tokens are taken from `activation`."""
        if self.layout == "channels_first":
            return maps
        if self.layout == "channels_last":
            return maps.permute(0, 2, 3, 1)
        return torch.cat([activation[:, : self.prefix_tokens], maps.flatten(2).transpose(1, 2)], dim=1)


@dataclass(eq=False)
class _Call:
    """The last call of one module: its start, end and output."""

    name: str
    module: nn.Module
    start: int
    given: dict[int, int]
    """Its input tensors by id, with their version: in-place arithmetic raises it."""
    end: int = -1
    output: Any = None
    version: int = 0
    passes_through: bool = False
    """It returned one of its own inputs: dropout in eval mode, identity."""

    @property
    def tensor(self) -> tuple[int, int]:
        """Id and version of its output: after `x += y` the same object holds another map. The call keeps it alive."""
        return id(self.output), self.version


_NOT_A_MAP = -1
_LAST = {"linear", "layer_norm", "rms_norm"}
_FIRST = {
    "conv2d",
    "conv_transpose2d",
    "batch_norm",
    "group_norm",
    "max_pool2d",
    "avg_pool2d",
    "adaptive_avg_pool2d",
    "interpolate",
}
_MOVES = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis"}
_PRODUCTS = {"matmul", "__matmul__", "bmm", "einsum"}


def _channel_axis(value: Any) -> int | None:
    return getattr(value, "_channel_axis", None)


def _iter_tensors(values: Iterable[Any]) -> Iterable[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _iter_tensors(value)


class _FollowChannels(TorchFunctionMode):
    """Mark every four-dimensional tensor with the axis that holds its channels, through functional code too."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if isinstance(result, (torch.Tensor, list, tuple)):
            axis = self._axis_after(getattr(func, "__name__", ""), func, args, kwargs)
            for tensor in _iter_tensors([result]):
                if tensor.ndim == 4 and axis is not None:
                    setattr(tensor, "_channel_axis", axis)  # noqa: B010  # a tensor declares no such attribute
        return result

    def _axis_after(self, name: str, func: Any, args: Any, kwargs: Any) -> int | None:
        given = [t for t in _iter_tensors([args, list(kwargs.values())]) if t.ndim == 4]
        before = next((axis for t in given if (axis := _channel_axis(t)) is not None), None)
        if name in _LAST:
            # A norm over (C, H, W) moves nothing.
            whole_map = name != "linear" and len(args) > 1 and len(args[1]) > 1
            return before if whole_map else 3
        if name in _FIRST:
            return 1
        if name in _PRODUCTS and len(given) > 1:
            # Attention weights (N, heads, T, T) look like maps and are none.
            return _NOT_A_MAP
        if name in _MOVES and args and before not in (None, _NOT_A_MAP):
            # The same call on a probe with four different sides shows where each axis went.
            sizes = (2, 3, 5, 7)
            return list(func(torch.empty(sizes), *args[1:], **kwargs).shape).index(sizes[before])
        return before


def _watch(root: nn.Module) -> dict[str, _Call]:
    """Hook every module of a private copy; the dict fills with each module's last call during the next forward pass."""
    calls: dict[str, _Call] = {}
    clock = iter(range(10**9))

    def watch(name: str, module: nn.Module) -> None:
        def before(_: nn.Module, inputs: Any) -> None:
            versions = {id(tensor): tensor._version for tensor in _iter_tensors(inputs)}
            calls[name] = _Call(name, module, next(clock), versions)

        def after(_: nn.Module, inputs: Any, output: Any) -> None:
            call = calls[name]
            call.end, call.output = next(clock), output
            if not isinstance(output, torch.Tensor):
                return
            call.version = output._version
            call.passes_through = call.given.get(id(output)) == output._version
            if output.ndim == 4 and _channel_axis(output) is None:
                alike = [tensor for tensor in _iter_tensors(inputs) if tensor.shape == output.shape]
                same = [axis for tensor in alike if (axis := _channel_axis(tensor)) is not None]
                setattr(output, "_channel_axis", same[0] if same else 1)  # noqa: B010

        module.register_forward_pre_hook(before)
        module.register_forward_hook(after)

    for name, module in root.named_modules():
        if name:
            watch(name, module)
    return calls


def _describe(call: _Call, batch: int) -> Layer | None:
    """Return the call's output as a layer, or None if it has no picture-like grid."""
    out = call.output
    if not isinstance(out, torch.Tensor) or not out.is_floating_point() or len(out) != batch:
        return None
    layout: Layout
    if out.ndim == 4 and _channel_axis(out) in (1, 3):
        layout, prefix = ("channels_first", 0) if _channel_axis(out) == 1 else ("channels_last", 0)
        grid = (out.shape[2], out.shape[3]) if layout == "channels_first" else (out.shape[1], out.shape[2])
    elif out.ndim == 3 and (side := isqrt(out.shape[1])) ** 2 in (out.shape[1], out.shape[1] - 1):
        layout, prefix, grid = "tokens", out.shape[1] - side**2, (side, side)
    else:
        return None
    if min(grid) < 2:
        return None
    return Layer(call.name, type(call.module).__name__, tuple(out.shape[1:]), call.end, layout, prefix, grid)


def _find_aliases(calls: Sequence[_Call]) -> dict[str, str]:
    """Return for each layer the outermost name among those that return the same tensor, or its own."""
    groups: dict[tuple[int, int], list[_Call]] = {}
    for call in calls:
        groups.setdefault(call.tensor, []).append(call)
    names: dict[str, str] = {}
    for group in groups.values():
        makers = [call for call in group if not call.passes_through] or group
        outermost = min(makers, key=lambda call: (call.name.count("."), len(call.name), call.end)).name
        names |= {call.name: outermost for call in group}
    return names


_REDUCING = (
    _DropoutNd,
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._LPPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.FractionalMaxPool2d,
)


def _only_reduces(module: nn.Module) -> bool:
    """Return True for pooling and dropout: they add no evidence of their own, and pooling coarsens the grid."""
    leaf = next(module.children(), None) is None
    return isinstance(module, _REDUCING) or (leaf and "pool" in type(module).__name__.lower())


def _is_attention(module: nn.Module) -> bool:
    return isinstance(module, nn.MultiheadAttention) or "attention" in type(module).__name__.lower()


def _recommend(calls: dict[str, _Call], layers: Sequence[Layer], prefer: str | None) -> str | None:
    """Return the layer to explain by default: the last match of `prefer`, else what the structure suggests.

    Convolutional networks: the last map that is not a pooling's. Transformers over tokens: the last tokens that enter
    the last attention. The last block's output would be no use there: a head that reads only the class token gives its
    patch tokens a zero gradient.
    """
    named = [layer for layer in layers if prefer and re.search(prefer, layer.name)]
    if named:
        return named[-1].alias_of or named[-1].name
    own = [layer for layer in layers if layer.alias_of is None]
    first_maker: dict[tuple[int, int], nn.Module] = {}
    for call in sorted(calls.values(), key=lambda call: call.end):
        first_maker.setdefault(call.tensor, call.module)
    maps = [la for la in own if la.layout != "tokens" and not _only_reduces(first_maker[calls[la.name].tensor])]
    last_attention = max((call.start for call in calls.values() if _is_attention(call.module)), default=-1)
    tokens = [la for la in own if la.layout == "tokens" and (calls[la.name].end < last_attention or last_attention < 0)]
    if tokens and (not maps or calls[maps[-1].name].end < calls[tokens[-1].name].end):
        return tokens[-1].name
    return maps[-1].name if maps else None


def list_layers(module: nn.Module, example: torch.Tensor, prefer: str | None = None) -> tuple[Layer, ...]:
    """Return every explainable layer in execution order, at most one recommended. `prefer` is a pattern for its name.

    The module itself is not touched: hooks sit on a private copy. A module called several times is reported at its last
    call.

    >>> module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)).eval()
    >>> [(layer.name, layer.grid, layer.recommended) for layer in list_layers(module, torch.zeros(1, 1, 8, 8))]
    [('0', (6, 6), False), ('1', (6, 6), True)]
    """
    private = isolate(module)
    calls = _watch(private)
    with torch.no_grad(), out_of_place(), _FollowChannels():
        private(example.detach().clone())
    done = sorted((call for call in calls.values() if call.end >= 0), key=lambda call: call.end)
    described = [(call, layer) for call in done if (layer := _describe(call, len(example)))]
    outermost = _find_aliases([call for call, _ in described])
    layers = [
        replace(layer, depth=depth, alias_of=outermost[layer.name] if outermost[layer.name] != layer.name else None)
        for depth, (_, layer) in enumerate(described, start=1)
    ]
    best = _recommend({call.name: call for call in done}, layers, prefer)
    return tuple(replace(layer, recommended=layer.name == best) for layer in layers)
