"""The layers of a network in the order they run: output shape, parameters and cost, grouped by block.

Cost is counted in multiply-adds as torchinfo prints them: a convolution's parameters at every place, other parameters
once. Unlike there, a linear layer or attention on many tokens counts at every token.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import nn

from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.object_cache import cache_per_object

# Children of one kind from which a container's children are blocks of their own.
_MIN_BLOCKS = 3


@dataclass(frozen=True)
class LayerRow:
    """One step of a network. `shape` is its output without the batch; `layer` the explainable layer of that name."""

    name: str
    kind: str
    block: str
    shape: tuple[int, ...]
    parameters: int
    cost: int
    """Multiply-adds for one picture."""
    layer: str | None


@dataclass(frozen=True)
class Block:
    """Steps that belong together. `channels` and `grid` (rows, columns) are those of its last layer with maps."""

    name: str
    rows: tuple[LayerRow, ...]
    channels: int | None
    grid: tuple[int, int] | None
    layer: str | None
    """Its last explainable layer."""

    @property
    def parameters(self) -> int:
        return sum(row.parameters for row in self.rows)

    @property
    def cost(self) -> int:
        return sum(row.cost for row in self.rows)


@cache_per_object
def layer_table(model: Classifier) -> tuple[LayerRow, ...]:
    """Return one row for each step of the network, in the order of their ends; parameters add up to the network's.

    >>> from xai_core import load_model
    >>> [(row.name, row.shape, row.parameters, row.cost) for row in layer_table(load_model("small_cnn"))][:2]
    [('conv1', (4, 26, 26), 40, 27040), ('relu1', (4, 26, 26), 0, 0)]
    """
    private = isolate(model.module)
    outputs = _record_outputs(private, model.zero_input)
    modules, known = dict(private.named_modules()), {layer.name: layer for layer in model.layers()}
    rows: list[LayerRow] = []
    counted: set[int] = set()
    for name, calls in outputs.items():
        module = modules[name]
        own = {id(p): (key, p) for key, p in _own_parameters(name, module, outputs) if id(p) not in counted}
        has_steps = any(step.startswith(f"{name}.") or not name for step in outputs if step != name)
        if has_steps and not own:
            continue
        counted |= own.keys()
        layer = known.get(name)
        rows.append(
            LayerRow(
                name=name or type(module).__name__,
                kind=type(module).__name__,
                block=_block_of(name, modules) or type(module).__name__,
                shape=tuple(calls[-1][1:]),
                parameters=sum(p.numel() for _, p in own.values()),
                cost=sum(_count_cost(module, own.values(), shape) for shape in calls),
                layer=None if layer is None or layer.is_padding else layer.alias_of or layer.name,
            )
        )
    return tuple(rows)


def list_blocks(model: Classifier) -> tuple[Block, ...]:
    """Return the rows of `layer_table` grouped by block, in the order of the blocks' first steps."""
    groups: dict[str, list[LayerRow]] = {}
    for row in layer_table(model):
        groups.setdefault(row.block, []).append(row)
    blocks = []
    for name, rows in groups.items():
        names = {row.layer for row in rows} | {name}
        inside = [layer for layer in model.layers() if layer.alias_of is None and layer.name in names]
        last = max(inside, key=lambda layer: layer.depth, default=None)
        grid, channels = (None, None) if last is None else (last.grid, last.channels)
        blocks.append(Block(name, tuple(rows), channels, grid, None if last is None else last.name))
    return tuple(blocks)


def _record_outputs(private: nn.Module, x: torch.Tensor) -> dict[str, list[tuple[int, ...]]]:
    """Return the output shapes of every call of every module that ran, in the order of the last call's end."""
    outputs: dict[str, list[tuple[int, ...]]] = {}

    def record(name: str, output: Any) -> None:
        tensor = next((part for part in (output if isinstance(output, tuple) else (output,))), None)
        if isinstance(tensor, torch.Tensor):
            outputs[name] = [*outputs.pop(name, []), tuple(tensor.shape)]

    for name, module in private.named_modules():
        module.register_forward_hook(lambda _module, _inputs, output, name=name: record(name, output))
    with torch.no_grad(), out_of_place():
        private(x)
    return outputs


def _own_parameters(
    name: str, module: nn.Module, outputs: dict[str, list[tuple[int, ...]]]
) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the parameters of a module and of those of its parts that never ran: their owner used them itself."""
    for path, part in module.named_modules():
        full = ".".join(filter(None, (name, path)))
        if not path or not any(step in outputs for step in _prefixes(full, name)):
            yield from part.named_parameters(recurse=False)


def _prefixes(full: str, below: str) -> Iterator[str]:
    """Yield the paths from just below a module down to a part of it."""
    parts, start = full.split("."), len(below.split(".")) if below else 0
    yield from (".".join(parts[:end]) for end in range(start + 1, len(parts) + 1))


def _count_cost(module: nn.Module, own: Any, shape: tuple[int, ...]) -> int:
    """Return multiply-adds of one call for one picture; positions and class tokens are added, not multiplied."""
    is_convolution = "Conv" in type(module).__name__
    places = prod(shape[2:]) if is_convolution else prod(shape[1:-1])
    cost = 0
    for key, parameter in own:
        if not key.endswith(("weight", "bias")):
            continue
        at_every_place = is_convolution or isinstance(module, nn.Linear) or "ttention" in type(module).__name__
        cost += parameter.numel() * (places if at_every_place else 1)
    return cost


def _block_of(name: str, modules: dict[str, nn.Module]) -> str:
    """Return the block that a step belongs to: containers are opened, and at the top whatever holds a list of blocks.

    A step that no block holds is one of its own.
    """
    parts = name.split(".")
    path = parts[0]
    for depth, part in enumerate(parts[1:], start=1):
        step = f"{path}.{part}"
        node = modules[path]
        opens = type(node) in (nn.Sequential, nn.ModuleList) or (depth == 1 and _holds_blocks(node))
        if not opens:
            return path
        path = step
    return path


def _holds_blocks(node: nn.Module) -> bool:
    for part in node.modules():
        if type(part) in (nn.Sequential, nn.ModuleList):
            kinds = [type(child) for child in part.children() if any(True for _ in child.children())]
            if any(kinds.count(kind) >= _MIN_BLOCKS for kind in kinds):
                return True
    return False
