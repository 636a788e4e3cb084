"""A layer's feature maps for one picture, and how much each channel matters for a class: estimated, then tested.

Gradient times activation estimates how far the logit would fall without a channel; hiding the channel measures it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Float32, Float64, Int64
from xai_core.engine.backends.with_features import logits_and_maps
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.errors import InvalidParam
from xai_core.inside.head import select_target
from xai_core.methods.run.explain import TargetLike, resolve_target
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.models.layers import Layer
from xai_core.models.probe import probe_layer
from xai_core.results import Target

# Copies of the picture that run at once, each with another channel hidden.
_HIDDEN_AT_ONCE = 5


@dataclass(frozen=True, eq=False)
class Activations:
    """Feature maps of one picture: `values` (C, rows, columns), float32 and read-only."""

    layer: str
    values: Float32

    @property
    def strength(self) -> Float32:
        """Largest value of each map, (C,)."""
        strongest: Float32 = self.values.max(axis=(1, 2))
        return strongest


@dataclass(frozen=True, eq=False)
class ChannelEffects:
    """Estimated effect of each channel on a class: `values` (C,), gradient times activation, in logits."""

    layer: str
    target: Target
    values: Float32


@dataclass(frozen=True, eq=False)
class HidingTest:
    """Fall of the class's logit when a channel is set to zero, (k,), for these channels; (k,) as estimated."""

    channels: Int64
    measured: Float64
    estimated: Float64

    @property
    def agreement(self) -> float:
        """Share of the channels whose measured effect has the sign that was estimated."""
        return float((np.sign(self.measured) == np.sign(self.estimated)).mean())


def activations(model: Classifier, image: Image.Image, layer: str, job: Job[Any] | None = None) -> Activations:
    """Return the layer's feature maps for a picture.

    Raises InvalidParam (the layer has no maps) or UnknownName.

    >>> from xai_core import SAMPLES, load_model
    >>> activations(load_model("small_cnn"), SAMPLES.get("digit_3").load(), "conv2").values.shape
    (8, 11, 11)
    """
    record = _canonical_layer(model, layer)
    with SCHEDULER.slot(job):
        _, maps = logits_and_maps(model.module, record, model.prepare(image))
    values = maps[0].contiguous().cpu().numpy()
    values.flags.writeable = False
    return Activations(record.name, values)


def channel_effects(
    model: Classifier, image: Image.Image, layer: str, target: TargetLike = None, job: Job[Any] | None = None
) -> ChannelEffects:
    """Return gradient times activation of each channel, summed over places, for `target` (the top class if None).

    Raises as `activations` does, and for a target that does not exist.
    """
    record, checked = _canonical_layer(model, layer), resolve_target(model, target)
    with SCHEDULER.slot(job), torch.enable_grad():
        logits, maps = run_from_layer(model, record, model.prepare(image))
        resolved = int(logits[0].argmax()) if checked is None else checked
        (gradient,) = torch.autograd.grad(select_target(logits[0], resolved), maps[-1])
    values = (gradient[0] * maps[-1].detach()[0]).sum((1, 2))
    return ChannelEffects(record.name, resolved, values.float().cpu().numpy())


def hide_channels(
    model: Classifier, image: Image.Image, effects: ChannelEffects, channels: Sequence[int], job: Job[Any] | None = None
) -> HidingTest:
    """Return how far the logit falls when one channel after the other is set to zero in the layer's last call.

    `job` counts forward passes. Raises InvalidParam for a channel that does not exist, Cancelled.
    """
    record, numbers = model.layer(effects.layer), np.asarray(channels, dtype=np.int64)
    if numbers.size == 0 or numbers.min() < 0 or numbers.max() >= record.channels:
        raise InvalidParam(f"The layer {record.name!r} has channels 0 to {record.channels - 1}. Got {list(channels)}.")
    x, job = model.prepare(image), job or Job()
    job.expect(job.done + len(numbers) + 1)
    with SCHEDULER.slot(job), torch.no_grad():
        plain, maps = run_from_layer(model, record, x)
    job.tick(1)
    measured = []
    for part in np.array_split(numbers, -(-len(numbers) // _HIDDEN_AT_ONCE)):
        with SCHEDULER.slot(job, len(part)), torch.no_grad():
            logits, _ = run_from_layer(model, record, x.expand(len(part), -1, -1, -1), (part, len(maps)))
        measured.append(select_target(plain[0], effects.target) - select_target(logits.T, effects.target))
        job.tick(len(part))
    falls = torch.cat(measured).double().cpu().numpy()
    return HidingTest(numbers, falls, effects.values[numbers].astype(np.float64))


def _canonical_layer(model: Classifier, name: str) -> Layer:
    layer = model.layer(name)
    return model.layer(layer.alias_of) if layer.alias_of else layer


def run_from_layer(
    model: Classifier, layer: Layer, x: torch.Tensor, hidden: tuple[Int64, int] | None = None
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return logits (N, classes) and the maps of every call of the layer, by a private copy.

    `hidden` has the channel to set to zero in each of the N pictures, and the number of the call in which.
    """
    private, maps = isolate(model.module), []

    def record(_probe: Any, _inputs: Any, output: torch.Tensor) -> torch.Tensor | None:
        maps.append(output)
        if hidden is None or len(maps) != hidden[1]:
            return None
        covered = output.clone()
        covered[torch.arange(len(covered)), torch.from_numpy(hidden[0])] = 0
        return covered

    probe_layer(private, layer).register_forward_hook(record)
    with out_of_place():
        return private(x).float(), maps
