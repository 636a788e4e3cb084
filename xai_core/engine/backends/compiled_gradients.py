"""Gradients of a network compiled by OpenVINO: by pictures, for batches of known sizes, and by the maps of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import ref

import torch

from xai_core.engine.backends.forward import Forward
from xai_core.engine.backends.gradient_runs import build_run, build_sound_run
from xai_core.engine.backends.network import Run
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import GRADIENT_COST, SCHEDULER, Task
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer
from xai_core.results import Target

# Pictures in one batch: as quick a picture as eight, and rounds of eight points keep two workers busy.
BATCH = 4
# The same for pictures of another side than the network's own: the four views of one step keep two workers busy.
VIEW_BATCH = 2


def weigh_classes(target: Target, classes: int) -> torch.Tensor:
    """Return the weight of each class in the explained score, (classes,)."""
    first, second = target if isinstance(target, tuple) else (target, None)
    weights = torch.zeros(classes)
    weights[first] = 1
    if second is not None:
        weights[second] = -1
    return weights


def _pack(pictures: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return pictures (n, C, H, W) and the weights of the classes as rows for a run."""
    return torch.cat([pictures.detach().flatten(1), weights.expand(len(pictures), -1)], dim=1)


@dataclass(eq=False)
class CompiledGradients:
    """Gradients of one model for single pictures and for batches of `batch.micro_batch`.

    Which of both a picture goes through depends on its own request alone, never on what others ask at the time.
    """

    classes: int
    single: Forward
    batch: Forward

    def split(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Split pictures (N, C, H, W) into full batches; a small rest goes one by one, a large one fills a batch."""
        parts = list(pictures.split(self.batch.micro_batch))
        if len(parts[-1]) <= self.batch.micro_batch // 2:
            parts[-1:] = parts[-1].split(1)
        return parts

    def submit(self, pictures: torch.Tensor, weights: torch.Tensor, job: Job[Any] | None = None) -> Task[torch.Tensor]:
        """Queue a part of `split`; the result goes to `unpack`. `weights`: of the classes in the score, (classes,)."""
        forward = self.single if len(pictures) == 1 else self.batch
        return SCHEDULER.submit(forward, _pack(pictures, weights), job, GRADIENT_COST)

    def unpack(self, rows: torch.Tensor, shape: torch.Size) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (n, classes) and gradients (n, *shape[1:])."""
        return rows[:, : self.classes], rows[:, self.classes :].view(-1, *shape[1:])


@dataclass(eq=False)
class CompiledLayerGradients:
    """Maps of one layer for a picture, and gradients by them."""

    classes: int
    layer: Layer
    single: Forward

    def compute(self, x: torch.Tensor, target: Target, job: Job[Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the maps (C, rows, columns) for a picture (1, C, H, W), and the score's gradients by them."""
        rows = SCHEDULER.submit(self.single, _pack(x, weigh_classes(target, self.classes)), job, GRADIENT_COST).wait()
        maps, gradients = rows[0, self.classes :].view(2, -1, *self.layer.grid)
        return maps, gradients


def build_gradients(model: Classifier, side: int) -> CompiledGradients | str:
    """Build and check the compiled gradients of a model by pictures of a side; a sentence with the reason where they
    cannot be used. For another side than the network's own, single pictures go in batches too.

    Raises RuntimeError, ValueError, TypeError, NotImplementedError or ImportError where tracing or compiling fails.
    """
    forwards = []
    for size in (1, BATCH) if side == model.side else (VIEW_BATCH,):
        run = build_sound_run(model if side == model.side else model.at_side(side), size)
        if isinstance(run, str):
            return run
        forwards.append(_make_forward(model, run, size, side=side))
    return CompiledGradients(len(model.labels), forwards[0], forwards[-1])


def build_layer_gradients(model: Classifier, layer: Layer) -> CompiledLayerGradients | str:
    """Build and check the compiled gradients by a layer's maps, as `build_gradients` does."""
    run = build_sound_run(model, 1, layer)
    return (
        run
        if isinstance(run, str)
        else CompiledLayerGradients(len(model.labels), layer, _make_forward(model, run, 1, layer))
    )


def _make_forward(
    model: Classifier, run: Run, size: int, layer: Layer | None = None, side: int | None = None
) -> Forward:
    make = partial(_build_again, ref(model), size, layer, side or model.side)
    return Forward(run, "openvino", make, micro_batch=size)


def _build_again(reference: ref[Classifier], size: int, layer: Layer | None, side: int) -> Run:
    model = reference()
    if model is None:
        raise RuntimeError("the model has been dropped")
    return build_run(model if side == model.side else model.at_side(side), size, layer)
