"""Sets and runs as they were stored before their record had one form: written here by hand, and opened."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.imageset.zip_builder import noise
from xai_core import load_model
from xai_core.imageset.runs import disk as runs_disk
from xai_core.imageset.runs.disk import find_run
from xai_core.imageset.sets import disk
from xai_core.imageset.sets.library import find_set, load_set

SET_ID = "0123456789abcdef01234567"
MANIFEST: dict[str, Any] = {
    "kind": "zip",
    "name": SET_ID,
    "title": "Pets",
    "names": ["cat/1.png", "dog/2.png"],
    "classes": ["cat", "dog"],
    "skipped": [["odd.png", "This is no picture."]],
    "notes": ["A note."],
    "origin": "Own zip",
    "aliases": {},
    "masks": ["dog/2_mask.png"],
    "root": "",
    "unread": 1,
    "version": 2,
}
MEMBER = [("offset", "<i8"), ("packed", "<i8"), ("size", "<i8"), ("crc", "<u4"), ("method", "<u2")]


def write_stored_zip(folder: Path) -> np.ndarray:
    """Write a zip of the manifest's files, and return the place of each."""
    half = np.zeros((16, 16), dtype=np.uint8)
    half[:, 8:] = 255
    buffer = io.BytesIO()
    Image.fromarray(half).save(buffer, "PNG")
    with zipfile.ZipFile(folder / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("cat/1.png", noise(1)), ("dog/2.png", noise(2)), ("dog/2_mask.png", buffer.getvalue())):
            archive.writestr(name, data)
        entries = archive.infolist()
    rows = [(e.header_offset, e.compress_size, e.file_size, e.CRC, e.compress_type) for e in entries]
    return np.array(rows, dtype=MEMBER)


def write_set(folder: Path, manifest: dict[str, Any], arrays: dict[str, np.ndarray], count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "thumbs.u8").write_bytes(bytes(range(256)) * (count * 48 * 48 * 3 // 256))


def test_a_zip_stored_before_is_opened(own_data: Path) -> None:
    folder = disk.cache().root / SET_ID
    folder.mkdir(parents=True)
    arrays = {
        "labels": np.array([0, 1], dtype=np.int32),
        "masked": np.array([False, True]),
        "mask_rows": np.array([-1, 2], dtype=np.int32),
        "members": write_stored_zip(folder),
    }
    write_set(folder, MANIFEST, arrays, 2)
    dataset = find_set(SET_ID)
    assert dataset is not None
    assert (dataset.id, dataset.name, dataset.title, dataset.origin) == (SET_ID, SET_ID, "Pets", "Own zip")
    assert (dataset.names, dataset.classes) == (("cat/1.png", "dog/2.png"), ("cat", "dog"))
    assert (dataset.skipped_files, dataset.unread) == ((("odd.png", "This is no picture."),), 1)
    assert dataset.notes == ("A note.",) and dataset.labels.tolist() == [0, 1]
    assert dataset.open(1).size == (16, 16)
    mask = dataset.mask(1)
    assert mask is not None and mask[:, 8:].all() and not mask[:, :8].any() and dataset.mask(0) is None
    assert dataset.thumbnails()[0, 0, 0].tolist() == [0, 1, 2]
    assert [item.id for item in disk.list_sets()] == [SET_ID]


@pytest.mark.parametrize("key", ["aliases", "root", "unread"])
def test_fields_that_came_later_may_be_missing(own_data: Path, key: str) -> None:
    folder = disk.cache().root / SET_ID
    folder.mkdir(parents=True)
    labels, rows = np.array([0, 1], dtype=np.int32), np.array([-1, 2], dtype=np.int32)
    arrays = {"labels": labels, "mask_rows": rows, "members": write_stored_zip(folder)}
    write_set(folder, {name: value for name, value in MANIFEST.items() if name != key}, arrays, 2)
    dataset = find_set(SET_ID)
    assert dataset is not None and dataset.open(0).size == (16, 16)


def test_an_older_version_is_no_set(own_data: Path) -> None:
    folder = disk.cache().root / SET_ID
    folder.mkdir(parents=True)
    labels, rows = np.array([0, 1], dtype=np.int32), np.array([-1, 2], dtype=np.int32)
    arrays = {"labels": labels, "mask_rows": rows, "members": write_stored_zip(folder)}
    write_set(folder, {**MANIFEST, "version": 1}, arrays, 2)
    assert find_set(SET_ID) is None and disk.list_sets() == ()


def test_digits_stored_before_keep_their_thumbnails(
    own_data: Path, monkeypatch: pytest.MonkeyPatch, restart: Any
) -> None:
    dataset = load_set("digits")
    folder = dataset.folder
    # As they were stored: without the rows of masks, which no digit has.
    (folder / "mask_rows.npy").unlink()
    np.save(folder / "masked.npy", np.zeros(len(dataset), dtype=bool))
    (folder / "thumbs.u8").write_bytes(bytes([7]) * (len(dataset) * 48 * 48 * 3))
    restart()
    again = load_set("digits")
    assert again.id == dataset.id and again.thumbnails()[5, 0, 0].tolist() == [7, 7, 7] and not again.has_masks


def test_a_run_stored_before_is_opened(own_data: Path) -> None:
    run_id = "ab" * 16
    folder = runs_disk.cache().root / run_id
    folder.mkdir(parents=True)
    about = {
        "set_id": SET_ID,
        "model": "small_cnn",
        "layer": "conv3",
        "corruption": "blur:1",
        "grid": [2, 3],
        "count": 2,
        "classes": 3,
        "channels": 4,
        "version": 2,
    }
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
    values = np.arange(8, dtype=np.float32).reshape(2, 4)
    np.save(folder / "logits.npy", np.array([[1, 2, 0], [np.nan] * 3], dtype=np.float32))
    np.save(folder / "pooled.npy", values)
    np.save(folder / "peak.npy", values + 1)
    np.save(folder / "where.npy", np.array([[0, 1, 2, 5]] * 2, dtype=np.uint16))
    np.save(folder / "failed.npy", np.array([False, True]))
    run = find_run(run_id)
    assert run is not None and (run.set_id, run.layer, run.corruption, run.grid) == (SET_ID, "conv3", "blur:1", (2, 3))
    assert run.predictions.tolist() == [1, -1] and run.valid.tolist() == [True, False]
    assert np.array_equal(run.mean, values) and np.array_equal(run.max, values + 1)
    assert run.argmax[0].tolist() == [0, 1, 2, 5]
    (folder / "about.json").write_text(json.dumps({**about, "version": 1}), encoding="utf-8")
    runs_disk._RECENT.pop(str(folder))
    assert find_run(run_id) is None


def test_the_id_of_a_run_is_stable() -> None:
    """A change of the preprocessing's repr would make every stored run unknown."""
    model = load_model("small_cnn")
    assert runs_disk.make_run_id("0123456789abcdef01234567", model, "conv3", "") == "f416b595115f3190962f9b4ecc52810d"
