"""JPEGs without their end mark, with bytes before or behind them, or with missing rows."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile as OpenedFile

from xai_core.arrays import UInt8
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
_COARSE = "The end of this JPEG is missing: all of the picture is there, but less sharp or colourful than it was."
# The level that the decoder puts where nothing is left to read.
_FILL = 128


def drop_junk(data: bytes) -> bytes:
    """Return the bytes from the start mark of a JPEG on, where at most MAX_JUNK of no known format lie before it."""
    at = data.find(START, 1, MAX_JUNK + len(START))
    known = find_format(data) or find_signature(data.lstrip(b"\xef\xbb\xbf \r\n\t"), UNSUPPORTED)
    return data[at:] if at > 0 and known is None else data


def may_lack_rows(picture: OpenedFile, data: bytes) -> bool:
    """Say if a decoded JPEG ends in what the decoder puts for missing rows, or has not all of its scans."""
    row = np.asarray(picture.crop((0, picture.height - 1, picture.width, picture.height)))
    fill = (_FILL - 1, _FILL) if picture.mode == "CMYK" else (_FILL,)
    if np.isin(row, fill).all():
        return True
    return "progressive" in picture.info and _lacks_scans(_read_scans(data)[1])


def close_file(data: bytes) -> bytes:
    """Return the first picture of a JPEG up to the end of its pixels, with an end mark."""
    return data[: _read_scans(data)[0]] + END


def describe_missing(data: bytes) -> tuple[float, str | None]:
    """Return the share of rows that a JPEG lacks (0 to 1), and a note where it lacks rows or details."""
    end, scans = _read_scans(data)
    if not scans:
        return 1.0, None
    start = _first_difference(data[:end] + END, data[:end] + _FILLER + END, scale=8 if len(scans) == 1 else 2)
    if len(scans) > 1:
        return 0.0, _COARSE if start < 1 or _lacks_scans(scans) else None
    note = f"This JPEG was cut off: the lowest {percent(1 - start)} of the picture is missing and shown as grey."
    return 1 - start, note if start < 1 else None


def _read_scans(data: bytes) -> tuple[int, list[bytes]]:
    """Return the end of the coded pixels of the first picture, and the headers of the scans before it."""
    scans: list[bytes] = []
    at, end = 2, len(data)
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
            scans.append(data[at + 4 : following])
            following_mark = _MARK.search(data, following)
            following = following_mark.start() if following_mark else len(data)
        # What lies between scans belongs to them: of a cut table the decoder would make nothing.
        at = end = following
    return len(data[:end].rstrip(b"\xff")), scans


def _lacks_scans(scans: list[bytes]) -> bool:
    """Say if any coefficient of any component of a progressive JPEG never gets its last bit (ITU-T T.81, G.1)."""
    needed: set[tuple[int, int]] = set()
    complete: set[tuple[int, int]] = set()
    for scan in scans:
        # A count, two bytes a component, then the band of coefficients and the bits before and after this scan.
        if len(scan) < 4:
            return True
        first, last, bits = scan[-3:]
        components = scan[1:-3:2]
        needed |= {(component, coefficient) for component in components for coefficient in range(64)}
        if bits & 15 == 0:
            complete |= {(component, at) for component in components for at in range(first, last + 1)}
    return not needed <= complete


def _first_difference(first: bytes, second: bytes, scale: int) -> float:
    """Return the share of rows before the first that two JPEGs of one size do not have in common, 1 for equal ones."""
    rows = [_decode_small(data, scale) for data in (first, second)]
    differ = (rows[0] != rows[1]).reshape(len(rows[0]), -1).any(axis=1)
    return float(differ.argmax()) / len(differ) if differ.any() else 1.0


def _decode_small(data: bytes, scale: int) -> UInt8:
    """Return the picture at a half or an eighth of its size; at an eighth every block is one pixel."""
    with Image.open(BytesIO(data), formats=("JPEG",)) as picture:
        picture.draft(None, (max(1, picture.width // scale), max(1, picture.height // scale)))
        return np.asarray(picture)
