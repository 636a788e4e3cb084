"""Readers with a planted fault, for tests/benchmarks/test_fuzz.py.

In a file of their own, because each file they read starts a fresh process.
"""

from __future__ import annotations

import sys
import time
import warnings

from PIL import Image

from xai_core.errors import InvalidImage
from xai_core.images import read_image


def refuses_all(data: bytes) -> Image.Image:
    raise InvalidImage(f"No. Got {len(data)} bytes.")


def raises(data: bytes) -> Image.Image:
    raise ValueError("not enough image data")


def takes_memory(data: bytes) -> Image.Image:
    held = b"x" * 100_000_000
    raise InvalidImage(f"After all that: no. {len(held)}")


def takes_time(data: bytes) -> Image.Image:
    begin = time.process_time()
    while time.process_time() - begin < 0.15:
        pass
    return refuses_all(data)


def never_ends(data: bytes) -> Image.Image:
    time.sleep(60)
    return refuses_all(data)


def dies(data: bytes) -> Image.Image:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
    return refuses_all(data)


def warns(data: bytes) -> Image.Image:
    warnings.warn("Truncated File Read", stacklevel=2)
    return read_image(data)


def prints(data: bytes) -> Image.Image:
    sys.stderr.write("a library's remark")
    return read_image(data)


def reads_grey(data: bytes) -> Image.Image:
    return read_image(data).convert("L")


def reads_upside_down(data: bytes) -> Image.Image:
    return read_image(data).transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def reads_one_pixel_less(data: bytes) -> Image.Image:
    picture = read_image(data)
    return picture.crop((0, 0, picture.width - 1, picture.height))


def keeps_metadata(data: bytes) -> Image.Image:
    picture = read_image(data)
    picture.info["gps"] = "home"
    return picture


def accepts_all(data: bytes) -> Image.Image:
    return Image.new("RGB", (64, 64))
