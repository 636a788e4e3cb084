"""Input gradients of one request: by the compiled network where it is ready and right, else in plain torch."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import torch
from torch import nn

from xai_core.engine import cores
from xai_core.engine.backends.compiled_gradients import CompiledGradients, weigh_classes
from xai_core.engine.backends.folding import folded_network_for
from xai_core.engine.backends.forward import Forward
from xai_core.engine.backends.gradients import count_gradients, drop_gradients, ready_gradients
from xai_core.engine.halving import run_in_halves
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER, Task
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.results import Target
from xai_core.rules import RectifierRule

log = logging.getLogger(__name__)

FAILED = "Compiled gradients failed, so plain torch goes on."
# Scores (n,) and input gradients (n, C, H, W) of a batch.
Gradients = tuple[torch.Tensor, torch.Tensor]


def select_score(logits: torch.Tensor, target: Target) -> torch.Tensor:
    """Return the target's score in each row of logits (N, classes), as (N,): its logit, or the difference of a pair's
    logits.
    """
    if isinstance(target, tuple):
        return logits[:, target[0]] - logits[:, target[1]]
    return logits[:, target]


@dataclass(eq=False)
class GradientEngine:
    """One request keeps the engine it begins with, though the model's compiled gradients may come or go meanwhile."""

    model: Classifier
    forward: Forward

    @cached_property
    def engine(self) -> CompiledGradients | None:
        return ready_gradients(self.model)

    @cached_property
    def _module(self) -> nn.Module:
        """A private copy with folded norms: nobody hooks its layers."""
        return isolate(folded_network_for(self.model))

    def drop_engine(self) -> None:
        """Go on in plain torch after a failure, which is logged, and so will every later request."""
        log.exception(FAILED)
        self.engine = None
        drop_gradients(self.model)


@dataclass(eq=False)
class InputGradients(GradientEngine):
    """Gradients of one target's score."""

    target: Target
    backends: set[str] = field(default_factory=set)
    """Engines that gradients came from: "openvino", "torch"."""

    def submit_to_engine(
        self, compiled: CompiledGradients, parts: Iterable[torch.Tensor], job: Job[Any]
    ) -> Iterator[Task[torch.Tensor]]:
        """Queue parts of `compiled.split`; `unpack` reads the results."""
        weights = weigh_classes(self.target, compiled.classes)
        for part in parts:
            yield compiled.submit(part, weights, job)

    def unpack(self, compiled: CompiledGradients, rows: torch.Tensor, shape: torch.Size) -> Gradients:
        logits, gradients = compiled.unpack(rows, shape)
        self.backends.add("openvino")
        return select_score(logits, self.target), gradients

    def split(self, pictures: torch.Tensor) -> Sequence[torch.Tensor]:
        """Split pictures (N, C, H, W) into parts for plain torch: few of them are spread over all workers."""
        parts: Sequence[torch.Tensor] = pictures.split(
            min(self.forward.gradient_batch, -(-len(pictures) // cores.WORKERS))
        )
        return parts

    def submit_eager(
        self, parts: Iterable[torch.Tensor], rule: RectifierRule | None, job: Job[Any]
    ) -> Iterator[Task[Gradients]]:
        """Queue parts of `split` for plain torch, with a backward rule if given."""
        # Made once, before several workers ask for it.
        module = self._module

        def differentiate(part: torch.Tensor) -> Gradients:
            own = part.detach().clone(memory_format=torch.channels_last).requires_grad_(True)
            with out_of_place(), torch.enable_grad(), rule or nullcontext():
                scores = select_score(module(own), self.target)
                (gradients,) = torch.autograd.grad(scores.sum(), own)
            return scores.detach(), gradients

        def differentiate_in_halves(part: torch.Tensor) -> Gradients:
            return run_in_halves(differentiate, part, _join, self.forward.reduce_gradient_batch)

        for part in parts:
            if rule is None:
                self.backends.add("torch")
                count_gradients(self.model, len(part))
            yield SCHEDULER.submit_work(partial(differentiate_in_halves, part), job, len(part))


def _join(parts: list[Gradients]) -> Gradients:
    scores, gradients = zip(*parts, strict=True)
    return torch.cat(scores), torch.cat(gradients)
