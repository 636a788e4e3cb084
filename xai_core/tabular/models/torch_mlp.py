"""A small torch network with scikit-learn's manners, so that Captum's gradient methods work on tables too.

Everything random (first weights, order of the rows) comes from one NumPy generator; torch's global one is never read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

if TYPE_CHECKING:
    import torch
    from torch import nn

Doubles = npt.NDArray[np.float64]
BATCH = 64


class _TorchNetwork(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Two hidden layers of ReLUs, trained with Adam. `module_` takes float32 rows, (N, features)."""

    def __init__(self, width: int = 32, epochs: int = 60, learning_rate: float = 5e-3, random_state: int = 0) -> None:
        self.width = width
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _train(self, rows: Doubles, wanted: torch.Tensor, outputs: int, loss: Any) -> None:
        import torch

        rng = np.random.default_rng(self.random_state)
        inputs = torch.from_numpy(np.array(rows, dtype=np.float32))
        module = _initialised([inputs.shape[1], self.width, self.width, outputs], rng)
        optimiser = torch.optim.Adam(module.parameters(), lr=self.learning_rate, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.epochs)
        for _ in range(self.epochs):
            order = torch.from_numpy(rng.permutation(len(inputs)))
            for batch in order.split(BATCH):
                optimiser.zero_grad()
                loss(module(inputs[batch]), wanted[batch]).backward()
                optimiser.step()
            schedule.step()
        self.module_ = module.eval().requires_grad_(False)
        self.n_features_in_ = inputs.shape[1]

    def _outputs(self, rows: Doubles) -> torch.Tensor:
        """(N, outputs)."""
        import torch

        with torch.no_grad():
            found: torch.Tensor = self.module_(torch.from_numpy(np.array(rows, dtype=np.float32)))
            return found


class TorchNetworkClassifier(ClassifierMixin, _TorchNetwork):  # type: ignore[misc]
    """`module_` gives one logit a class, (N, classes)."""

    def fit(self, rows: Doubles, target: npt.NDArray[np.int64]) -> TorchNetworkClassifier:
        import torch

        self.classes_, wanted = np.unique(target, return_inverse=True)
        self._train(
            rows, torch.from_numpy(wanted.astype(np.int64)), len(self.classes_), torch.nn.functional.cross_entropy
        )
        return self

    def predict_proba(self, rows: Doubles) -> Doubles:
        """Probabilities, (N, classes)."""
        found: Doubles = self._outputs(rows).double().softmax(dim=1).numpy()
        return found

    def predict(self, rows: Doubles) -> npt.NDArray[np.int64]:
        likeliest: npt.NDArray[np.int64] = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return likeliest


class TorchNetworkRegressor(RegressorMixin, _TorchNetwork):  # type: ignore[misc]
    """`module_` gives the value in the target's own unit, (N, 1)."""

    def fit(self, rows: Doubles, target: Doubles) -> TorchNetworkRegressor:
        import torch

        middle, spread = float(np.mean(target)), float(np.std(target)) or 1.0
        wanted = torch.from_numpy(((target - middle) / spread).astype(np.float32))[:, None]
        self._train(rows, wanted, 1, torch.nn.functional.mse_loss)
        last: Any = self.module_[-1]
        last.weight.mul_(spread)  # the network itself speaks the target's unit: gradients need no second step
        last.bias.mul_(spread).add_(middle)
        return self

    def predict(self, rows: Doubles) -> Doubles:
        """Values in the target's unit, (N,)."""
        found: Doubles = self._outputs(rows)[:, 0].double().numpy()
        return found


def _initialised(sizes: list[int], rng: np.random.Generator) -> nn.Sequential:
    """Linear layers with ReLUs between them, He-uniform weights from `rng` and zero biases."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for many, few in pairwise(sizes):
        layer = torch.nn.utils.skip_init(nn.Linear, many, few)
        bound = np.sqrt(6 / many)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(rng.uniform(-bound, bound, (few, many))))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
