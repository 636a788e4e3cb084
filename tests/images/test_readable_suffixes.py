"""The one list of endings: every kind of file in it is read alone, in a zip and in a folder."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.images.picture_files import encode, pixels, refuse, scene
from tests.images.test_heic_and_avif import encode_heic
from tests.imageset.zip_builder import pack_zip
from xai_core.images import READABLE_SUFFIXES, read_image
from xai_core.imageset.reading.file_roles import PICTURE_ENDINGS
from xai_core.imageset.sets.uploaded import read_folder, read_zip

KINDS = {
    "JPEG": [".jpg", ".jpeg", ".jpe", ".jfif"],
    "HEIC": [".heic", ".heif"],
    "AVIF": [".avif"],
    "PNG": [".png"],
    "WEBP": [".webp"],
    "BMP": [".bmp", ".dib"],
    "GIF": [".gif"],
    "TIFF": [".tif", ".tiff"],
}


def write(suffix: str) -> bytes:
    """A picture of the kind that the ending stands for."""
    kind = next(kind for kind, suffixes in KINDS.items() if suffix in suffixes)
    picture = Image.fromarray(scene())
    return encode_heic(picture) if kind == "HEIC" else encode(picture, kind)


def test_there_is_one_list() -> None:
    assert set(READABLE_SUFFIXES) == {suffix for suffixes in KINDS.values() for suffix in suffixes}
    assert set(READABLE_SUFFIXES) == PICTURE_ENDINGS


@pytest.mark.parametrize("suffix", READABLE_SUFFIXES)
def test_a_file_of_each_ending_is_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo{suffix.upper()}"
    path.write_bytes(write(suffix))
    assert np.abs(pixels(read_image(path)) - scene()).mean() < 8


def test_a_zip_and_a_folder_of_all_endings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYBOX_SETS", str(tmp_path))
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path / "data"))
    files = {f"dogs/rex{number}{suffix}": write(suffix) for number, suffix in enumerate(READABLE_SUFFIXES)}
    (tmp_path / "set" / "dogs").mkdir(parents=True)
    for name, data in files.items():
        (tmp_path / "set" / name).write_bytes(data)
    for dataset in (read_zip(io.BytesIO(pack_zip(files))), read_folder(tmp_path / "set")):
        assert sorted(dataset.names) == sorted(files) and not dataset.skipped_files
        for row in range(len(dataset)):
            assert np.abs(pixels(dataset.open(row)) - scene()).mean() < 8


def test_a_bmp_without_its_file_header_is_refused() -> None:
    """Windows' clipboard calls such bytes a DIB, too; no program saves them to files."""
    assert "not a picture" in refuse(encode(Image.fromarray(scene()), "BMP")[14:])
