"""Frames: where each pixel of a moved picture comes from, and maps of the moved picture back on the original one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import affine_transform

from xai_core.arrays import Bool, Float32, Float64, Int64
from xai_core.images.reading import Picture

# Difference from a whole number up to which a place is one: sines of quarter turns are not exactly 0.
_WHOLE = 1e-9


class Frame(Protocol):
    """A movement of the parts of a square picture."""

    @property
    def is_exact(self) -> bool:
        """True if every pixel lands on a pixel, so that nothing is interpolated."""
        ...

    def move(self, picture: Picture) -> Picture:
        """Return the moved picture, of the same size and mode."""
        ...

    def restore(self, values: Float32) -> tuple[Float32, Bool]:
        """Return a map of the moved picture (H, W) in the original frame, and the places that both show, (H, W).

        Elsewhere the map is 0.
        """
        ...


@dataclass(frozen=True, eq=False)
class Affine:
    """Turn, mirror, resize and shift about the middle: pixel q of the moved picture shows `matrix` q + `offset`.

    Places are (row, column). What lies outside the original is its mirror image.
    """

    side: int
    matrix: Float64
    """(2, 2)"""
    offset: Float64
    """(2,), in pixels from the top left one."""

    @staticmethod
    def about_middle(side: int, matrix: npt.ArrayLike, shift: tuple[float, float] = (0.0, 0.0)) -> Affine:
        """Return the movement that shows, at a place p from the middle, what was at `matrix` p + `shift`."""
        rows = np.asarray(matrix, dtype=np.float64)
        whole = rows.round()
        rows = np.where(np.abs(rows - whole) < _WHOLE, whole, rows)
        middle = np.full(2, (side - 1) / 2)
        return Affine(side, rows, middle - rows @ middle + np.asarray(shift))

    @property
    def is_exact(self) -> bool:
        is_permutation = sorted(np.abs(self.matrix).ravel()) == [0, 0, 1, 1] and abs(np.linalg.det(self.matrix)) == 1
        return bool(is_permutation and np.abs(self.offset - self.offset.round()).max() < _WHOLE)

    @cached_property
    def _sources(self) -> Int64:
        """Source of each pixel of an exact movement, (2, H, W); it may lie outside."""
        places = np.indices((self.side, self.side)).reshape(2, -1)
        rounded = np.rint(self.matrix @ places + self.offset[:, None]).astype(np.int64)
        return rounded.reshape(2, self.side, self.side)

    def move(self, picture: Picture) -> Picture:
        pixels = np.asarray(picture)
        if self.is_exact:
            rows, columns = _reflect(self._sources, self.side)
            return Image.fromarray(pixels[rows, columns])
        # Far enough for the farthest place that is shown.
        corners = np.array([[0, 0, 1, 1], [0, 1, 0, 1]]) * (self.side - 1)
        reach = np.abs(self.matrix @ corners + self.offset[:, None] - (self.side - 1) / 2).max()
        edge = max(0, math.ceil(reach - (self.side - 1) / 2)) + 2
        wide = Image.fromarray(np.pad(pixels, [(edge, edge)] * 2 + [(0, 0)] * (pixels.ndim - 2), mode="reflect"))
        return wide.transform(picture.size, Image.Transform.AFFINE, self._coefficients(edge), Image.Resampling.BICUBIC)

    def _coefficients(self, edge: int) -> tuple[float, ...]:
        """Return Pillow's numbers of this movement, for corners of pixels and x before y."""
        down, across = self.matrix
        # Pillow reckons from corners of pixels, half a pixel before their middles.
        row, column = self.offset + edge + 0.5 - self.matrix @ np.full(2, 0.5)
        return (across[1], across[0], column, down[1], down[0], row)

    def restore(self, values: Float32) -> tuple[Float32, Bool]:
        if self.is_exact:
            rows, columns = self._sources
            visible = ((self._sources >= 0) & (self._sources < self.side)).all(axis=0)
            restored, is_shown = np.zeros_like(values), np.zeros(values.shape, dtype=np.bool_)
            restored[rows[visible], columns[visible]] = values[visible]
            is_shown[rows[visible], columns[visible]] = True
            return restored, is_shown
        # Where a place of the original lies on the moved picture.
        inverse = np.linalg.inv(self.matrix)
        start = -inverse @ self.offset
        places = inverse @ np.indices(values.shape).reshape(2, -1) + start[:, None]
        inside: Bool = (places.min(axis=0) >= 0) & (places.max(axis=0) <= self.side - 1)
        common = inside.reshape(values.shape)
        moved: Float32 = affine_transform(values.astype(np.float64), inverse, start, order=1, mode="nearest")
        return np.where(common, moved, 0).astype(np.float32), common


@dataclass(frozen=True, eq=False)
class Cells:
    """Square cells that change places; a rim that is no multiple of the cells' number stays."""

    side: int
    cells: int
    """Cells per side."""
    order: Int64
    """Number of the cell that is shown at each place, (cells²,)."""

    is_exact = True

    @cached_property
    def _sources(self) -> Int64:
        """Source of each pixel, (2, H, W)."""
        cell = self.side // self.cells
        sources = np.indices((self.side, self.side))
        covered = self.cells * cell
        inner = sources[:, :covered, :covered]
        number = self.order[inner[0] // cell * self.cells + inner[1] // cell]
        sources[:, :covered, :covered] = np.stack(np.divmod(number, self.cells)) * cell + inner % cell
        return sources.astype(np.int64)

    def move(self, picture: Picture) -> Picture:
        rows, columns = self._sources
        return Image.fromarray(np.asarray(picture)[rows, columns])

    def restore(self, values: Float32) -> tuple[Float32, Bool]:
        restored = np.empty_like(values)
        rows, columns = self._sources
        restored[rows, columns] = values
        return restored, np.ones(values.shape, dtype=np.bool_)


def _reflect(places: npt.NDArray[Any], side: int) -> Int64:
    """Return places mirrored at the first and the last pixel, 0 to side - 1."""
    period = max(2 * (side - 1), 1)
    folded = np.abs(places) % period
    mirrored: Int64 = np.minimum(folded, period - folded)
    return mirrored
