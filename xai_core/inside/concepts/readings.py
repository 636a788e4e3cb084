"""Readings of a layer: pooled activations of concept pictures, and gradients of a class's logit.

Both are read by private copies of the network, a few pictures at a time; pooled, they are small enough to keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch

from xai_core.arrays import Float64
from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.errors import NotApplicable
from xai_core.inside.head import select_target
from xai_core.inside.layer_table import list_blocks
from xai_core.inside.visualization.layer_reader import LayerReader, count_calls, network_for
from xai_core.inside.visualization.pooled_features import BATCH, Pictures, prepare_batch, read_pooled_features
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import out_of_place
from xai_core.models.layers import Layer
from xai_core.results import Target

# Share of the network's depth: earlier layers know edges and colours only, in the last one all gradients are equal.
_DEFAULT_DEPTH = 2 / 3


def choose_layer(model: Classifier, name: str | None = None) -> Layer:
    """Return the layer of this name, or the one two thirds down the network.

    Raises NotApplicable (the network has no layer with maps), InvalidParam (this layer has none) or UnknownName.
    """
    if name is not None:
        layer = model.layer(name)
        return model.layer(layer.alias_of) if layer.alias_of else layer
    layers = _list_block_ends(model)
    if not layers:
        raise NotApplicable(
            f"No layer of {model.title} has maps, so no idea can be looked for inside it. Choose another model."
        )
    return layers[max(round(len(layers) * _DEFAULT_DEPTH) - 1, 0)]


def spread_layers(model: Classifier, count: int, always: Sequence[str] = ()) -> tuple[Layer, ...]:
    """Return about `count` ends of blocks, evenly over the depth of the network, and layers `always` wanted."""
    ends = _list_block_ends(model)
    count = min(count, len(ends))
    chosen = {ends[(number + 1) * len(ends) // count - 1].name for number in range(count)} | set(always)
    return tuple(layer for layer in model.offered_layers if layer.name in chosen)


def _list_block_ends(model: Classifier) -> tuple[Layer, ...]:
    names = {block.layer for block in list_blocks(model)}
    return tuple(layer for layer in model.offered_layers if layer.name in names)


def read_activations(
    model: Classifier, layers: Sequence[Layer], pictures: Pictures, job: Job[Any] | None = None
) -> dict[str, Float64]:
    """Return the mean of every channel's map in each picture, (N, C) for each layer. `job` counts pictures."""
    features = read_pooled_features(model, layers, pictures, job or Job())
    return {name: values.double().numpy() for name, values in features.items()}


def read_gradients(
    model: Classifier, layers: Sequence[Layer], target: Target, pictures: Pictures, job: Job[Any] | None = None
) -> dict[str, Float64]:
    """Return the logit's gradient by each channel, added up over places, (N, C) for each layer.

    It is how fast the logit rises when a channel rises by as much at every place, and so its mean. `job` counts
    pictures. Raises Cancelled.
    """
    job, names = job or Job(), [layer.name for layer in layers]
    network = network_for(model, names)
    reader = LayerReader(network, count_calls(network, names, model.zero_input), needs_logits=True)

    def read(inputs: torch.Tensor) -> list[torch.Tensor]:
        # The picture's gradient only carries the graph: none reaches the weights of the private copy.
        with torch.enable_grad(), out_of_place(), cores.limit(cores.CORES_PER_WORKER):
            logits, outputs = reader.read(inputs.requires_grad_(True))
            maps = [outputs[name].after for name in names]
            score = select_target(logits.T, target).sum()  # type: ignore[union-attr]
            slopes = torch.autograd.grad(score, maps, materialize_grads=True, allow_unused=True)
        pairs = zip(layers, slopes, strict=True)
        return [layer.to_maps(slope).sum((2, 3)).double().cpu() for layer, slope in pairs]

    parts = []
    for first in range(0, len(pictures), BATCH):
        inputs = prepare_batch(model, pictures, first)
        parts.append(SCHEDULER.submit_work(partial(read, inputs), job, len(inputs)).wait())
        job.tick(len(inputs))
    return {name: torch.cat([part[place] for part in parts]).numpy() for place, name in enumerate(names)}
