"""Answers about a picture with a small square of it covered, without running the whole network again for every square.

The first layers of a convolutional network see each place of a picture by itself. They are run once on the whole picture and, for
each square, on a crop around it; what comes out of that is put in its place among the rest, and only the layers after them are run as
ever (incremental inference: Krypton, Nakandala et al., SIGMOD 2019). Nothing is approximated: the parts of a crop that miss their
neighbours are left out, and each pair of network and size is used only after it gave the whole network's own numbers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import torch

from xai_core.engine.forward import LARGEST_ERROR, OPENVINO_LOCK, Run, compiled, forward_for, graph_of, weight_bytes
from xai_core.engine.split.receptive_field import SplitPoint, find_split_points
from xai_core.models.classifier import Classifier
from xai_core.object_cache import cache_per_object

log = logging.getLogger(__name__)

LEAST_SAVED = 0.15
"""Of a forward pass: for less the network is not cut."""
MOST_BYTES = 256 * 2**20
"""Of weights: a cut network holds them once more."""
_SMALL = 1.5
"""How much longer a pixel of a crop takes than one of a whole picture."""
USUAL = 7
"""The network is cut where a square of a seventh of the side saves most."""


@dataclass(frozen=True)
class CropPlan:
    """How a square of one size is cut out: crops of `side` pixels that begin at multiples of the cut's stride."""

    cut: SplitPoint
    picture: int
    window: int
    side: int

    @classmethod
    def of(cls, cut: SplitPoint, picture: int, window: int) -> CropPlan | None:
        """None where no crop is smaller than the picture."""
        stride = cut.view.stride
        needed = 0
        for first in range(picture):
            _, _, low, high = _around(cut, picture, first, window)
            needed = max(needed, high + 1 - low // stride * stride)
        side = needed + (picture - needed) % stride
        return cls(cut, picture, window, side) if side < picture else None

    def at(self, first: int) -> tuple[int, slice, slice]:
        """For a square from pixel `first`, along one side: where its crop begins, and which cells change, in the whole and in the crop."""
        begin, end, low, _ = _around(self.cut, self.picture, first, self.window)
        start = min(low // self.cut.view.stride * self.cut.view.stride, self.picture - self.side)
        own = start // self.cut.view.stride
        return start, slice(begin, end + 1), slice(begin - own, end + 1 - own)

    @property
    def saved(self) -> float:
        """Share of a forward pass that need not be done."""
        return self.cut.work * (1 - _SMALL * (self.side / self.picture) ** 2) - self.cut.handing


def _around(cut: SplitPoint, picture: int, first: int, window: int) -> tuple[int, int, int, int]:
    """The first and last cell that see the square, and the first and last pixel that those cells see."""
    begin, end = cut.view.touched(first, min(first + window, picture) - 1)
    begin, end = max(begin, 0), min(end, cut.cells - 1)
    low, high = cut.view.seen(begin, end)
    return begin, end, max(low, 0), min(high, picture - 1)


@dataclass(eq=False)
class SplitNetwork:
    """A network cut in two: `head` makes the maps at the cut from pictures or crops, `tail` logits (N, classes) from maps."""

    cut: SplitPoint
    channels: int
    noise: torch.Tensor
    """Two pictures (2, C, H, W), on which it is tried."""
    head: Run
    tail: Run
    _crops: dict[int, CropPlan | None] = field(default_factory=dict)

    def crops(self, window: int) -> CropPlan | None:
        """How to cut out squares of this size; None where that saves too little or is not exact on two pictures of noise."""
        if window not in self._crops:
            found = CropPlan.of(self.cut, self.noise.shape[-1], window)
            try:
                good = found is not None and found.saved >= LEAST_SAVED and self._exact(found)
            except RuntimeError as problem:  # a crop too small for what comes after
                log.warning("crops of %s pixels cannot be run: %s", found and found.side, problem)
                good = False
            self._crops[window] = found if good else None
        return self._crops[window]

    def _exact(self, crops: CropPlan) -> bool:
        """Squares in corners, at edges and at every offset to the cut's cells, against the head's maps of whole covered pictures."""
        noise, last, stride = self.noise, crops.picture - 1, self.cut.view.stride
        firsts = [0, 1, last, max(last - crops.window, 0), *(crops.picture // 3 + offset for offset in range(stride))]
        corners = torch.tensor([(first, firsts[-1 - place]) for place, first in enumerate(firsts)])
        covered = cover(noise[:1], noise[1], corners, crops.window)
        for part, pictures in zip(corners.split(2), covered.split(2), strict=True):
            found, expected = OccludedImage(self, crops, noise[:1], noise[1]).maps(part), self.head(pictures)
            if found.shape != expected.shape or not (
                found - expected
            ).abs().max() <= LARGEST_ERROR * expected.abs().max().clamp(max=1):
                return False
        return True


class OccludedImage:
    """One picture (1, C, H, W) of which squares are covered by the same place of `patch` (C, H, W)."""

    def __init__(self, network: SplitNetwork, crops: CropPlan, x: torch.Tensor, patch: torch.Tensor) -> None:
        self.network, self.crops, self.x, self.patch = network, crops, x, patch
        self.whole = network.head(x)

    def logits(self, corners: torch.Tensor) -> torch.Tensor:
        """(N, classes) with a square at each of the corners (top, left), (N, 2), on the calling thread."""
        return self.network.tail(self.maps(corners))

    def maps(self, corners: torch.Tensor) -> torch.Tensor:
        """What the cut has for each of them, (N, channels, cells, cells)."""
        places = [(self.crops.at(top), self.crops.at(left)) for top, left in corners.tolist()]
        side, window = self.crops.side, self.crops.window
        crops = self.x.new_empty((len(corners), self.x.shape[1], side, side))
        for crop, (top, left), ((down, *_), (right, *_)) in zip(crops, corners.tolist(), places, strict=True):
            crop[...] = self.x[0, :, down : down + side, right : right + side]
            rows, columns = _overlap(top, window, down, side), _overlap(left, window, right, side)
            crop[:, rows.start - down : rows.stop - down, columns.start - right : columns.stop - right] = self.patch[
                :, rows, columns
            ]
        maps = self.whole.repeat(len(corners), 1, 1, 1)
        for whole, part, ((_, rows, own_rows), (_, columns, own_columns)) in zip(
            maps, self.network.head(crops), places, strict=True
        ):
            whole[:, rows, columns] = part[:, own_rows, own_columns]
        return maps


def _overlap(first: int, window: int, start: int, side: int) -> slice:
    """The pixels of a square that lie in a crop, along one side; pixels that no cell sees may lie outside."""
    low = min(max(first, start), start + side)
    return slice(low, max(min(first + window, start + side), low))


def cover(x: torch.Tensor, patch: torch.Tensor, corners: torch.Tensor, window: int) -> torch.Tensor:
    """The picture (1, C, H, W) with a square of `patch` (C, H, W) at each of the corners (top, left), (N, 2): (N, C, H, W)."""
    pictures = x.repeat(len(corners), 1, 1, 1)
    for picture, (top, left) in zip(pictures, corners.tolist(), strict=True):
        hole = (slice(None), slice(top, top + window), slice(left, left + window))
        picture[hole] = patch[hole]
    return pictures


def build(classifier: Classifier) -> SplitNetwork | None:
    """The network cut in two, or None where its forward is not OpenVINO's, where little is saved, or where the two are not the whole."""
    if forward_for(classifier).backend != "openvino" or weight_bytes(classifier) > MOST_BYTES:
        return None
    with OPENVINO_LOCK:
        graph = graph_of(classifier)
        cut = _best_cut(graph, classifier)
        if cut is None:
            return None
        try:
            network = _cut_in_two(graph, cut, classifier)
            error = float(
                (network.tail(network.head(network.noise)) - forward_for(classifier).run(network.noise)).abs().max()
            )
        except (RuntimeError, ValueError, TypeError) as problem:
            log.warning("%s cannot be cut at %s: %s", classifier.name, cut.name, problem)
            return None
    return network if error <= LARGEST_ERROR else None


def _noise(classifier: Classifier) -> torch.Tensor:
    shape = (2, classifier.preprocessing.channels, classifier.side, classifier.side)
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 4 - 2


def _best_cut(graph: Any, classifier: Classifier) -> SplitPoint | None:
    """Where a square of the usual size saves most; of equals the last, so that an activation stays with its convolution."""
    known = graph.clone()
    known.reshape([1, classifier.preprocessing.channels, classifier.side, classifier.side])
    best: CropPlan | None = None
    for cut in find_split_points(known):
        found = CropPlan.of(cut, classifier.side, max(classifier.side // USUAL, 1))
        if found is not None and found.saved >= LEAST_SAVED and (best is None or found.saved >= best.saved):
            best = found
    return best.cut if best is not None else None


def _cut_in_two(graph: Any, cut: SplitPoint, classifier: Classifier) -> SplitNetwork:
    import openvino

    tensor = next(op for op in graph.get_ordered_ops() if op.get_friendly_name() == cut.name).output(0)
    channels = tensor.get_partial_shape()[1]
    users = list(tensor.get_target_inputs())
    head = openvino.Model([tensor], graph.get_parameters(), "head").clone()
    head.reshape([-1, classifier.preprocessing.channels, -1, -1])
    maps = openvino.opset13.parameter([-1, channels, cut.cells, cut.cells], openvino.Type.f32)
    for user in users:
        user.replace_source_output(maps.output(0))
    tail = openvino.Model(graph.get_results(), [maps], "tail")
    tail.validate_nodes_and_infer_types()
    return SplitNetwork(cut, channels.get_length(), _noise(classifier), compiled(head), compiled(tail))


@cache_per_object
def split_network_for(classifier: Classifier) -> SplitNetwork | None:
    """The cut network of this classifier, built once however many threads ask, and dropped with the classifier."""
    return build(classifier)


def occluded_image_for(
    classifier: Classifier, x: torch.Tensor, patch: torch.Tensor, window: int
) -> OccludedImage | None:
    """What answers for squares of this size over a picture (1, C, H, W), or None where the whole network has to."""
    network = split_network_for(classifier)
    crops = network.crops(window) if network is not None else None
    return OccludedImage(network, crops, x, patch) if network is not None and crops is not None else None
