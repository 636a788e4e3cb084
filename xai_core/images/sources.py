"""Bytes of a picture from a path, from memory or from an open file; never more than MAX_BYTES of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from xai_core.errors import InvalidImage
from xai_core.images.limits import ALLOWED, MAX_BYTES, too_heavy

Source = str | os.PathLike[str] | bytes | BinaryIO


def read_bytes(source: object) -> bytes:
    """Return the bytes of a source, at least one. Raises InvalidImage."""
    data = _read_any(source)
    if not data:
        raise InvalidImage(f"This file is empty (0 bytes). Choose another one. {ALLOWED}")
    return data


def _read_any(source: object) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        if memoryview(source).nbytes > MAX_BYTES:
            raise too_heavy(memoryview(source).nbytes)
        return bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return _read_file(Path(os.fsdecode(source)))
    if callable(getattr(source, "read", None)):
        return _read_stream(source)  # type: ignore[arg-type]
    raise InvalidImage(f"A picture is given as a file name, as bytes or as an open file. Got {type(source).__name__}.")


def _read_file(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InvalidImage(
                f"This is a folder, not a picture: {path.name[:80]!r}. Choose one picture file in it. {ALLOWED}"
            )
        if not path.is_file():
            raise InvalidImage(
                f"There is no picture file called {path.name[:80]!r} there. Check the name and the folder."
            )
        if (size := path.stat().st_size) > MAX_BYTES:
            raise too_heavy(size)
        with path.open("rb") as stream:
            return _read_stream(stream)
    except (OSError, ValueError) as error:
        raise InvalidImage(
            f"The file {path.name[:80]!r} could not be opened. Check the name and that you may read it."
        ) from error


def _read_stream(stream: BinaryIO) -> bytes:
    """Return at most MAX_BYTES from the start of a stream: an upload is read again each time its page is drawn."""
    parts: list[bytes] = []
    left = MAX_BYTES + 1
    try:
        if stream.seekable():
            stream.seek(0)
        while left > 0 and (part := stream.read(left)):
            parts.append(part)
            left -= len(part)
        data = b"".join(parts)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidImage(
            "The file could not be read to its end. Open it in binary mode, or choose it once more."
        ) from error
    if len(data) > MAX_BYTES:
        raise too_heavy(None)
    return data
