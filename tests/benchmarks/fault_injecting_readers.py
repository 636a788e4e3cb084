"""Readers with a planted fault, for tests/benchmarks/test_fuzz.py.

In a file of their own, because each read starts a fresh process that imports it.
"""

from __future__ import annotations

import sys
import time
import warnings

from PIL import Image

from benchmarks.fuzz import tables, zips
from xai_core.errors import InvalidImage
from xai_core.images import read_image


def refuse_all(data: bytes) -> Image.Image:
    raise InvalidImage(f"No. Got {len(data)} bytes.")


def raise_value_error(data: bytes) -> Image.Image:
    raise ValueError("not enough image data")


def take_memory(data: bytes) -> Image.Image:
    held = b"x" * 100_000_000
    raise InvalidImage(f"After all that: no. {len(held)}")


def take_time(data: bytes) -> Image.Image:
    begin = time.process_time()
    while time.process_time() - begin < 0.15:
        pass
    return refuse_all(data)


def hang(data: bytes) -> Image.Image:
    time.sleep(60)
    return refuse_all(data)


def kill_itself(data: bytes) -> Image.Image:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
    return refuse_all(data)


def emit_warning(data: bytes) -> Image.Image:
    warnings.warn("Truncated File Read", stacklevel=2)
    return read_image(data)


def print_remark(data: bytes) -> Image.Image:
    sys.stderr.write("a library's remark")
    return read_image(data)


def read_grey(data: bytes) -> Image.Image:
    return read_image(data).convert("L")


def read_upside_down(data: bytes) -> Image.Image:
    return read_image(data).transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def read_one_pixel_less(data: bytes) -> Image.Image:
    picture = read_image(data)
    return picture.crop((0, 0, picture.width - 1, picture.height))


def keep_metadata(data: bytes) -> Image.Image:
    picture = read_image(data)
    picture.info["gps"] = "home"
    return picture


def accept_all(data: bytes) -> Image.Image:
    return Image.new("RGB", (64, 64))


def read_no_numbers(data: bytes) -> list[float]:
    return []


def read_other_numbers(data: bytes) -> list[float]:
    return [number + 1e-6 for number in tables.read(data)]


def lose_a_picture(data: bytes) -> int:
    return zips.read(data) - 1
