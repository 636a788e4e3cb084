"""A network up to the layers that an objective reads: values of many pictures, and their gradients by the pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from queue import SimpleQueue
from typing import NamedTuple

import torch

from xai_core.engine import cores
from xai_core.inside.visualization.layer_reader import (
    SIDE_STEP,
    LayerReader,
    count_calls,
    network_for,
    takes_other_sizes,
)
from xai_core.inside.visualization.terms import Term
from xai_core.inside.visualization.views import Views
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import out_of_place
from xai_core.rules import Redirected

# Takes the objective (n,) and the pooled features (n, F) of views; gives what shall grow, (n,).
Push = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class ViewGradients(NamedTuple):
    """Objective (n,) of some views, the gradient by the pictures (P, C, H, W), and the views' features (n, F)."""

    values: torch.Tensor
    gradient: torch.Tensor
    features: torch.Tensor


class UnitNetwork:
    """The network as far as some terms need it; may be asked by several threads at once."""

    def __init__(self, model: Classifier, terms: Sequence[Term], feature_layer: str | None = None) -> None:
        """`feature_layer`: a layer whose pooled maps are wanted as well."""
        self.model, self.terms, self._feature_layer = model, terms, feature_layer
        names = {term.layer.name for term in terms if term.layer is not None}
        names |= {feature_layer} if feature_layer is not None else set()
        network = network_for(model, names)
        calls = count_calls(network, names, model.zero_input)
        needs_logits = not names or any(term.layer is None for term in terms)
        self._readers: SimpleQueue[LayerReader] = SimpleQueue()
        for _ in range(cores.WORKERS + 1):
            self._readers.put(LayerReader(network, calls, needs_logits))
        self._mean, self._std = model.preprocessing.mean_and_std(model.zero_input)

    def view_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size, near this one, at which views are shown; the network's own where it takes no other."""
        if not takes_other_sizes(self.model):
            return self.model.side, self.model.side
        return max(round(height / SIDE_STEP), 1) * SIDE_STEP, max(round(width / SIDE_STEP), 1) * SIDE_STEP

    def values(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the objective (N,) of prepared pictures (N, C, H, W)."""
        with torch.no_grad(), out_of_place(), cores.limit(cores.CORES_PER_WORKER):
            return self._measure(inputs)[0]

    def gradients(self, pictures: torch.Tensor, views: Views, push: Push, redirect: bool) -> ViewGradients:
        """Return the objective of views, and the gradient by the pictures (P, C, H, W) of what `push` makes of it.

        `redirect` revives dead rectifiers.
        """
        # One number of cores always: with another, sums would be rounded differently.
        with out_of_place(), torch.enable_grad(), cores.limit(cores.CORES_PER_WORKER):
            own = pictures.detach().clone().requires_grad_(True)
            inputs = (views.show(own).to(self.model.device) - self._mean) / self._std
            with Redirected() if redirect else nullcontext():
                values, features = self._measure(inputs.contiguous(memory_format=torch.channels_last))
                (gradient,) = torch.autograd.grad(push(values, features).sum(), own)
        return ViewGradients(values.detach().cpu(), gradient, features.detach().cpu())

    def _measure(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        reader = self._readers.get()
        try:
            logits, maps = reader.read(inputs)
        finally:
            self._readers.put(reader)
        values = torch.zeros(len(inputs), device=inputs.device)
        for term in self.terms:
            if term.layer is not None:
                maps_read = maps[term.layer.name]
                outputs = maps_read.before if term.objective.before_rectifier else maps_read.after
                values = values + term.value(term.layer.to_maps(outputs))
            elif logits is not None:
                values = values + term.value(logits)
        if self._feature_layer is None:
            return values, values[:, None]
        return values, self.model.layer(self._feature_layer).to_maps(maps[self._feature_layer].after).mean((2, 3))
