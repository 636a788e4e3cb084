"""Integrated Gradients for a row of a table (Sundararajan et al. 2017, arXiv:1703.01365), on networks of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xai_core.tabular.data.row_encoder import MAX_BATCH_CELLS, MAX_BATCH_ROWS
from xai_core.tabular.row.method import RawContributions, RowRequest
from xai_core.tabular.row.network import TOLERANCE, Network, register_network_method

if TYPE_CHECKING:
    import torch

MIN_STEPS, MAX_STEPS = 64, 512


def run(request: RowRequest) -> RawContributions:
    """Return the share of each feature in score - base, by the gradients on straight paths from the starts."""
    network, steps = Network(request), MIN_STEPS
    base, change = network.base, request.score - network.base
    while True:
        request.job.expect(request.job.done + steps * len(network.x))
        values = network.sum_by_feature(_integrate(network, steps, request.job.tick))
        gap = abs(float(values.sum()) - change)
        if gap <= TOLERANCE * max(abs(change), request.min_change) or steps >= MAX_STEPS:
            details = {"steps": float(steps), "background_rows": float(len(network.starts))}
            return RawContributions(values, base, details=details)
        # The sum misses the change: try again with more points.
        steps = min(4 * steps, MAX_STEPS)


def _integrate(network: Network, steps: int, tick: Callable[[int], None]) -> torch.Tensor:
    """Return the mean gradient over evenly spaced points of each path, times the path, (starts, columns).

    A network of rectifiers bends at once where a rule for smooth functions expects that it does not: on the tables
    built in, points of Gauss and Legendre miss two to four times as much, and shifting each path's points wins nothing.
    """
    import torch

    path, total = network.x - network.starts, torch.zeros_like(network.starts)
    # Midpoints of equal intervals.
    positions = (torch.arange(steps, dtype=path.dtype) + 0.5) / steps
    # Several points at once: a call costs more than its rows.
    for part in positions.split(max(1, min(MAX_BATCH_ROWS, MAX_BATCH_CELLS // path.shape[1]) // len(path))):
        points = (network.starts + path * part[:, None, None]).requires_grad_(True)
        with torch.enable_grad():
            (gradients,) = torch.autograd.grad(network.score(points.flatten(0, 1)).sum(), points)
        total += gradients.sum(dim=0)
        tick(len(part) * len(path))
    return total * path / steps


register_network_method(
    "integrated_gradients",
    run,
    title="Shares along the way",
    technical="Integrated Gradients",
    rank=30,
    caution="On the way from another row to this one it asks the network about mixtures of the two, "
    "which may not exist.",
    paper="Sundararajan et al. 2017, arXiv:1703.01365",
)
