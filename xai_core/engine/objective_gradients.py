"""Gradients of any number made of logits, by pictures: compiled where that is ready and right, else in plain torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from xai_core.engine import cores
from xai_core.engine.backends.compiled_gradients import CompiledGradients
from xai_core.engine.backends.gradients import count_gradients
from xai_core.engine.input_gradients import GradientEngine
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER, Task
from xai_core.errors import Cancelled, XaiError
from xai_core.models.isolation import out_of_place

Objective = Callable[[torch.Tensor], torch.Tensor]
"""Logits (n, classes) to one number a picture, (n,)."""


@dataclass(eq=False)
class ObjectiveGradients(GradientEngine):
    """Gradients of objectives for one request."""

    job: Job[Any]

    def compute(self, inputs: torch.Tensor, objectives: Sequence[Objective]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the objective (N,) of each prepared picture (N, C, H, W), and its gradient by the picture."""
        if self.engine is not None:
            try:
                return self._run_in_engine(self.engine, inputs, objectives)
            except Cancelled:
                raise
            except XaiError:
                self.drop_engine()
        return self._run_in_torch(inputs, objectives)

    def _run_in_engine(
        self, compiled: CompiledGradients, inputs: torch.Tensor, objectives: Sequence[Objective]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Differentiate the objectives by the logits here, and the sums of logits so weighted in the engine."""
        answers = [self.forward(part, self.job) for part in inputs.split(self.forward.micro_batch)]
        with torch.enable_grad():
            logits = torch.cat(answers).detach().requires_grad_(True)
            rows = zip(logits.split(1), objectives, strict=True)
            values = torch.cat([objective(row) for row, objective in rows])
            (weights,) = torch.autograd.grad(values.sum(), logits)
        # The graph weighs logits linearly, so any objective is one pass with its own slopes as weights.
        parts = compiled.split(inputs)
        shares = weights.split([len(part) for part in parts])
        tasks = [compiled.submit(part, share, self.job) for part, share in zip(parts, shares, strict=True)]
        return values.detach(), compiled.unpack(torch.cat(wait_for_all(tasks)), inputs.shape)[1]

    def _run_in_torch(self, inputs: torch.Tensor, objectives: Sequence[Objective]) -> tuple[torch.Tensor, torch.Tensor]:
        module = self._module
        count_gradients(self.model, len(inputs))

        def differentiate(picture: torch.Tensor, objective: Objective) -> tuple[torch.Tensor, torch.Tensor]:
            own = picture.detach().clone(memory_format=torch.channels_last).requires_grad_(True)
            # Always as many cores: with others the last bits differ, and so the signs of tiny gradients.
            with out_of_place(), torch.enable_grad(), cores.limit(cores.CORES_PER_WORKER):
                values = objective(module(own))
                (gradients,) = torch.autograd.grad(values.sum(), own)
            return values.detach(), gradients

        # One picture a task: in a batch the last bits would depend on the machine's number of workers.
        tasks = [
            SCHEDULER.submit_work(partial(differentiate, picture, objective), self.job)
            for picture, objective in zip(inputs.split(1), objectives, strict=True)
        ]
        values, gradients = zip(*wait_for_all(tasks), strict=True)
        return torch.cat(values), torch.cat(gradients)


def wait_for_all(tasks: Sequence[Task[Any]]) -> list[Any]:
    """Return the results in order; where one fails or the job is cancelled, the rest is taken back."""
    try:
        return [task.wait() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
