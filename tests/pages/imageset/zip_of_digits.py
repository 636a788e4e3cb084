"""A small picture set as somebody may bring it: a few digits in folders, a broken file, names that try to be markup."""

from __future__ import annotations

import io
import zipfile

from PIL import Image

from xai_core.imageset import load_set

ROWS = tuple(range(40))
"""Rows of the digits: the first pictures of scikit-learn's set, each digit several times."""
HOSTILE = "<img src=x onerror=alert(1)> **bold** [a](https:b.example).png"


def encode_png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def build_zip(*, folders: bool = True, rows: tuple[int, ...] = ROWS, broken: bool = True) -> bytes:
    """Return digits as a zip, with or without a folder for each, a broken file, and one with a hostile name."""
    digits = load_set("digits")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for row in rows:
            label = digits.classes[digits.labels[row]]
            out.writestr(f"{label}/{row:03}.png" if folders else f"{row:03}.png", encode_png(digits.open(row)))
        if broken:
            out.writestr("3/torn.png" if folders else "torn.png", b"\x89PNG\r\n\x1a\n torn")
            out.writestr(f"3/{HOSTILE}" if folders else HOSTILE, encode_png(digits.open(3)))
    return file.getvalue()
