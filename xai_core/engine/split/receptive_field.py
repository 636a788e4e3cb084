"""Which part of a picture each cell of a network's tensors sees, read from its OpenVINO graph.

A convolution or a pooling sees a few cells of what goes into it, an activation or a sum one; what sees everything (a mean over the
picture, attention) has no such view, nor has anything after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

_SAME_PLACE = frozenset(
    "Add Clamp Convert Divide Elu Gelu HSigmoid HSwish Maximum Minimum Mish Multiply PRelu Power Relu Sigmoid SoftPlus Subtract Swish "
    "Tanh".split()
)
_MEMORY = 32
"""What writing one number costs, in multiplications."""
_COPIES = 3
"""How often each number of a tensor is written that is handed from one network to another: put together, copied in, laid out anew."""


@dataclass(frozen=True)
class ReceptiveField:
    """Along one side: cell c sees the pixels from c * stride - before to c * stride + after, both included."""

    stride: int = 1
    before: int = 0
    after: int = 0

    def through(self, kernel: int, stride: int, dilation: int, pad: int) -> ReceptiveField:
        """The view of what comes out of such a convolution or pooling."""
        reach = (kernel - 1) * dilation
        return ReceptiveField(
            self.stride * stride, self.before + pad * self.stride, self.after + (reach - pad) * self.stride
        )

    def joined(self, other: ReceptiveField) -> ReceptiveField:
        """The view of a cell made from one cell of each."""
        return ReceptiveField(self.stride, max(self.before, other.before), max(self.after, other.after))

    def touched(self, first: int, last: int) -> tuple[int, int]:
        """First and last cell that see any of the pixels from first to last."""
        return -((self.after - first) // self.stride), (last + self.before) // self.stride

    def seen(self, first: int, last: int) -> tuple[int, int]:
        """First and last pixel that the cells from first to last see."""
        return first * self.stride - self.before, last * self.stride + self.after


@dataclass(frozen=True)
class SplitPoint:
    """A tensor through which everything goes from the picture to the logits."""

    name: str
    """Of the operation that makes it."""
    view: ReceptiveField
    cells: int
    """Of a side of its square maps."""
    work: float
    """What is done before it, as a share of everything."""
    handing: float
    """What it costs to copy it and hand it on, as a share of everything."""


def find_split_points(graph: Any) -> Iterator[SplitPoint]:
    """All such tensors of a graph with known, square shapes, from the picture on, as long as cells see only a part of it."""
    ops = [op for op in graph.get_ordered_ops() if op.get_type_name() != "Result"]
    constant = _constants(ops)
    ops = [op for op in ops if op.get_friendly_name() not in constant]
    places = {op.get_friendly_name(): place for place, op in enumerate(ops)}
    last_use = [max((places.get(user, len(ops)) for user in _users(op)), default=0) for op in ops]
    work = [_work(op) for op in ops]
    views: dict[str, ReceptiveField] = {}
    open_until, done = 0, 0.0
    for place, op in enumerate(ops):
        done += work[place]
        found = _view(op, views, constant)
        if found is not None:
            views[op.get_friendly_name()] = found
            if open_until <= place:
                shape = op.output(0).get_shape()
                handing = _COPIES * _MEMORY * prod(shape) / sum(work)
                yield SplitPoint(op.get_friendly_name(), found, shape[-1], done / sum(work), handing)
        open_until = max(open_until, last_use[place])


def _constants(ops: list[Any]) -> set[str]:
    """Names of the operations that do not depend on the picture."""
    found: set[str] = set()
    for op in ops:
        if op.get_type_name() != "Parameter" and all(name in found for name in _sources(op)):
            found.add(op.get_friendly_name())
    return found


def _sources(op: Any) -> list[str]:
    return [value.get_node().get_friendly_name() for value in op.input_values()]


def _users(op: Any) -> Iterator[str]:
    for output in op.outputs():
        for user in output.get_target_inputs():
            yield user.get_node().get_friendly_name()


def _work(op: Any) -> float:
    """Multiplications of one operation, and what its output costs to write."""
    if not op.get_output_size() or op.output(0).get_partial_shape().is_dynamic:
        return 0.0
    out = list(op.output(0).get_shape())
    kind, written = op.get_type_name(), _MEMORY * prod(out)
    if kind in ("Convolution", "GroupConvolution"):
        return float(prod(op.input(1).get_shape()) * prod(out[2:]) + written)
    if kind == "MatMul":
        return float(prod(out) * op.input(0).get_shape()[-1] + written)
    # Activations and sums are done along with what is before them.
    return float(written) if kind.endswith("Pool") else 0.0


def _view(op: Any, views: dict[str, ReceptiveField], constant: set[str]) -> ReceptiveField | None:
    """What a cell of the operation's first output sees; None where that is everything, or not known."""
    kind, attributes = op.get_type_name(), op.get_attributes()
    shape = list(op.output(0).get_shape()) if op.output(0).get_partial_shape().is_static else []
    if len(shape) != 4 or shape[2] != shape[3]:
        return None
    if kind == "Parameter":
        return ReceptiveField()
    sources = _sources(op)
    known = [views.get(name) for name in sources if name not in constant]
    if not known or None in known:
        return None
    first: ReceptiveField = known[0]  # type: ignore[assignment]  # none of them is None
    if kind in ("Convolution", "GroupConvolution") and sources[1] in constant:
        return _slid(first, attributes, list(op.input(1).get_shape())[-2:])
    if kind in ("MaxPool", "AvgPool"):
        return _slid(first, attributes, attributes["kernel"])
    if (kind == "Concat" and attributes["axis"] in (1, -3)) or (kind in _SAME_PLACE and _alike(op, shape, constant)):
        for other in known[1:]:
            if other is None or other.stride != first.stride:
                return None
            first = first.joined(other)
        return first
    return None


def _slid(view: ReceptiveField, attributes: dict[str, Any], kernel: list[int]) -> ReceptiveField | None:
    """Through a window that slides; None where both sides are not treated alike."""
    dilations = attributes.get("dilations") or [1, 1]
    sides = set(zip(kernel, attributes["strides"], dilations, attributes["pads_begin"], strict=True))
    if len(sides) != 1 or attributes.get("auto_pad", "explicit") != "explicit":
        return None
    return view.through(*sides.pop())


def _alike(op: Any, shape: list[int], constant: set[str]) -> bool:
    """Whether each cell is made from the same cell of everything that goes in: constants are then the same for all cells."""
    for name, value in zip(_sources(op), op.input_values(), strict=True):
        own = list(value.get_shape())
        if own[-2:] != ([1, 1] if name in constant else shape[2:]) and not (name in constant and prod(own) == 1):
            return False
    return True
