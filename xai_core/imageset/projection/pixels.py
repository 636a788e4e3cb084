"""The pictures themselves as rows of numbers, for maps that know nothing of any model."""

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
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.row_arrays import load_array
from xai_core.imageset.rows import iter_blocks
from xai_core.imageset.thumbnails import SIDE

_FULL = "The disk is full, or may not be written to, so no map of pixels can be made. Make room and try again."
_BLOCK = 256


def read_pixels(imageset: ImageSet, side: int = 32, job: Job[Any] | None = None) -> Float32:
    """The thumbnails at side × side pixels, (N, 3·side²) float32 in 0..1, memory-mapped and read-only: rows in the order of the set.

    Made once and kept beside the thumbnails. Raises InvalidParam, InvalidSet (the disk is full, or the set is gone), Cancelled.
    """
    if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= SIDE:
        raise InvalidParam(f"The side must be a whole number from 1 to {SIDE} pixels. Got {str(side)[:60]!r}.")
    file, shape = imageset.folder / f"pixels-{side}.npy", (len(imageset), 3 * side * side)
    kept = _kept(file, shape)
    if kept is None:
        _write(imageset, file, shape, side, job or Job())
        kept = _kept(file, shape)
    if kept is None:
        raise InvalidSet(_FULL)
    return kept


def _kept(file: Path, shape: tuple[int, int]) -> Float32 | None:
    try:
        found = load_array(file, "r")
    except (OSError, ValueError):
        return None
    return found if found.shape == shape and found.dtype == np.float32 else None


def _write(imageset: ImageSet, file: Path, shape: tuple[int, int], side: int, job: Job[Any]) -> None:
    """Written beside and renamed, so that a half-written file is never found."""
    thumbs = imageset.thumbnails()
    job.expect(job.done + len(thumbs))
    try:
        handle, name = tempfile.mkstemp(prefix=".pixels-", dir=file.parent)
        os.close(handle)
    except OSError as error:
        raise InvalidSet(_FULL) from error
    try:
        with open(
            name, "wb"
        ) as out:  # written, not mapped: a full disk is an error then, and not the end of the process
            np.lib.format.write_array_header_1_0(out, {"descr": "<f4", "fortran_order": False, "shape": shape})
            for part in iter_blocks(len(thumbs), _BLOCK, job, len(thumbs)):
                out.write(np.stack([small(each, side) for each in thumbs[part]]).tobytes())
        os.replace(name, file)
    except OSError as error:
        raise InvalidSet(_FULL) from error
    finally:
        with suppress(OSError):
            os.unlink(name)


def small(thumb: UInt8, side: int) -> Float32:
    """One thumbnail (48, 48, 3) as a row, each pixel the mean of the area it stands for."""
    shrunk = Image.fromarray(thumb).resize((side, side), Image.Resampling.BOX)
    values: Float32 = (np.asarray(shrunk, dtype=np.float64).ravel() / 255).astype("<f4")
    return values
