"""Receptive fields of a network's tensors, read from its OpenVINO graph, and the tensors at which it can be split.

A convolution or a pooling sees a few cells of its input, an activation or a sum one. An operation that sees everything
(a mean over the picture, attention) has no receptive field, nor has any operation after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

_ELEMENTWISE = frozenset(
    "Add Clamp Convert Divide Elu Gelu HSigmoid HSwish Maximum Minimum Mish Multiply PRelu Power Relu Sigmoid "
    "SoftPlus Subtract Swish Tanh".split()
)
# Cost of writing one number, in multiplications.
_WRITE_COST = 32
# Writes of each number of a tensor handed from one network to another: put together, copied in, laid out.
_COPIES = 3


@dataclass(frozen=True)
class ReceptiveField:
    """Along one side: cell c sees the pixels from c * stride - before to c * stride + after, both included."""

    stride: int = 1
    before: int = 0
    after: int = 0

    def through_window(self, kernel: int, stride: int, dilation: int, pad: int) -> ReceptiveField:
        """Return the receptive field behind such a convolution or pooling."""
        reach = (kernel - 1) * dilation
        before, after = self.before + pad * self.stride, self.after + (reach - pad) * self.stride
        return ReceptiveField(self.stride * stride, before, after)

    def merge(self, field: ReceptiveField) -> ReceptiveField:
        """Return the receptive field of a cell that is made from one cell of each."""
        return ReceptiveField(self.stride, max(self.before, field.before), max(self.after, field.after))

    def cells_of(self, first: int, last: int) -> tuple[int, int]:
        """Return the first and last cell that see any of the pixels from first to last."""
        return -((self.after - first) // self.stride), (last + self.before) // self.stride

    def pixels_of(self, first: int, last: int) -> tuple[int, int]:
        """Return the first and last pixel that the cells from first to last see."""
        return first * self.stride - self.before, last * self.stride + self.after


@dataclass(frozen=True)
class SplitPoint:
    """A tensor through which everything goes from the picture to the logits."""

    name: str
    """Name of the operation that makes it."""
    receptive_field: ReceptiveField
    cells: int
    """Side of its square maps."""
    work: float
    """Work before it, as a share of the whole network's."""
    copy_cost: float
    """Cost of copying it and handing it on, as a share of the whole network's work."""


def find_split_points(graph: Any) -> Iterator[SplitPoint]:
    """Yield all split points of a graph with known, square shapes, from the picture on, as long as cells see only a
    part of it.
    """
    ops = [op for op in graph.get_ordered_ops() if op.get_type_name() != "Result"]
    constants = _find_constants(ops)
    ops = [op for op in ops if op.get_friendly_name() not in constants]
    places = {op.get_friendly_name(): place for place, op in enumerate(ops)}
    # What a result uses is needed to the very end.
    last_use = [max((places.get(user, len(ops)) for user in _user_names(op)), default=0) for op in ops]
    work = [_count_work(op) for op in ops]
    fields: dict[str, ReceptiveField] = {}
    needed_until, work_so_far = 0, 0.0
    for place, op in enumerate(ops):
        work_so_far += work[place]
        field = _find_receptive_field(op, fields, constants)
        if field is not None:
            fields[op.get_friendly_name()] = field
            # Everything goes through this tensor where no earlier one is used later on.
            if needed_until <= place:
                shape = op.output(0).get_shape()
                copy_cost = _COPIES * _WRITE_COST * prod(shape) / sum(work)
                yield SplitPoint(op.get_friendly_name(), field, shape[-1], work_so_far / sum(work), copy_cost)
        needed_until = max(needed_until, last_use[place])


def _find_constants(ops: list[Any]) -> set[str]:
    """Return the names of the operations that do not depend on the picture."""
    constants: set[str] = set()
    for op in ops:
        if op.get_type_name() != "Parameter" and all(name in constants for name in _source_names(op)):
            constants.add(op.get_friendly_name())
    return constants


def _source_names(op: Any) -> list[str]:
    return [value.get_node().get_friendly_name() for value in op.input_values()]


def _user_names(op: Any) -> Iterator[str]:
    for output in op.outputs():
        for user in output.get_target_inputs():
            yield user.get_node().get_friendly_name()


def _count_work(op: Any) -> float:
    """Return the multiplications of one operation plus the cost of writing its output."""
    if not op.get_output_size() or op.output(0).get_partial_shape().is_dynamic:
        return 0.0
    shape = list(op.output(0).get_shape())
    kind, write_cost = op.get_type_name(), _WRITE_COST * prod(shape)
    if kind in ("Convolution", "GroupConvolution"):
        return float(prod(op.input(1).get_shape()) * prod(shape[2:]) + write_cost)
    if kind == "MatMul":
        return float(prod(shape) * op.input(0).get_shape()[-1] + write_cost)
    # Activations and sums are computed along with the operation before them.
    return float(write_cost) if kind.endswith("Pool") else 0.0


def _find_receptive_field(op: Any, fields: dict[str, ReceptiveField], constants: set[str]) -> ReceptiveField | None:
    """Return the receptive field of the operation's first output; None where it is everything, or unknown."""
    kind, attributes = op.get_type_name(), op.get_attributes()
    shape = list(op.output(0).get_shape()) if op.output(0).get_partial_shape().is_static else []
    if len(shape) != 4 or shape[2] != shape[3]:
        return None
    if kind == "Parameter":
        return ReceptiveField()
    sources = _source_names(op)
    source_fields = [fields.get(name) for name in sources if name not in constants]
    if not source_fields or None in source_fields:
        return None
    field: ReceptiveField = source_fields[0]  # type: ignore[assignment]  # none of them is None
    if kind in ("Convolution", "GroupConvolution") and sources[1] in constants:
        return _slide(field, attributes, list(op.input(1).get_shape())[-2:])
    if kind in ("MaxPool", "AvgPool"):
        return _slide(field, attributes, attributes["kernel"])
    joins_channels = kind == "Concat" and attributes["axis"] in (1, -3)
    if joins_channels or (kind in _ELEMENTWISE and _is_cell_by_cell(op, shape, constants)):
        for source_field in source_fields[1:]:
            # Maps whose cells lie differently far apart cannot be joined cell by cell.
            if source_field is None or source_field.stride != field.stride:
                return None
            field = field.merge(source_field)
        return field
    return None


def _slide(field: ReceptiveField, attributes: dict[str, Any], kernel: list[int]) -> ReceptiveField | None:
    """Return the receptive field behind a sliding window; None where rows and columns are treated differently."""
    dilations = attributes.get("dilations") or [1, 1]
    sides = set(zip(kernel, attributes["strides"], dilations, attributes["pads_begin"], strict=True))
    if len(sides) != 1 or attributes.get("auto_pad", "explicit") != "explicit":
        return None
    return field.through_window(*sides.pop())


def _is_cell_by_cell(op: Any, shape: list[int], constants: set[str]) -> bool:
    """Return True if each cell is made from the same cell of every input; constants must be the same for all cells."""
    for name, value in zip(_source_names(op), op.input_values(), strict=True):
        size = list(value.get_shape())
        if size[-2:] != ([1, 1] if name in constants else shape[2:]) and not (name in constants and prod(size) == 1):
            return False
    return True
