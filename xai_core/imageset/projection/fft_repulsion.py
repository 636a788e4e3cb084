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

from xai_core.arrays import Float32, Float64, Int64

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
    total: Float32
    """Of 1 / (1 + d²), weighted so that its product with the power spectrum sums up to the sum over all pairs; each number twice, for
    the real and the imaginary parts beside each other, (2 · nodes · (2 · nodes + 2),)."""
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
        return cls(
            nodes, spacing, total.astype(np.float32).repeat(2), across.astype(np.complex64), down.astype(np.complex64)
        )


def _weights(place: Float64) -> Float32:
    """Of the four nodes around each place between the second and the third, (n, 4): the cubic B-spline at place + 1, …, place - 2."""
    rest = 1 - place
    square, other = place * place, rest * rest  # a third power is a function of its own, as slow as a logarithm
    inner, outer = (4 - (6 - 3 * place) * square) / 6, (4 - (6 - 3 * rest) * other) / 6
    return np.stack([other * rest / 6, inner, outer, square * place / 6], axis=1, dtype=np.float32, casting="same_kind")


def _bounds(points: Float64) -> tuple[Float64, float]:
    """The lower corner of (n, 2) points, and their larger extent. A column at a time: NumPy takes twenty times as long for both at once."""
    columns = points[:, 0], points[:, 1]
    low = np.array([column.min() for column in columns])
    return low, float(max(column.max() - least for column, least in zip(columns, low, strict=True)))


class Repulsion:
    """Forces between the points of one map; keep it for the whole run."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._kernel: _Kernel | None = None

    def __call__(self, points: Float64) -> tuple[Float64, float]:
        """For each of (n, 2) points the sum of (y - z) / (1 + |y - z|²)² over all others z, (n, 2), and that of 1 / (1 + |y - z|²) over all
        pairs, each counted twice.
        """
        from scipy import fft

        low, extent = _bounds(points)
        kernel = self._fitting(extent)
        nodes, size = kernel.nodes, 2 * kernel.nodes
        index, weights = self._spread(points, low, kernel)
        charges = np.bincount(index.ravel(), weights.ravel(), nodes * nodes).astype(np.float32).reshape(nodes, nodes)
        # Half of the rows are empty, and half of what comes back is not asked for: they are not transformed.
        found = fft.fft(fft.rfft(charges, size, axis=1, workers=self._threads), size, axis=0, workers=self._threads)
        power = np.square(found.view(np.float32).ravel())
        total = float(power @ kernel.total) - len(points)  # each with itself is 1
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

    def _spread(self, points: Float64, low: Float64, kernel: _Kernel) -> tuple[Int64, Float32]:
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

    def __init__(self, threads: int, on_grid: bool) -> None:
        self._repulsion = Repulsion(threads) if on_grid else None
        self._given: dict[str, Any] = {}

    def __call__(self, embedding: Any, P: Any, should_eval_error: bool = False, **given: Any) -> tuple[float, Float64]:  # noqa: N803
        """Zero and a quarter of the gradient, (n, dimensions). Nobody looks at the divergence on the way, and it takes as long."""
        self._given = given
        return 0.0, self._found(embedding, P, False, **given)[1]

    def divergence(self, embedding: Any, P: Any) -> float:  # noqa: N803
        """The divergence in nats. By one thread: openTSNE's add up in the order in which they come to an end."""
        return self._found(embedding, P, True, **{**self._given, "n_jobs": 1})[0]

    def _found(self, embedding: Any, P: Any, divergence: bool, **given: Any) -> tuple[float, Float64]:  # noqa: N803
        from openTSNE import _tsne, tsne  # type: ignore[import-untyped]  # ships no types

        points = np.asarray(embedding)
        if self._repulsion is None or _bounds(points)[1] > SPACINGS[-1] * (MOST_NODES - 2 * _EDGE):
            whole: tuple[float, Float64] = tsne.kl_divergence_bh(embedding, P, should_eval_error=divergence, **given)
            return whole
        forces, total = self._repulsion(points)
        gradient = -forces / total
        neighbours = (P.indices, P.indptr, P.data, points, points, gradient, given["dof"])
        share, found = _tsne.estimate_positive_gradient_nn(
            *neighbours, num_threads=given["n_jobs"], should_eval_error=divergence
        )
        return found + (share * np.log(total) if divergence else 0.0), gradient
