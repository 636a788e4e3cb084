"""read_image on small files that would last long or grow large, as `make fuzz` found them; the other refusals are
beside this file.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from tests.images.test_images_refused import encode, png_chunk, refuse, resident, rgb, tiff
from xai_core.images import image_sha256, read_image


def gif(screen: int, *blocks: bytes) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + bytes(6) + b"".join(blocks) + b";"


def with_scans(number: int, side: int) -> bytes:
    """A progressive JPEG of this size whose last scan comes so many times."""
    data = bytearray(encode(rgb(), "JPEG", progressive=True))
    at = data.index(b"\xff\xc2") + 5
    data[at : at + 4] = struct.pack(">HH", side, side)
    last = bytes(data[data.rindex(b"\xff\xda") : -2])
    return bytes(data[:-2]) + last * number + b"\xff\xd9"


def drips() -> Iterator[tuple[str, bytes]]:
    """Files of very many pieces, each a matter of seconds or minutes for Pillow."""
    png = encode(rgb(), "PNG")
    yield "png chunks", png[:33] + png_chunk(b"teSt", b"") * 200_000 + png[33:]
    yield "gif noise", gif(64, bytes(3_000_000))
    yield "gif blocks", gif(64, b"!\xfe" + b"\x01x" * 1_000_000 + b"\0")
    yield "jpeg noise", b"\xff\xd8\xff\xe0\0\4ab" + bytes(3_000_000)
    yield "jpeg scans", with_scans(5000, 5000)
    rows = {256: (4, 64), 257: (4, 64), 258: (3, 8), 259: (3, 1), 262: (3, 1), 277: (3, 1), 278: (4, 1)}
    many = tiff({**rows, 273: (4, 8)}, struct.pack("<I", 8) * 400_000)
    at = many.rindex(struct.pack("<HHI", 273, 4, 1))
    yield "tiff strips", many[:at] + struct.pack("<HHI", 273, 4, 400_000) + many[at + 8 :]
    yield "tiff tags", tiff(dict.fromkeys(range(30_000), (3, 1)))
    yield "bigtiff tags", b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**62) + bytes(3_000_000)


@pytest.mark.parametrize(("name", "data"), list(drips()), ids=[name for name, _ in drips()])
def test_a_file_of_very_many_pieces_is_refused_soon(name: str, data: bytes) -> None:
    begin = time.thread_time()
    assert "so many small pieces" in refuse(data)
    assert time.thread_time() - begin < 0.5


def test_as_many_scans_as_encoders_make_are_read() -> None:
    assert read_image(encode(rgb(), "JPEG", progressive=True)).size == (64, 48)
    assert read_image(with_scans(10, 5000)).size == (1024, 1024)


@pytest.mark.parametrize("dispose", [0, 2, 3])
def test_a_gif_frame_beyond_its_screen_is_no_way_around_the_limit(dispose: int) -> None:
    def move_offset(left: int, side: int) -> bytes:
        return (
            b"!\xf9\x04"
            + bytes([dispose << 2, 0, 0, 0, 0])
            + b","
            + struct.pack("<HHHHB", left, 0, side, side, 0)
            + b"\x08\x02\0\1\0"
        )

    before = resident()
    assert "Got 12,000 × 12,000 pixels" in refuse(gif(64, move_offset(0, 12_000)))
    assert "50 million" in refuse(gif(64, b"\0\0", b"!\xfe\x03abc\0", move_offset(9_000, 9_000)))
    assert resident() - before < 50e6
    assert "Got" not in refuse(gif(64, move_offset(0, 64))), "this one is only broken"


def test_texts_in_a_png_are_not_unpacked() -> None:
    text = b"".join(png_chunk(b"zTXt", b"k%d\0\0" % number + zlib.compress(bytes(1_000_000))) for number in range(60))
    data = encode(rgb(), "PNG")
    tracemalloc.start()
    assert image_sha256(read_image(data[:33] + text + data[33:])) == image_sha256(read_image(data))
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_a_tile_may_be_larger_than_the_picture_but_not_by_any_amount() -> None:
    def tile_tiff(side: int) -> bytes:
        packed = zlib.compress(bytes(side * side))
        sizes = {256: (4, 64), 257: (4, 64), 258: (3, 8), 259: (3, 8), 262: (3, 1), 277: (3, 1)}
        return tiff({**sizes, 322: (4, side), 323: (4, side), 324: (4, 8), 325: (4, len(packed))}, packed)

    assert read_image(tile_tiff(512)).size == (64, 64)
    assert "damaged" in refuse(tile_tiff(5008))


def test_nothing_is_said_on_stderr() -> None:
    """In a process of its own: pytest sets the filters of warnings anew for each test."""
    # A warning, then a log line.
    broken = tiff({256: (4, 64), 257: (4, 64), 262: (3, 1), 277: (4, 2**31 - 1), 322: (5, 2**31)})
    read = (
        f"from xai_core.images import read_image\ntry: read_image({broken!r})\n"
        "except Exception as error: print(type(error).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("InvalidImage", "")
