"""A layer's maps of many pictures, batch by batch in the shared queue: in memory where they fit, else read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import torch
from PIL import Image

from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.inside.visualization.layer_reader import LayerReader, count_calls, network_for
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import out_of_place
from xai_core.models.layers import Layer

T = TypeVar("T")
# Bytes of maps that are held between two passes.
MAX_HELD_BYTES = 256 * 2**20
_BATCH = 8


class LayerMaps:
    """Maps of a layer for N pictures; a pass calls a function with each batch's first number and maps (n, C, h, w).

    By a private copy of the network that ends at the layer. For one thread at a time. `read` gives a picture by number.
    """

    def __init__(
        self,
        model: Classifier,
        layer: Layer,
        read: Callable[[int], Image.Image],
        count: int,
        job: Job[Any],
        is_read_again: bool = True,
    ) -> None:
        network = network_for(model, [layer.name])
        calls = count_calls(network, [layer.name], model.zero_input)
        self._reader = LayerReader(network, calls, needs_logits=False)
        self._model, self._layer, self._job = model, layer, job
        self._read_picture, self._count = read, count
        size = 4 * layer.channels * layer.grid[0] * layer.grid[1] * count
        self._held: dict[int, torch.Tensor] | None = {} if is_read_again and size <= MAX_HELD_BYTES else None

    def run(self, use: Callable[[int, torch.Tensor], T]) -> Iterator[T]:
        """Yield what `use` makes of each batch, in order, by a worker of the engine. The job counts pictures."""
        inputs = self._prepare(0)
        for first in range(0, self._count, _BATCH):
            count = min(_BATCH, self._count - first)
            work = partial(self._work, use, first, inputs)
            task = SCHEDULER.submit_work(work, self._job, count, cost=1.0)
            try:
                # The next batch is made ready while this one runs.
                inputs = self._prepare(first + _BATCH)
            finally:
                result = task.wait()
            yield result
            self._job.tick(count)

    def _prepare(self, first: int) -> torch.Tensor | None:
        """Return the inputs from a number on, None at the end and where their maps are held."""
        if first >= self._count or (self._held is not None and first in self._held):
            return None
        rows = range(first, min(first + _BATCH, self._count))
        return torch.cat([self._model.prepare(self._read_picture(row)) for row in rows])

    def _work(self, use: Callable[[int, torch.Tensor], T], first: int, inputs: torch.Tensor | None) -> T:
        with cores.limit(cores.CORES_PER_WORKER), torch.no_grad():
            held = self._held if self._held is not None else {}
            return use(first, held[first] if inputs is None else self._read(first, inputs))

    def _read(self, first: int, inputs: torch.Tensor) -> torch.Tensor:
        with out_of_place():
            _, outputs = self._reader.read(inputs)
        maps = self._layer.to_maps(outputs[self._layer.name].after).float().contiguous().cpu()
        if self._held is not None:
            self._held[first] = maps
        return maps
