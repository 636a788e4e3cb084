"""Repulsion between all points of a t-SNE map, summed on a grid instead of pair by pair (Linderman et al. 2019).

The kernel is interpolated by cubic splines between the nodes, in the source and in the target, so that the sum over all
pairs is one convolution: one Fourier transform of real numbers forth and two back. OpenTSNE's own grid takes ten of
complex numbers, ten times as long for 5,000 points, and its tree twice as long (measured); the forces are as exact as
the tree's. The kernel's transform is kept while the grid stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float32, Float64, Int64

# Between nodes, of which the finest is used whose grid is small. The kernel 1 / (1 + d²) is about two units wide.
SPACINGS = (0.1, 0.2, 0.4)
SMALL_GRID = 160
# Along one side: what is wider is left to the tree.
MAX_NODES = 1_536
# Grids grow by so many nodes, so that the kernel is seldom built anew.
_STEP = 32
# Nodes left free around the points, for the splines' reach.
_MARGIN = 5


@dataclass(frozen=True, eq=False)
class _Kernel:
    """Transforms (2 · nodes, nodes + 1) of the kernel on a grid twice as wide, to multiply the points' one."""

    nodes: int
    spacing: float
    potential: Float32
    """Of 1 / (1 + d²), weighted so that its product with the power spectrum sums up to the sum over all pairs; each
    number twice, for the real and the imaginary parts beside each other, (2 · nodes · (2 · nodes + 2),)."""
    force_x: npt.NDArray[np.complex64]
    """Of dx / (1 + d²)²."""
    force_y: npt.NDArray[np.complex64]
    """Of dy / (1 + d²)²."""

    @classmethod
    def build(cls, nodes: int, spacing: float) -> _Kernel:
        from scipy import fft

        size = 2 * nodes
        # Signed distances in the order of the transform: 0, 1, …, nodes - 1, -nodes, …, -1 steps.
        offsets = fft.fftfreq(size, 1 / size) * spacing
        denominator = 1 + offsets[:, None] ** 2 + offsets[None] ** 2
        # Divide by the spline's own transform, once for the source and once for the target.
        spline = (2 + np.cos(2 * np.pi * fft.fftfreq(size))) / 3
        sharpening = 1 / (spline[:, None] * spline[None, : nodes + 1]) ** 2
        # Count the half of the spectrum that a real transform leaves out.
        multiplicity = np.full(nodes + 1, 2.0)
        multiplicity[[0, -1]] = 1
        force_x = fft.rfft2(offsets[:, None] / denominator**2) * sharpening
        force_y = fft.rfft2(offsets[None] / denominator**2) * sharpening
        potential = fft.rfft2(1 / denominator).real * sharpening * multiplicity / size**2
        return cls(
            nodes,
            spacing,
            potential.astype(np.float32).repeat(2),
            force_x.astype(np.complex64),
            force_y.astype(np.complex64),
        )


def _spline_weights(offset: Float64) -> Float32:
    """Return the cubic B-spline weights of the four nodes around each point, (n, 4), by its offset from the second."""
    rest = 1 - offset
    # A third power is a function of its own, as slow as a logarithm.
    square, rest_square = offset * offset, rest * rest
    second, third = (4 - (6 - 3 * offset) * square) / 6, (4 - (6 - 3 * rest) * rest_square) / 6
    weights = [rest_square * rest / 6, second, third, square * offset / 6]
    return np.stack(weights, axis=1, dtype=np.float32, casting="same_kind")


def _bounds(points: Float64) -> tuple[Float64, float]:
    """Return the lower corner of (n, 2) points, and their larger extent."""
    # A column at a time: NumPy takes twenty times as long for both at once.
    columns = points[:, 0], points[:, 1]
    low = np.array([column.min() for column in columns])
    return low, float(max(column.max() - least for column, least in zip(columns, low, strict=True)))


class Repulsion:
    """Repulsive forces between the points of one map; keep it for the whole run."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._kernel: _Kernel | None = None

    def __call__(self, points: Float64) -> tuple[Float64, float]:
        """Return the force on each of (n, 2) points, (n, 2), and the normalization Z.

        The force on y is the sum of (y - z) / (1 + |y - z|²)² over all others z; Z that of 1 / (1 + |y - z|²) over all
        pairs, each counted twice.
        """
        from scipy import fft

        low, extent = _bounds(points)
        kernel = self._choose_kernel(extent)
        nodes, size = kernel.nodes, 2 * kernel.nodes
        # Spread the points over the grid with cubic B-spline weights.
        index, weights = self._spread_points(points, low, kernel)
        charges = np.bincount(index.ravel(), weights.ravel(), nodes * nodes).astype(np.float32).reshape(nodes, nodes)
        # Transform the charges; half of the rows are empty and are left out.
        rows = fft.rfft(charges, size, axis=1, workers=self._threads)
        spectrum = fft.fft(rows, size, axis=0, workers=self._threads)
        # Sum the potential over all pairs in the spectrum (Parseval); each point with itself is 1.
        power = np.square(spectrum.view(np.float32).ravel())
        total = float(power @ kernel.potential) - len(points)
        forces = np.empty_like(points)
        for axis, kernel_force in enumerate((kernel.force_x, kernel.force_y)):
            # Convolve, transforming back only the half of the grid that is needed.
            rows = fft.ifft(spectrum * kernel_force, axis=0, workers=self._threads, overwrite_x=True)[:nodes]
            field = fft.irfft(rows, size, axis=1, workers=self._threads)[:, :nodes]
            # Interpolate the field at the points with the same weights.
            node_values = field.ravel().take(index)
            forces[:, axis] = np.einsum("nk,nk->n", node_values, weights)
        return forces, total

    def _choose_kernel(self, extent: float) -> _Kernel:
        """Return the kernel of the finest small grid that the points fit on."""
        spacing = next((fine for fine in SPACINGS if extent / fine <= SMALL_GRID), SPACINGS[-1])
        # Round up to whole steps, so that a slowly growing map keeps its kernel.
        nodes = -int(-(extent / spacing + 2 * _MARGIN) // _STEP) * _STEP
        if self._kernel is None or (self._kernel.nodes, self._kernel.spacing) != (nodes, spacing):
            self._kernel = _Kernel.build(nodes, spacing)
        return self._kernel

    def _spread_points(self, points: Float64, low: Float64, kernel: _Kernel) -> tuple[Int64, Float32]:
        """Return the sixteen nodes around each point, flat numbers on the grid, and their weights, (n, 16) each."""
        position = (points - low) / kernel.spacing + _MARGIN
        node = np.floor(position).astype(np.int64)
        weights_x, weights_y = (_spline_weights(position[:, axis] - node[:, axis]) for axis in (0, 1))
        # The spline reaches four nodes along each axis: one before the point's own node, two after it.
        reach = np.arange(-1, 3)
        index = (node[:, :1] + reach)[:, :, None] * kernel.nodes + (node[:, 1:] + reach)[:, None]
        weights = weights_x[:, :, None] * weights_y[:, None]
        return index.reshape(-1, 16), weights.reshape(-1, 16)


class Gradient:
    """Gradient of t-SNE's loss in openTSNE's form: `Repulsion` from all points, openTSNE's own pull to neighbours."""

    def __init__(self, threads: int, on_grid: bool) -> None:
        self._repulsion = Repulsion(threads) if on_grid else None
        self._options: dict[str, Any] = {}

    def __call__(
        self,
        embedding: Any,
        P: Any,  # noqa: N803
        should_eval_error: bool = False,
        **options: Any,
    ) -> tuple[float, Float64]:
        """Return zero and a quarter of the gradient, (n, dimensions). The loss is slow and not needed here."""
        self._options = options
        return 0.0, self._compute(embedding, P, False, **options)[1]

    def divergence(self, embedding: Any, P: Any) -> float:  # noqa: N803
        """Return the divergence in nats."""
        # By one thread: openTSNE's add up in the order in which they end.
        return self._compute(embedding, P, True, **{**self._options, "n_jobs": 1})[0]

    def _compute(self, embedding: Any, P: Any, with_loss: bool, **options: Any) -> tuple[float, Float64]:  # noqa: N803
        from openTSNE import _tsne, tsne  # type: ignore[import-untyped]  # ships no types

        points = np.asarray(embedding)
        # Without a grid, or on a map wider than the largest one, sum over the tree.
        if self._repulsion is None or _bounds(points)[1] > SPACINGS[-1] * (MAX_NODES - 2 * _MARGIN):
            by_tree: tuple[float, Float64] = tsne.kl_divergence_bh(embedding, P, should_eval_error=with_loss, **options)
            return by_tree
        forces, total = self._repulsion(points)
        # Store the repulsive part; openTSNE adds the attractive one in place.
        gradient = -forces / total
        neighbours = (P.indices, P.indptr, P.data, points, points, gradient, options["dof"])
        share, loss = _tsne.estimate_positive_gradient_nn(
            *neighbours, num_threads=options["n_jobs"], should_eval_error=with_loss
        )
        # The normalization enters the loss of each pair as log Z, weighted by its affinity.
        return loss + (share * np.log(total) if with_loss else 0.0), gradient
