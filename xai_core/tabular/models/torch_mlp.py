"""A small torch network with scikit-learn's interface, so that Captum's gradient methods work on tables too.

Everything random (first weights, order of the rows) comes from one NumPy generator; torch's global one is never read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from xai_core.arrays import Float64, Int64

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCH_ROWS = 64


class _TorchNetwork(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Two hidden layers of ReLUs, trained with Adam. `module_` takes float32 rows, (N, features)."""

    def __init__(self, width: int = 32, epochs: int = 60, learning_rate: float = 5e-3, random_state: int = 0) -> None:
        self.width = width
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _train(self, rows: Float64, targets: torch.Tensor, outputs: int, loss: Any) -> None:
        import torch

        rng = np.random.default_rng(self.random_state)
        inputs = torch.from_numpy(np.array(rows, dtype=np.float32))
        module = _build_module([inputs.shape[1], self.width, self.width, outputs], rng)
        optimiser = torch.optim.Adam(module.parameters(), lr=self.learning_rate, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.epochs)
        for _ in range(self.epochs):
            order = torch.from_numpy(rng.permutation(len(inputs)))
            for batch in order.split(BATCH_ROWS):
                optimiser.zero_grad()
                loss(module(inputs[batch]), targets[batch]).backward()
                optimiser.step()
            schedule.step()
        self.module_ = module.eval().requires_grad_(False)
        self.n_features_in_ = inputs.shape[1]

    def _run_module(self, rows: Float64) -> torch.Tensor:
        """Return the network's outputs, (N, outputs)."""
        import torch

        with torch.no_grad():
            outputs: torch.Tensor = self.module_(torch.from_numpy(np.array(rows, dtype=np.float32)))
            return outputs


class TorchNetworkClassifier(ClassifierMixin, _TorchNetwork):  # type: ignore[misc]
    """`module_` gives one logit a class, (N, classes)."""

    def fit(self, rows: Float64, target: Int64) -> TorchNetworkClassifier:
        import torch

        self.classes_, indices = np.unique(target, return_inverse=True)
        targets = torch.from_numpy(indices.astype(np.int64))
        self._train(rows, targets, len(self.classes_), torch.nn.functional.cross_entropy)
        return self

    def predict_proba(self, rows: Float64) -> Float64:
        """Return probabilities, (N, classes)."""
        probabilities: Float64 = self._run_module(rows).double().softmax(dim=1).numpy()
        return probabilities

    def predict(self, rows: Float64) -> Int64:
        """Return the likeliest class, (N,)."""
        labels: Int64 = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return labels


class TorchNetworkRegressor(RegressorMixin, _TorchNetwork):  # type: ignore[misc]
    """`module_` gives the value in the target's own unit, (N, 1)."""

    def fit(self, rows: Float64, target: Float64) -> TorchNetworkRegressor:
        import torch

        mean, deviation = float(np.mean(target)), float(np.std(target)) or 1.0
        targets = torch.from_numpy(((target - mean) / deviation).astype(np.float32))[:, None]
        self._train(rows, targets, 1, torch.nn.functional.mse_loss)
        # Put the scale of the target into the last layer: gradients then need no second step.
        last: Any = self.module_[-1]
        last.weight.mul_(deviation)
        last.bias.mul_(deviation).add_(mean)
        return self

    def predict(self, rows: Float64) -> Float64:
        """Return values in the target's unit, (N,)."""
        values: Float64 = self._run_module(rows)[:, 0].double().numpy()
        return values


def _build_module(sizes: list[int], rng: np.random.Generator) -> nn.Sequential:
    """Return linear layers with ReLUs between them, He-uniform weights from `rng` and zero biases."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        # Torch's own initialisation would read its global generator.
        layer = torch.nn.utils.skip_init(nn.Linear, inputs, outputs)
        bound = np.sqrt(6 / inputs)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(rng.uniform(-bound, bound, (outputs, inputs))))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
