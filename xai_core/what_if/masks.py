"""Painted masks as text: short in a link, and as run lengths between the browser and the server."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence

import numpy as np

from xai_core.arrays import Bool
from xai_core.errors import InvalidParam

MAX_SIDE = 2048
# Letters of a mask in a link; what is longer is no mask of a brush.
MAX_LETTERS = 20_000
_BROKEN = "The painted part in this link is damaged, so nothing is painted. Paint it again, or copy the whole link."


def encode_mask(mask: Bool) -> str:
    """Return a square mask (side, side) as letters that a link may hold; "" where nothing is painted.

    Each row is written as its difference from the one above, packed: a rectangle takes about 30 letters.

    >>> encode_mask(np.zeros((28, 28), dtype=bool))
    ''
    """
    if not mask.any():
        return ""
    rows = np.asarray(mask, dtype=bool).copy()
    rows[1:] ^= mask[:-1]
    packed = base64.urlsafe_b64encode(zlib.compress(np.packbits(rows).tobytes(), 9)).decode("ascii").rstrip("=")
    return f"{len(mask)}.{packed}"


def decode_mask(text: str) -> Bool | None:
    """Return the mask (side, side) of `encode_mask`; None for "".

    Raises:
        InvalidParam: the text is no mask.

    >>> mask = np.eye(28, dtype=bool)
    >>> bool((decode_mask(encode_mask(mask)) == mask).all())
    True
    """
    if not text:
        return None
    size, _, packed = text.partition(".")
    side = int(size) if size.isascii() and size.isdigit() and len(size) < 5 else 0
    if not 1 <= side <= MAX_SIDE or len(text) > MAX_LETTERS:
        raise InvalidParam(_BROKEN)
    bytes_expected = -(-side * side // 8)
    try:
        compressed = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        # One byte more than expected shows that it is too long, and no more is unpacked.
        content = zlib.decompressobj().decompress(compressed, bytes_expected + 1)
    except (binascii.Error, ValueError, zlib.error) as problem:
        raise InvalidParam(_BROKEN) from problem
    if len(content) != bytes_expected:
        raise InvalidParam(_BROKEN)
    rows = np.unpackbits(np.frombuffer(content, dtype=np.uint8), count=side * side).reshape(side, side)
    mask: Bool = np.bitwise_xor.accumulate(rows, axis=0).astype(bool)
    return mask


def runs_of(mask: Bool) -> list[int]:
    """Return the lengths of the runs of a mask, row by row, first those that are not painted (0 where there are none).

    >>> runs_of(np.array([[False, True], [True, False]]))
    [1, 2, 1]
    """
    flat = np.asarray(mask, dtype=bool).ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return [0, *runs] if flat[0] else runs


def mask_of_runs(runs: object, side: int) -> Bool:
    """Return the mask (side, side) of `runs_of`.

    Raises:
        InvalidParam: the runs are not those of a mask of this size.

    >>> mask_of_runs([1, 2, 1], 2).tolist()
    [[False, True], [True, False]]
    """
    lengths = list(runs) if isinstance(runs, Sequence) else []
    if not all(type(run) is int and run >= 0 for run in lengths) or sum(lengths) != side * side:
        raise InvalidParam(
            f"What is painted does not fit this model's picture of {side} × {side} pixels. Clear it and paint again."
        )
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(side, side)
