"""A layer's maps of many pictures, batch by batch in the shared queue: in memory where they fit, else read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import torch
from PIL import Image

from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.inside.visualization.layer_reader import LayerReader, count_calls
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import out_of_place
from xai_core.models.layers import Layer

T = TypeVar("T")
# Bytes of maps that are held between two passes.
MAX_HELD_BYTES = 256 * 2**20
_BATCH = 8


class LayerMaps:
    """Maps of a layer for N pictures; a pass calls a function with each batch's first number and maps (n, C, h, w).

    By a private copy of the network that ends at the layer. For one thread at a time.
    """

    def __init__(
        self,
        model: Classifier,
        layer: Layer,
        pictures: Sequence[Image.Image],
        job: Job[Any],
        is_read_again: bool = True,
    ) -> None:
        calls = count_calls(model.module, [layer.name], model.zero_input)
        self._reader = LayerReader(model.module, calls, needs_logits=False)
        self._model, self._layer, self._pictures, self._job = model, layer, pictures, job
        size = 4 * layer.channels * layer.grid[0] * layer.grid[1] * len(pictures)
        self._held: dict[int, torch.Tensor] | None = {} if is_read_again and size <= MAX_HELD_BYTES else None

    def run(self, use: Callable[[int, torch.Tensor], T]) -> Iterator[T]:
        """Yield what `use` makes of each batch, in order, by a worker of the engine. The job counts pictures."""
        for first in range(0, len(self._pictures), _BATCH):
            count = min(_BATCH, len(self._pictures) - first)
            held = None if self._held is None else self._held.get(first)
            inputs = None if held is not None else self._prepare(first, count)
            work = partial(self._work, use, first, inputs, held)
            yield SCHEDULER.submit_work(work, self._job, count, cost=1.0).wait()
            self._job.tick(count)

    def _prepare(self, first: int, count: int) -> torch.Tensor:
        return torch.cat([self._model.prepare(self._pictures[first + place]) for place in range(count)])

    def _work(
        self, use: Callable[[int, torch.Tensor], T], first: int, inputs: torch.Tensor | None, held: torch.Tensor | None
    ) -> T:
        with cores.limit(cores.CORES_PER_WORKER), torch.no_grad():
            maps = held if held is not None else self._read(first, inputs)
            return use(first, maps)

    def _read(self, first: int, inputs: torch.Tensor | None) -> torch.Tensor:
        with out_of_place():
            _, outputs = self._reader.read(inputs)  # type: ignore[arg-type]  # None only where maps are held
        maps = self._layer.to_maps(outputs[self._layer.name].after).float().contiguous().cpu()
        if self._held is not None:
            self._held[first] = maps
        return maps
