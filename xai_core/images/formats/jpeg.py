"""JPEGs without their end mark, with bytes before or behind them, or with missing rows."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
from PIL import Image

from xai_core.formatting import percent
from xai_core.images.formats.headers import UNSUPPORTED, find_format, find_signature

START, END = b"\xff\xd8\xff", b"\xff\xd9"
# Bytes that some cameras and servers put before the start mark.
MAX_JUNK = 512
# Share of the rows that may be missing.
MAX_MISSING = 0.75
# Codes of no picture: where the decoder reads them, rows come out other than where there is nothing to read.
_FILLER = b"\x35\x9a\xc3\x5e\x71\x0d\xe4\x96" * 32
# The next mark behind coded pixels: not a stuffed zero, not a restart.
_MARK = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SCAN, _EOI = 0xDA, 0xD9
# The level that the decoder puts where nothing is left to read.
_FILL = 128


def drop_junk(data: bytes) -> bytes:
    """Return the bytes from the start mark of a JPEG on, where at most MAX_JUNK of no known format lie before it."""
    at = data.find(START, 1, MAX_JUNK + len(START))
    known = find_format(data) or find_signature(data.lstrip(b"\xef\xbb\xbf \r\n\t"), UNSUPPORTED)
    return data[at:] if at > 0 and known is None else data


def ends_in_fill(picture: Image.Image) -> bool:
    """Say if the last row of a decoded JPEG is what the decoder puts where rows are missing."""
    row = np.asarray(picture.crop((0, picture.height - 1, picture.width, picture.height)))
    return picture.mode in ("L", "RGB") and bool((row == _FILL).all())


def close_file(data: bytes) -> bytes:
    """Return the first picture of a JPEG up to the end of its pixels, with an end mark."""
    return data[: _find_end(data)[0]] + END


def describe_missing(data: bytes) -> tuple[float, str | None]:
    """Return the share of rows that a JPEG lacks (0 to 1), and a note where it lacks rows or details."""
    end, scans = _find_end(data)
    if not scans:
        return 1.0, None
    start = _first_difference(data[:end] + END, data[:end] + _FILLER + END)
    if scans > 1:
        coarse = (
            "The end of this JPEG is missing: all of the picture is there, but less sharp or colourful than it was."
        )
        return 0.0, coarse if start < 1 else None
    missing = 1 - start
    note = (
        f"This JPEG was cut off: the lowest {percent(missing)} of the picture is missing and shown as grey."
        if missing
        else None
    )
    return missing, note


def _find_end(data: bytes) -> tuple[int, int]:
    """Return the end of the coded pixels and the number of scans before it."""
    at, end, scans = 2, len(data), 0
    while at + 4 <= len(data) and data[at] == 0xFF:
        mark = data[at + 1]
        if mark == 0xFF:
            at += 1
            continue
        if mark == _EOI:
            return (at if scans else end), scans
        following = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if following > len(data):
            break
        if mark == _SCAN:
            scans += 1
            found = _MARK.search(data, following)
            following = found.start() if found else len(data)
        # What lies between scans belongs to them: of a cut table the decoder would make nothing.
        at = end = following
    return len(data[:end].rstrip(b"\xff")), scans


def _first_difference(first: bytes, second: bytes) -> float:
    """Return the share of rows before the first that two JPEGs of one size do not have in common, 1 for equal ones."""
    rows = [_decode_small(data) for data in (first, second)]
    differ = (rows[0] != rows[1]).reshape(len(rows[0]), -1).any(axis=1)
    return float(differ.argmax()) / len(differ) if differ.any() else 1.0


def _decode_small(data: bytes) -> np.ndarray:
    """Return the picture at an eighth of its size, where every block is one pixel."""
    with Image.open(BytesIO(data), formats=("JPEG",)) as picture:
        picture.draft(None, (max(1, picture.width // 8), max(1, picture.height // 8)))
        return np.asarray(picture)
