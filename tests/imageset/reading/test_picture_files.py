"""Pictures in sets are read as single ones are: every ending, and with the same notes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.imageset.zip_builder import encode_picture, labels, noise, pack_zip, picture, read
from xai_core.images import READABLE_SUFFIXES
from xai_core.imageset.sets.uploaded import read_folder

SMOOTH = Image.fromarray(np.add.outer(np.arange(64), np.arange(64)).astype("u1")).convert("RGB")


@pytest.mark.parametrize("container", ["zip", "folder"])
def test_every_ending_is_read(own_data: Path, container: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYBOX_SETS", str(own_data))
    files = {f"pets/{'cat' if place % 2 else 'dog'}/{place}{suffix.upper()}": noise(place)
             for place, suffix in enumerate(READABLE_SUFFIXES)}  # fmt: skip
    if container == "zip":
        dataset = read(pack_zip(files))
    else:
        for name, data in files.items():
            (own_data / name).parent.mkdir(parents=True, exist_ok=True)
            (own_data / name).write_bytes(data)
        dataset = read_folder(own_data / "pets")
    assert len(dataset) == len(READABLE_SUFFIXES) and dataset.unread == 0 and set(labels(dataset)) == {"cat", "dog"}


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_pictures_of_phones_are_read(own_data: Path, kind: str) -> None:
    out = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(SMOOTH).save(out)
    else:
        SMOOTH.save(out, kind)
    data = out.getvalue()
    dataset = read(pack_zip({"a/1.heic": data, "b/2.png": encode_picture(SMOOTH)}))
    assert len(dataset) == 2 and dataset.skipped_files == () and labels(dataset) == ["a", "b"]
    difference = np.asarray(dataset.open(0), dtype=int) - np.asarray(dataset.open(1), dtype=int)
    assert np.abs(difference).mean() < 3


def test_notes_about_pictures_are_told_once(own_data: Path) -> None:
    ghost = picture((200, 30, 30, 0))
    dataset = read(pack_zip({"a.png": ghost, "b.png": ghost, "c.png": noise(1)}))
    assert len(dataset.notes) == 1 and dataset.notes[0].startswith("2 pictures, the first is “a.png”: ")
    assert read(pack_zip({"a.png": noise(1), "b.png": picture()})).notes == ()
