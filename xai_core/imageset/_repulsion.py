"""How much all points of a t-SNE map push each other away, summed on a grid instead of pair by pair (Linderman et al. 2019).

The kernel is interpolated by cubic splines between the nodes, in the source and in the target, so that the sum over all pairs is one
convolution: one Fourier transform of real numbers forth and two back. OpenTSNE's own grid takes ten of complex numbers, ten times as
long for 5,000 points, and its tree twice as long (measured); the forces are as exact as the tree's. The kernel's transform is kept
while the grid stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.results import Floats

Doubles = npt.NDArray[np.float64]
SPACINGS = (0.1, 0.2, 0.4)
"""Between nodes, of which the finest is used whose grid is small. The kernel 1 / (1 + d²) is about two units wide."""
SMALL_GRID = 160
MOST_NODES = 1_536
"""Along one side: what is wider than that is left to the tree."""
_STEP = 32
"""Grids grow by so many nodes, so that the kernel is seldom made anew."""
_EDGE = 5
"""Nodes left free around the points, for the splines' reach."""


@dataclass(frozen=True, eq=False)
class _Kernel:
    """Transforms (2 · nodes, nodes + 1) of the kernel on a grid twice as wide, ready to be multiplied with that of the spread points."""

    nodes: int
    spacing: float
    total: Floats
    """Of 1 / (1 + d²), weighted so that its product with the power spectrum sums up to the sum over all pairs."""
    across: npt.NDArray[np.complex64]
    """Of dx / (1 + d²)²."""
    down: npt.NDArray[np.complex64]
    """Of dy / (1 + d²)²."""

    @classmethod
    def of(cls, nodes: int, spacing: float) -> _Kernel:
        from scipy import fft

        size = 2 * nodes
        line = fft.fftfreq(size, 1 / size) * spacing  # 0, 1, …, nodes - 1, -nodes, …, -1 steps
        far = 1 + line[:, None] ** 2 + line[None] ** 2
        # The spline through the kernel's values, once for the source and once for the target.
        spline = (2 + np.cos(2 * np.pi * fft.fftfreq(size))) / 3
        sharpened = 1 / (spline[:, None] * spline[None, : nodes + 1]) ** 2
        twice = np.full(nodes + 1, 2.0)  # the half of the spectrum that a real transform leaves out
        twice[[0, -1]] = 1
        across = fft.rfft2(line[:, None] / far**2) * sharpened
        down = fft.rfft2(line[None] / far**2) * sharpened
        total = fft.rfft2(1 / far).real * sharpened * twice / size**2
        return cls(nodes, spacing, total.astype(np.float32), across.astype(np.complex64), down.astype(np.complex64))


def _weights(place: Doubles) -> Floats:
    """Of the four nodes around each place between the second and the third, (n, 4): the cubic B-spline at place + 1, …, place - 2."""
    rest = 1 - place
    inner, outer = (4 - 6 * place**2 + 3 * place**3) / 6, (4 - 6 * rest**2 + 3 * rest**3) / 6
    return np.stack([rest**3 / 6, inner, outer, place**3 / 6], axis=1).astype(np.float32)


class Repulsion:
    """Forces between the points of one map; keep it for the whole run."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._kernel: _Kernel | None = None

    def __call__(self, points: Doubles) -> tuple[Doubles, float]:
        """For each of (n, 2) points the sum of (y - z) / (1 + |y - z|²)² over all others z, (n, 2), and that of 1 / (1 + |y - z|²) over all
        pairs, each counted twice.
        """
        from scipy import fft

        low = points.min(axis=0)
        kernel = self._fitting(float(np.ptp(points, axis=0).max()))
        nodes, size = kernel.nodes, 2 * kernel.nodes
        index, weights = self._spread(points, low, kernel)
        charges = np.bincount(index.ravel(), weights.ravel(), nodes * nodes).astype(np.float32).reshape(nodes, nodes)
        # Half of the rows are empty, and half of what comes back is not asked for: they are not transformed.
        found = fft.fft(fft.rfft(charges, size, axis=1, workers=self._threads), size, axis=0, workers=self._threads)
        power = found.real**2 + found.imag**2
        total = float((power * kernel.total).sum(dtype=np.float64)) - len(points)  # each with itself is 1
        forces = np.empty_like(points)
        for axis, pull in enumerate((kernel.across, kernel.down)):
            rows = fft.ifft(found * pull, axis=0, workers=self._threads, overwrite_x=True)[:nodes]
            field = fft.irfft(rows, size, axis=1, workers=self._threads)[:, :nodes]
            near = field.ravel().take(index)
            forces[:, axis] = np.einsum("nk,nk->n", near, weights)
        return forces, total

    def _fitting(self, extent: float) -> _Kernel:
        """The kernel of a grid that the points fit on."""
        spacing = next((fine for fine in SPACINGS if extent / fine <= SMALL_GRID), SPACINGS[-1])
        nodes = -int(-(extent / spacing + 2 * _EDGE) // _STEP) * _STEP
        if self._kernel is None or (self._kernel.nodes, self._kernel.spacing) != (nodes, spacing):
            self._kernel = _Kernel.of(nodes, spacing)
        return self._kernel

    def _spread(self, points: Doubles, low: Doubles, kernel: _Kernel) -> tuple[npt.NDArray[np.int64], Floats]:
        """The sixteen nodes around each point, as places in the flattened grid, and their weights, (n, 16) each."""
        where = (points - low) / kernel.spacing + _EDGE
        first = np.floor(where).astype(np.int64)
        across, down = (_weights(where[:, axis] - first[:, axis]) for axis in (0, 1))
        reach = np.arange(-1, 3)
        index = (first[:, :1] + reach)[:, :, None] * kernel.nodes + (first[:, 1:] + reach)[:, None]
        weights = across[:, :, None] * down[:, None]
        return index.reshape(-1, 16), weights.reshape(-1, 16)


class Gradient:
    """The gradient of t-SNE's divergence as openTSNE asks for it: `Repulsion` away from all, openTSNE's own pull to the neighbours."""

    def __init__(self, threads: int) -> None:
        self._repulsion = Repulsion(threads)

    def __call__(self, embedding: Any, P: Any, should_eval_error: bool = False, **given: Any) -> tuple[float, Doubles]:  # noqa: N803
        """The divergence in nats, where it is asked for, and a quarter of its gradient, (n, 2)."""
        from openTSNE import _tsne, tsne  # type: ignore[import-untyped]  # ships no types

        points = np.asarray(embedding)
        if np.ptp(points, axis=0).max() > SPACINGS[-1] * (MOST_NODES - 2 * _EDGE):
            whole: tuple[float, Doubles] = tsne.kl_divergence_bh(embedding, P, should_eval_error=should_eval_error, **given)
            return whole
        forces, total = self._repulsion(points)
        gradient = -forces / total
        neighbours = (P.indices, P.indptr, P.data, points, points, gradient, given["dof"])
        share, divergence = _tsne.estimate_positive_gradient_nn(
            *neighbours, num_threads=given["n_jobs"], should_eval_error=should_eval_error
        )
        return divergence + (share * np.log(total) if should_eval_error else 0.0), gradient
