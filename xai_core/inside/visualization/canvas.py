"""Canvas whose numbers an optimizer of torch moves: what parametrizations share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Optimizer = Callable[[list[torch.Tensor]], torch.optim.Optimizer]


class OptimizedCanvas:
    """Parameters, the pictures `draw` makes of them, and an optimizer."""

    def __init__(
        self, parameters: Sequence[torch.Tensor], draw: Callable[..., torch.Tensor], optimizer: Optimizer
    ) -> None:
        self.parameters = [parameter.requires_grad_(True) for parameter in parameters]
        self._draw = draw
        self._optimizer = optimizer(self.parameters)

    def render(self) -> torch.Tensor:
        """Return the pictures, (P, C, H, W) in 0..1."""
        return self._draw(*self.parameters)

    def update(self, gradient: torch.Tensor) -> None:
        """Carry the pictures' gradient on to the parameters and take a step up."""
        with torch.enable_grad():
            pictures = self.render()
        gradients = torch.autograd.grad(pictures, self.parameters, -gradient)
        for parameter, part in zip(self.parameters, gradients, strict=True):
            parameter.grad = part
        self._optimizer.step()
