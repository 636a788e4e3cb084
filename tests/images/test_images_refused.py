"""read_image on everything else: refused in plain words, at once, in little memory; damaged files of every kind are
survived.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from tests.images.picture_files import png_chunk, refuse
from xai_core import images
from xai_core.errors import InvalidImage
from xai_core.images import image_sha256, limits, read_image

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow remarks on damaged metadata


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.copy().save(out, kind, **options)  # a copy, because Pillow leaves encoder settings on what it saves
    return out.getvalue()


def rgb() -> Image.Image:
    y, x = np.mgrid[0:48, 0:64]
    return Image.fromarray(np.stack([4 * x, 5 * y, x + 2 * y], axis=2).astype(np.uint8))


def tiff(tags: dict[int, tuple[int, int]], body: bytes = b"") -> bytes:
    """A little-endian TIFF by hand: tag -> (type 3 short or 4 long, value); `body` lies at offset 8."""
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, (kind, value) in sorted(tags.items()))
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"


def webp(chunk: bytes, body: bytes) -> bytes:
    inner = b"WEBP" + chunk + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = "camera"
    return data.tobytes()


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_missing_folder_and_wrong_kinds_of_source(tmp_path: Path) -> None:
    assert "no picture file called 'holiday.jpg'" in refuse(tmp_path / "holiday.jpg")
    assert "a folder" in refuse(tmp_path)
    assert "a folder" in refuse("/")
    for name in ("", "a\0b", "x" * 5000, "https://example.org/cat.jpg"):
        refuse(name)
    for nothing in (None, 3, 1.5, ["a"], np.zeros((9, 9, 3))):
        assert "Got" in refuse(nothing)
    assert "binary" in refuse(io.StringIO("words"))
    closed = io.BytesIO(b"x")
    closed.close()
    refuse(closed)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        refuse(tmp_path / "pipe")  # and does not wait for it
        refuse("/dev/zero")


def test_empty_and_not_a_picture(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for source in (b"", io.BytesIO(), tmp_path / "empty"):
        assert "empty" in refuse(source)
    for data in (b"x", b"Dear diary, " * 50, b"\0" * 1000, bytes(range(256)) * 9):
        assert "not a picture" in refuse(data) and "JPEG, PNG" in refuse(data)
    assert "HEIC" in refuse(b"\0\0\0\x18ftypheic" + b"\0" * 100)
    assert "PDF" in refuse(b"%PDF-1.7 ...")
    assert "SVG" in refuse(b"\xef\xbb\xbf\n <svg xmlns='x'></svg>")


def test_only_the_six_formats_are_opened() -> None:
    for kind in ("PPM", "TGA", "ICO", "PCX", "SGI", "EPS", "PDF", "JPEG2000", "DDS", "MSP"):
        picture = rgb().convert("1") if kind == "MSP" else rgb()
        refuse(encode(picture, kind))


def test_reading_imports_neither_exotic_plugins_nor_torch() -> None:
    package = str(Path(images.__file__).parents[1])
    bare = (
        f"import sys, types; x = sys.modules['xai_core'] = types.ModuleType('xai_core'); x.__path__ = [{package!r}]; "
    )
    read = "from xai_core.images import SAMPLES; SAMPLES.get('coffee').load(); "
    exotic = {
        "PIL.EpsImagePlugin",
        "PIL.PsdImagePlugin",
        "PIL.FpxImagePlugin",
        "torch",
        "streamlit",
        "sklearn",
        "skimage",
    }
    done = subprocess.run(
        [sys.executable, "-c", f"{bare}{read}print(set(sys.modules) & {exotic})"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"


CUT = [
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("BMP", {}),
    ("GIF", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
]


@pytest.mark.parametrize(("kind", "options"), CUT)
def test_a_cut_off_picture_is_refused(kind: str, options: dict[str, Any]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    data = encode(Image.fromarray(noise), kind, **options)
    whole = image_sha256(read_image(data))
    for share in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
        text = refuse(data[: int(len(data) * share)])
        assert "damaged or was cut off" in text or len(data) * share < 30
    for missing in range(1, 9):  # the last bytes may be an end mark: then nothing of the picture is missing
        with contextlib.suppress(InvalidImage):
            assert image_sha256(read_image(data[:-missing])) == whole


def test_over_25_mb_is_refused_before_reading_it_all(tmp_path: Path) -> None:
    heavy = tmp_path / "heavy.png"
    with heavy.open("wb") as file:
        file.truncate(10 * 2**30)  # sparse: 10 GB by its size only
    tracemalloc.start()
    assert "larger than 25 MB" in refuse(heavy) and "10240.0 MB" in refuse(heavy)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
    assert "larger than 25 MB" in refuse(bytes(limits.MAX_BYTES + 1))
    stream = io.BytesIO(bytes(40 * 2**20))
    assert "larger than 25 MB" in refuse(stream)
    assert stream.tell() == limits.MAX_BYTES + 1
    assert "not a picture" in refuse(bytes(limits.MAX_BYTES))


def bombs() -> Iterator[tuple[str, bytes]]:
    black = zlib.compress(bytes(20_000_000))
    for side in (7100, 12_000, 50_000):
        head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        text = b"".join(png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000))) for _ in range(60))
        yield f"png {side}", b"\x89PNG\r\n\x1a\n" + head + text + png_chunk(b"IDAT", black) + png_chunk(b"IEND", b"")
        frame = b"!\xf9\x04\x08\0\0\0\0," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x08\x02\x00\x01\x00\x00"
        yield f"gif {side}", b"GIF89a" + struct.pack("<HHBBB", side, side, 0xF7, 0, 0) + bytes(768) + frame + b";"
        tags = {
            256: (4, side),
            257: (4, side),
            258: (3, 8),
            259: (3, 8),
            262: (3, 1),
            273: (4, 8),
            277: (3, 1),
            278: (4, side),
            279: (4, len(black)),
        }
        yield f"tiff {side}", tiff(tags, black)
        yield (
            f"bmp {side}",
            b"BM"
            + struct.pack("<IHHI", 100, 0, 0, 54)
            + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
            + bytes(99),
        )
        jpeg = bytearray(encode(rgb(), "JPEG"))
        at = jpeg.index(b"\xff\xc0") + 5
        jpeg[at : at + 4] = struct.pack(">HH", side, side)
        yield f"jpeg {side}", bytes(jpeg)
        edge = (side - 1).to_bytes(3, "little")
        yield f"webp {side}", webp(b"VP8X", b"\0\0\0\0" + edge + edge + bytes(50))
    yield "webp lossless", webp(b"VP8L", b"\x2f" + struct.pack("<I", 16_000 | 16_000 << 14) + bytes(50))
    yield "webp lossy", webp(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_000, 16_000) + bytes(50))
    tags = {
        256: (4, 64),
        257: (4, 64),
        258: (3, 8),
        259: (3, 8),
        262: (3, 1),
        277: (3, 1),
        322: (4, 16_000),
        323: (4, 16_000),
        324: (4, 8),
        325: (4, len(black)),
    }
    yield "tiff tile", tiff(tags, black)


@pytest.mark.parametrize(("name", "data"), list(bombs()), ids=[name for name, _ in bombs()])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bombs_are_refused_at_once_and_cheaply(name: str, data: bytes) -> None:
    tracemalloc.start()
    begin, before = time.thread_time(), resident()
    text = refuse(data)
    seconds, grown = time.thread_time() - begin, resident() - before
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "50 million" in text or name == "tiff tile"
    assert seconds < 0.1 and peak < 50e6 and grown < 50e6


def resident() -> int:
    """The most memory this process ever held, in bytes: sees what C code allocates, too."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_where_warnings_are_errors() -> None:
    assert "50 million" in refuse(dict(bombs())["bmp 12000"])


def test_too_small_too_thin_and_just_right() -> None:
    for size in ((7, 100), (100, 7), (1, 1)):
        assert "too small" in refuse(encode(Image.new("RGB", size), "PNG"))
        assert f"Got {size[0]} × {size[1]} pixels" in refuse(encode(Image.new("RGB", size), "TIFF"))
    for size in ((8, 321), (401, 10)):
        assert "too long and thin" in refuse(encode(Image.new("RGB", size), "JPEG"))
    for size in ((8, 320), (400, 10), (8, 8)):
        assert read_image(encode(Image.new("RGB", size), "JPEG")).size == size


def test_50_megapixels_exactly_are_allowed() -> None:
    assert read_image(encode(Image.new("1", (10_000, 5_000)), "PNG")).size == (1024, 512)
    assert "10,000 × 5,001" in refuse(encode(Image.new("1", (10_000, 5_001)), "PNG"))


def test_global_settings_of_pillow_stay_as_they_were() -> None:
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    read_image(encode(rgb(), "PNG"))
    refuse(encode(rgb(), "PNG")[:-40])
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


# --- fuzzing ----------------------------------------------------------------------------------------------------------


def corpus() -> list[bytes]:
    """Small pictures of every format, mode and compression, with metadata."""
    whole, grey = rgb().resize((40, 30)), rgb().resize((40, 30)).convert("L")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wide = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    moving = [
        encode(whole, kind, save_all=True, append_images=[whole.rotate(90)], exif=exif(8))
        for kind in ("MPO", "PNG", "WEBP", "GIF", "TIFF")
    ]
    jpegs = [
        encode(whole, "JPEG", exif=exif(6), icc_profile=profile),
        encode(whole, "JPEG", progressive=True, comment=b"c"),
        *(encode(picture, "JPEG") for picture in (grey, whole.convert("CMYK"))),
    ]
    pngs = [
        encode(whole, "PNG", exif=exif(5), icc_profile=profile),
        encode(whole.quantize(9), "PNG", transparency=bytes([0, 99, 255])),
        *(encode(picture, "PNG") for picture in (whole.convert("RGBA"), grey.convert("LA"), grey.convert("1"), wide)),
    ]
    others = [
        encode(whole, "WEBP", exif=exif(3), icc_profile=profile),
        encode(whole.convert("RGBA"), "WEBP", lossless=True),
        *(encode(picture, "BMP") for picture in (whole, whole.quantize(9), whole.convert("RGBA"), grey.convert("1"))),
        encode(whole, "GIF", comment=b"c"),
        encode(whole.quantize(9), "GIF", transparency=3),
    ]
    tiffs = [
        *(
            encode(whole, "TIFF", compression=c, exif=exif(7))
            for c in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
        ),
        *(encode(whole.convert(mode), "TIFF") for mode in ("F", "I", "CMYK", "LAB", "RGBA", "LA")),
        encode(grey.convert("1"), "TIFF", compression="group4"),
        encode(whole.quantize(9), "TIFF", icc_profile=profile),
        encode(wide, "TIFF"),
        encode(whole, "TIFF", big_tiff=True),
    ]
    return moving + jpegs + pngs + others + tiffs


def mutant(files: list[bytes], rng: np.random.Generator) -> bytes:
    """One picture, damaged: cut, bits flipped, words overwritten (mostly early), pieces copied, cut out or crossed with
    another.
    """
    data = bytearray(files[rng.integers(len(files))])
    for _ in range(rng.integers(1, 5)):
        at = int(len(data) * rng.random() ** rng.choice([1, 3, 6]))
        match rng.integers(7):
            case 0:
                del data[max(at, 4) :]
            case 1 if at < len(data):
                data[at] ^= 1 << rng.integers(8)
            case 2:
                data[at : at + 4] = rng.bytes(4)
            case 3:
                data[at : at + 4] = struct.pack(
                    rng.choice(["<I", ">I"]), rng.choice([0, 1, 255, 65535, 2**31 - 1, 2**32 - 1, 20_000])
                )
            case 4:
                del data[at : at + int(rng.integers(1, 40))]
            case 5:
                data[at:at] = data[at // 2 : at // 2 + int(rng.integers(1, 200))]
            case 6:
                second = files[rng.integers(len(files))]
                data[at:] = second[at:]
    return bytes(data)


def survives(data: bytes) -> bool:
    """Say if the picture could be read; anything but a good picture or InvalidImage fails the test."""
    try:
        picture = read_image(data)
    except InvalidImage:
        return False
    assert picture.mode == "RGB" and min(picture.size) >= 1 and max(picture.size) <= 1024 and picture.info == {}
    assert np.asarray(picture).shape == (picture.height, picture.width, 3)
    return True


@pytest.mark.filterwarnings("ignore")
def test_damaged_pictures_are_read_or_refused_never_more() -> None:
    files, rng = corpus(), np.random.default_rng(2)
    assert all(survives(data) for data in files)
    read = sum(survives(mutant(files, rng)) for _ in range(600))
    assert 100 < read < 500  # neither all harmless nor all hopeless: both paths were tried


def test_a_side_of_zero_is_refused() -> None:
    for width, height in ((0, 0), (0, 9), (9, 0)):
        head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        refuse(b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", zlib.compress(b"\0" * 9)) + png_chunk(b"IEND", b""))
    refuse(b"GIF89a" + bytes(20))
    refuse(tiff({256: (4, 0), 257: (4, 10), 262: (3, 1), 273: (4, 8)}))
    refuse(
        b"BM"
        + struct.pack("<IHHI", 100, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 0, 9, 1, 24, 0, 0, 0, 0, 0, 0)
        + bytes(99)
    )
