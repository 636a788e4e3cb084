"""Logits of a picture with a small square of it occluded, without running the whole network for every square.

The first layers of a convolutional network see each place of a picture by itself. They are run once on the whole
picture and, for each square, on a crop around it; the crop's maps are put in their place among the whole picture's, and
only the layers after them are run as ever (incremental inference: Krypton, Nakandala et al., SIGMOD 2019). Nothing is
approximated: the parts of a crop that miss their neighbours are left out, and each pair of network and size is used
only after it gave the whole network's own numbers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import torch

from xai_core.engine.backends.calibration import MAX_ERROR
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.backends.network import Run, weight_bytes
from xai_core.engine.backends.openvino import OPENVINO_LOCK, compile_graph, translate_network
from xai_core.engine.split.receptive_field import SplitPoint, find_split_points
from xai_core.models.classifier import Classifier
from xai_core.object_cache import cache_per_object

log = logging.getLogger(__name__)

# Share of a forward pass; a network that saves less is not split.
MIN_SAVINGS = 0.15
# Bytes of weights; a split network holds them once more.
MAX_SPLIT_BYTES = 256 * 2**20
# The network is split where a square of a seventh of the side saves most.
USUAL_SQUARES = 7
# Time per pixel of a crop relative to one of a whole picture.
_CROP_COST = 1.5


@dataclass(frozen=True)
class CropPlan:
    """Crops around squares of one size: `side` pixels each, beginning at multiples of the split point's stride."""

    point: SplitPoint
    picture: int
    window: int
    side: int

    @classmethod
    def build(cls, point: SplitPoint, picture: int, window: int) -> CropPlan | None:
        """Return the plan for squares of `window` pixels in a picture; None where no crop is smaller than it."""
        stride = point.receptive_field.stride
        # The largest crop that any square needs, from the multiple of the stride before its first pixel on.
        needed = 0
        for first in range(picture):
            _, _, low, high = _surroundings(point, picture, first, window)
            needed = max(needed, high + 1 - low // stride * stride)
        # The last crop ends with the picture and has to begin at a multiple of the stride too.
        side = needed + (picture - needed) % stride
        return cls(point, picture, window, side) if side < picture else None

    def locate(self, first: int) -> tuple[int, slice, slice]:
        """Return, for a square from pixel `first` along one side: the crop's start, and the changed cells in the whole
        and in the crop.
        """
        stride = self.point.receptive_field.stride
        begin, end, low, _ = _surroundings(self.point, self.picture, first, self.window)
        # Near the end of the picture the crop moves back so that it still fits.
        start = min(low // stride * stride, self.picture - self.side)
        offset = start // stride
        return start, slice(begin, end + 1), slice(begin - offset, end + 1 - offset)

    @property
    def savings(self) -> float:
        """Share of a forward pass that need not be done."""
        return self.point.work * (1 - _CROP_COST * (self.side / self.picture) ** 2) - self.point.copy_cost


def _surroundings(point: SplitPoint, picture: int, first: int, window: int) -> tuple[int, int, int, int]:
    """Return the first and last cell that see the square, and the first and last pixel that those cells see."""
    begin, end = point.receptive_field.cells_of(first, min(first + window, picture) - 1)
    begin, end = max(begin, 0), min(end, point.cells - 1)
    low, high = point.receptive_field.pixels_of(begin, end)
    return begin, end, max(low, 0), min(high, picture - 1)


@dataclass(eq=False)
class SplitNetwork:
    """A network in two: `head` makes maps at the split point from pictures or crops, `tail` logits (N, classes) from
    maps.
    """

    point: SplitPoint
    channels: int
    noise: torch.Tensor
    """Two pictures (2, C, H, W), on which it is tried."""
    head: Run
    tail: Run
    _plans: dict[int, CropPlan | None] = field(default_factory=dict)

    def crop_plan(self, window: int) -> CropPlan | None:
        """Return the plan for squares of this size; None where it saves too little or is not exact on two pictures of
        noise.
        """
        if window not in self._plans:
            plan = CropPlan.build(self.point, self.noise.shape[-1], window)
            try:
                usable = plan is not None and plan.savings >= MIN_SAVINGS and self._is_exact(plan)
            # A crop may be too small for the layers before the split.
            except RuntimeError as problem:
                log.warning("crops of %s pixels cannot be run: %s", plan and plan.side, problem)
                usable = False
            self._plans[window] = plan if usable else None
        return self._plans[window]

    def _is_exact(self, plan: CropPlan) -> bool:
        """Compare squares in corners, at edges and at every offset to the cells with the head's maps of whole occluded
        pictures.
        """
        noise, last, stride = self.noise, plan.picture - 1, self.point.receptive_field.stride
        firsts = [0, 1, last, max(last - plan.window, 0), *(plan.picture // 3 + offset for offset in range(stride))]
        corners = torch.tensor([(first, firsts[-1 - place]) for place, first in enumerate(firsts)])
        occluded = occlude(noise[:1], noise[1], corners, plan.window)
        for part, pictures in zip(corners.split(2), occluded.split(2), strict=True):
            maps, expected = OccludedImage(self, plan, noise[:1], noise[1]).maps(part), self.head(pictures)
            limit = MAX_ERROR * expected.abs().max().clamp(max=1)
            # `not <=` rather than `>`: NaN counts as a difference.
            if maps.shape != expected.shape or not (maps - expected).abs().max() <= limit:
                return False
        return True


class OccludedImage:
    """One picture (1, C, H, W) of which squares are replaced by the same place of `patch` (C, H, W)."""

    def __init__(self, network: SplitNetwork, plan: CropPlan, x: torch.Tensor, patch: torch.Tensor) -> None:
        self.network, self.plan, self.x, self.patch = network, plan, x, patch
        self.whole_maps = network.head(x)

    def logits(self, corners: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) with a square at each corner (top, left), (N, 2), on the calling thread."""
        return self.network.tail(self.maps(corners))

    def maps(self, corners: torch.Tensor) -> torch.Tensor:
        """Return the maps at the split point for each corner, (N, channels, cells, cells)."""
        locations = [(self.plan.locate(top), self.plan.locate(left)) for top, left in corners.tolist()]
        side, window = self.plan.side, self.plan.window
        # Cut out the crops and occlude what of the square lies in them.
        crops = self.x.new_empty((len(corners), self.x.shape[1], side, side))
        for crop, (top, left), ((down, *_), (right, *_)) in zip(crops, corners.tolist(), locations, strict=True):
            crop[...] = self.x[0, :, down : down + side, right : right + side]
            rows, columns = _overlap(top, window, down, side), _overlap(left, window, right, side)
            inside = slice(rows.start - down, rows.stop - down), slice(columns.start - right, columns.stop - right)
            crop[(slice(None), *inside)] = self.patch[:, rows, columns]
        # Put the cells that the square changes among those of the whole picture.
        maps = self.whole_maps.repeat(len(corners), 1, 1, 1)
        for whole, part, ((_, rows, crop_rows), (_, columns, crop_columns)) in zip(
            maps, self.network.head(crops), locations, strict=True
        ):
            whole[:, rows, columns] = part[:, crop_rows, crop_columns]
        return maps


def _overlap(first: int, window: int, start: int, side: int) -> slice:
    """Return the pixels of a square that lie in a crop, along one side; pixels that no cell sees may lie outside."""
    low = min(max(first, start), start + side)
    return slice(low, max(min(first + window, start + side), low))


def occlude(x: torch.Tensor, patch: torch.Tensor, corners: torch.Tensor, window: int) -> torch.Tensor:
    """Return the picture (1, C, H, W) with a square of `patch` (C, H, W) at each of the corners (top, left), (N, 2):
    (N, C, H, W).
    """
    pictures = x.repeat(len(corners), 1, 1, 1)
    for picture, (top, left) in zip(pictures, corners.tolist(), strict=True):
        square = (slice(None), slice(top, top + window), slice(left, left + window))
        picture[square] = patch[square]
    return pictures


@cache_per_object
def split_network_for(model: Classifier) -> SplitNetwork | None:
    """Return the model's split network; None where it runs without OpenVINO, where little is saved, or where the parts
    differ.
    """
    if forward_for(model).backend != "openvino" or weight_bytes(model) > MAX_SPLIT_BYTES:
        return None
    shape = (model.preprocessing.channels, model.side, model.side)
    with OPENVINO_LOCK:
        graph = translate_network(model)
        point = _choose_split_point(graph, shape)
        if point is None:
            return None
        try:
            network = _split_graph(graph, point, shape)
            whole = forward_for(model).run(network.noise)
            error = float((network.tail(network.head(network.noise)) - whole).abs().max())
        except (RuntimeError, ValueError, TypeError) as problem:
            log.warning("%s cannot be split at %s: %s", model.name, point.name, problem)
            return None
    return network if error <= MAX_ERROR else None


def _choose_split_point(graph: Any, shape: tuple[int, int, int]) -> SplitPoint | None:
    """Return where a square of the usual size saves most; of equals the last, so that an activation stays with its
    convolution.
    """
    fixed = graph.clone()
    fixed.reshape([1, *shape])
    best: CropPlan | None = None
    for point in find_split_points(fixed):
        plan = CropPlan.build(point, shape[-1], max(shape[-1] // USUAL_SQUARES, 1))
        if plan is not None and plan.savings >= MIN_SAVINGS and (best is None or plan.savings >= best.savings):
            best = plan
    return best.point if best is not None else None


def _split_graph(graph: Any, point: SplitPoint, shape: tuple[int, int, int]) -> SplitNetwork:
    import openvino

    tensor = next(op for op in graph.get_ordered_ops() if op.get_friendly_name() == point.name).output(0)
    channels = tensor.get_partial_shape()[1]
    users = list(tensor.get_target_inputs())
    # The head is cloned before the tail's operations are taken from it.
    head = openvino.Model([tensor], graph.get_parameters(), "head").clone()
    # Leave batch and size open: the head runs on pictures and on crops.
    head.reshape([-1, shape[0], -1, -1])
    maps = openvino.opset13.parameter([-1, channels, point.cells, point.cells], openvino.Type.f32)
    # Feed the tail from a parameter in place of the head's output.
    for user in users:
        user.replace_source_output(maps.output(0))
    tail = openvino.Model(graph.get_results(), [maps], "tail")
    tail.validate_nodes_and_infer_types()
    noise = torch.rand((2, *shape), generator=torch.Generator().manual_seed(0)) * 4 - 2
    return SplitNetwork(point, channels.get_length(), noise, compile_graph(head), compile_graph(tail))


def occluded_image_for(model: Classifier, x: torch.Tensor, patch: torch.Tensor, window: int) -> OccludedImage | None:
    """Return the picture (1, C, H, W) ready for squares of this size, or None where the whole network has to be run."""
    network = split_network_for(model)
    plan = network.crop_plan(window) if network is not None else None
    return OccludedImage(network, plan, x, patch) if network is not None and plan is not None else None
