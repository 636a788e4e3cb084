"""Sheets of small pictures that a browser fetches as it needs them, instead of one file a picture."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from xai_core.arrays import Int, UInt8

# Tiles in a row and in a column of a full sheet: 256 pictures weigh some 100 kB, so the first arrives quickly.
ACROSS = 16
_QUALITY = 82


@dataclass(frozen=True, eq=False)
class Thumbs:
    """Small pictures of a set: `pictures` (N, side, side, 3) uint8, of which `rows` (n,) are drawn, in order.

    `name` stands for the content of `pictures` (the id of the set): sheets are told apart by it and by `rows`, so that
    the pictures, which may lie on disk, are read only when a sheet is drawn.
    """

    name: str
    pictures: UInt8
    rows: Int

    @cached_property
    def key(self) -> str:
        """Hash of the content of the sheets."""
        rows = np.ascontiguousarray(self.rows, dtype=np.int64)
        return hashlib.sha256(b"%s\0%d\0" % (self.name.encode(), self.side) + rows.tobytes()).hexdigest()[:32]

    @property
    def side(self) -> int:
        """Side of a tile in pixels."""
        return int(self.pictures.shape[1])


def name_thumbs(pictures: UInt8) -> Thumbs:
    """Return Thumbs of all given pictures, named by a hash of their bytes."""
    name = hashlib.sha256(np.ascontiguousarray(pictures).data).hexdigest()
    return Thumbs(name, pictures, np.arange(len(pictures)))


def draw_sheets(thumbs: Thumbs) -> tuple[bytes, ...]:
    """Return JPEG sheets of 16 × 16 tiles, row by row in the order of `rows`; the last has as many rows as it needs.

    A tile's side should be a multiple of 8, the block of a JPEG: then no tile shows a trace of the one beside it.
    """
    return tuple(encode_jpeg(sheet) for sheet in iter_sheets(thumbs))


def iter_sheets(thumbs: Thumbs) -> Iterator[UInt8]:
    side, per_sheet = thumbs.side, ACROSS * ACROSS
    for start in range(0, len(thumbs.rows), per_sheet):
        rows = thumbs.rows[start : start + per_sheet]
        down = -(-len(rows) // ACROSS)
        tiles = np.zeros((down * ACROSS, side, side, 3), dtype=np.uint8)
        tiles[: len(rows)] = thumbs.pictures[rows]
        yield tiles.reshape(down, ACROSS, side, side, 3).swapaxes(1, 2).reshape(down * side, ACROSS * side, 3)


def encode_jpeg(sheet: UInt8) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()
