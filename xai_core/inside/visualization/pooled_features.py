"""Pooled features of pictures at several layers in one pass: mean or maximum of each layer's maps over places."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, Protocol

import torch
from PIL import Image

from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.inside.visualization.layer_reader import LayerReader, count_calls, network_for
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import out_of_place
from xai_core.models.layers import Layer

# Pictures that pass through the network together.
BATCH = 4


class Pictures(Protocol):
    """Pictures by number: a list of them, or rows of a set that are opened one at a time."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Image.Image: ...


def read_pooled_features(
    model: Classifier, layers: Sequence[Layer], pictures: Pictures, job: Job[Any], pool: Literal["mean", "max"] = "mean"
) -> dict[str, torch.Tensor]:
    """Return the mean or maximum of each layer's maps over places, (N, C), for the pictures as the model sees them.

    `job` counts pictures; the caller says how many to expect. Raises Cancelled.
    """
    names = [layer.name for layer in layers]
    network = network_for(model, names)
    reader = LayerReader(network, count_calls(network, names, model.zero_input), needs_logits=False)

    def read(inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        with torch.no_grad(), out_of_place(), cores.limit(cores.CORES_PER_WORKER):
            _, outputs = reader.read(inputs)
        maps = {layer.name: layer.to_maps(outputs[layer.name].after) for layer in layers}
        return {
            name: (values.mean((2, 3)) if pool == "mean" else values.amax((2, 3))).cpu()
            for name, values in maps.items()
        }

    parts = []
    for first in range(0, len(pictures), BATCH):
        inputs = prepare_batch(model, pictures, first)
        parts.append(SCHEDULER.submit_work(partial(read, inputs), job, len(inputs), cost=1.0).wait())
        job.tick(len(inputs))
    return {name: torch.cat([part[name] for part in parts]) for name in names}


def prepare_batch(model: Classifier, pictures: Pictures, first: int) -> torch.Tensor:
    """Return the pictures from number `first` on as inputs of the network, at most BATCH of them."""
    numbers = range(first, min(first + BATCH, len(pictures)))
    return torch.cat([model.prepare(pictures[number]) for number in numbers])
