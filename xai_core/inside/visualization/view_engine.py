"""Gradients of views by the evaluator's compiled gradients, for sums of class logits once these are ready.

A sum has the same slopes for every picture, so one pass gives its value and its gradient. Everything else is read by
`UnitNetwork` in plain torch: a graph for each layer would take longer to build than most of its pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from xai_core.engine import cores
from xai_core.engine.backends.compiled_gradients import CompiledGradients
from xai_core.engine.backends.gradients import count_gradients, drop_gradients, ready_gradients
from xai_core.engine.jobs import Job
from xai_core.engine.objective_gradients import wait_for_all
from xai_core.errors import Cancelled, XaiError
from xai_core.inside.visualization.layer_reader import view_side
from xai_core.inside.visualization.terms import Term
from xai_core.inside.visualization.unit_network import ViewGradients
from xai_core.inside.visualization.views import Views
from xai_core.models.classifier import Classifier


@dataclass(eq=False)
class ViewEngine:
    """Compiled gradients of one optimization by square views of a side; it keeps what it finds at its first use."""

    model: Classifier
    terms: Sequence[Term]
    side: int

    @cached_property
    def engine(self) -> CompiledGradients | None:
        return ready_gradients(self.model, self.side)

    def count(self, views: int) -> None:
        """Count views differentiated in plain torch that this engine could take; many start its building."""
        count_gradients(self.model, views, self.side)

    def differentiate(self, pictures: torch.Tensor, views: Views, sign: int, job: Job[Any]) -> ViewGradients | None:
        """Return the gradient by the pictures of the sum with this sign; None where there is no engine, or it fails.

        Raises Cancelled.
        """
        if self.engine is None:
            return None
        # One number of cores always: with another, sums would be rounded differently.
        with torch.enable_grad(), cores.limit(cores.CORES_PER_WORKER):
            own = pictures.detach().clone().requires_grad_(True)
            mean, std = self.model.preprocessing.mean_and_std(own)
            inputs = (views.show(own) - mean) / std
        try:
            parts = self.engine.split(inputs)
            tasks = [self.engine.submit(part, sign * self._slopes, job) for part in parts]
            logits, slopes = self.engine.unpack(torch.cat(wait_for_all(tasks)), inputs.shape)
        except Cancelled:
            raise
        except XaiError:
            drop_gradients(self.model, self.side)
            self.engine = None
            return None
        with cores.limit(cores.CORES_PER_WORKER):
            (gradient,) = torch.autograd.grad(inputs, own, slopes)
        values = logits @ self._slopes
        return ViewGradients(values, gradient, values[:, None])

    @cached_property
    def _slopes(self) -> torch.Tensor:
        """Slope of the sum by each logit, (classes,)."""
        with torch.enable_grad():
            logits = torch.zeros(1, len(self.model.labels), requires_grad=True)
            total = torch.stack([term.value(logits) for term in self.terms]).sum()
        (slopes,) = torch.autograd.grad(total, logits)
        return slopes[0]


def can_compile(model: Classifier, terms: Sequence[Term], height: int, width: int) -> bool:
    """Return whether an engine may serve terms and views of this size: sums of logits, and the two sides in use."""
    is_usual = height == width and height in (model.side, view_side(model))
    return is_usual and all(term.objective.is_linear for term in terms)
