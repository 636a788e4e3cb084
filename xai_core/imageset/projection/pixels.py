"""Pixels of the pictures as rows of numbers, for maps that know nothing of any model."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from xai_core.arrays import Float32, UInt8
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, InvalidSet
from xai_core.imageset import thumbnails
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.row_arrays import load_array
from xai_core.imageset.rows import iter_blocks

_FULL = "The disk is full, or may not be written to, so no map of pixels can be made. Make room and try again."
_BLOCK = 256


def read_pixels(dataset: ImageSet, side: int = 32, job: Job[Any] | None = None) -> Float32:
    """Return the thumbnails at side × side pixels, (N, 3·side²) in 0..1, memory-mapped and read-only.

    Made once and kept beside the thumbnails. Raises InvalidParam, InvalidSet (the disk is full, or the set is gone),
    Cancelled.
    """
    largest = thumbnails.SIDE
    if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= largest:
        raise InvalidParam(f"The side must be a whole number from 1 to {largest} pixels. Got {str(side)[:60]!r}.")
    file, shape = dataset.folder / f"pixels-{side}.npy", (len(dataset), 3 * side * side)
    pixels = _load(file, shape)
    if pixels is None:
        _write(dataset, file, shape, side, job or Job())
        pixels = _load(file, shape)
    if pixels is None:
        raise InvalidSet(_FULL)
    return pixels


def _load(file: Path, shape: tuple[int, int]) -> Float32 | None:
    try:
        array = load_array(file, "r")
    except (OSError, ValueError):
        return None
    return array if array.shape == shape and array.dtype == np.float32 else None


def _write(dataset: ImageSet, file: Path, shape: tuple[int, int], side: int, job: Job[Any]) -> None:
    """Write beside and rename, so that a half-written file is never found."""
    images = dataset.thumbnails()
    job.expect(job.done + len(images))
    try:
        handle, name = tempfile.mkstemp(prefix=".pixels-", dir=file.parent)
        os.close(handle)
    except OSError as error:
        raise InvalidSet(_FULL) from error
    try:
        # Written, not mapped: a full disk is an error then, and not the end of the process.
        with open(name, "wb") as out:
            np.lib.format.write_array_header_1_0(out, {"descr": "<f4", "fortran_order": False, "shape": shape})
            for block in iter_blocks(len(images), _BLOCK, job, len(images)):
                out.write(np.stack([pixel_row(image, side) for image in images[block]]).tobytes())
        os.replace(name, file)
    except OSError as error:
        raise InvalidSet(_FULL) from error
    finally:
        with suppress(OSError):
            os.unlink(name)


def pixel_row(thumbnail: UInt8, side: int) -> Float32:
    """Return one thumbnail (48, 48, 3) as a row (3·side²,), each pixel the mean of the area it stands for.

    >>> pixel_row(np.full((48, 48, 3), 255, dtype=np.uint8), 1).tolist()
    [1.0, 1.0, 1.0]
    """
    small = Image.fromarray(thumbnail).resize((side, side), Image.Resampling.BOX)
    values: Float32 = (np.asarray(small, dtype=np.float64).ravel() / 255).astype("<f4")
    return values
