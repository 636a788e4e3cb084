"""Many small pictures in a few large ones: sheets of tiles that a browser fetches as it needs them, not one file a picture."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image

ACROSS = 16
"""Tiles in a row and in a column of a full sheet: 256 pictures weigh some 100 kB, so the first one pointed at comes soon."""
_QUALITY = 82


@dataclass(frozen=True, eq=False)
class Thumbs:
    """Which small pictures of a set are wanted. `pictures` is (N, side, side, 3) uint8, `rows` (n,) says which of them, in order.

    `name` stands for the content of `pictures` (the id of the set): sheets are told apart by it and by `rows`, so that the
    pictures, which may lie on disk, are read only when a sheet is made.
    """

    name: str
    pictures: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.integer]

    @cached_property
    def key(self) -> str:
        """A hash of what the sheets will show."""
        rows = np.ascontiguousarray(self.rows, dtype=np.int64)
        return hashlib.sha256(b"%s\0%d\0" % (self.name.encode(), self.side) + rows.tobytes()).hexdigest()[:32]

    @property
    def side(self) -> int:
        """Pixels of a side of one tile."""
        return int(self.pictures.shape[1])


def thumbs_of(pictures: npt.NDArray[np.uint8]) -> Thumbs:
    """The same for pictures that all stand on the map and have no name: they are named by their bytes, which reads all of them."""
    name = hashlib.sha256(np.ascontiguousarray(pictures).data).hexdigest()
    return Thumbs(name, pictures, np.arange(len(pictures)))


def sheets(thumbs: Thumbs) -> tuple[bytes, ...]:
    """JPEG sheets of 16 × 16 tiles, row by row in the order of `rows`; the last has as many rows as it needs.

    A tile's side should be a multiple of 8, the block of a JPEG: then no tile shows a trace of the one beside it.
    """
    return tuple(_jpeg(sheet) for sheet in _laid_out(thumbs))


def _laid_out(thumbs: Thumbs) -> Iterator[npt.NDArray[np.uint8]]:
    side, each = thumbs.side, ACROSS * ACROSS
    for start in range(0, len(thumbs.rows), each):
        rows = thumbs.rows[start : start + each]
        down = -(-len(rows) // ACROSS)
        tiles = np.zeros((down * ACROSS, side, side, 3), dtype=np.uint8)
        tiles[: len(rows)] = thumbs.pictures[rows]
        yield tiles.reshape(down, ACROSS, side, side, 3).swapaxes(1, 2).reshape(down * side, ACROSS * side, 3)


def _jpeg(sheet: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()
