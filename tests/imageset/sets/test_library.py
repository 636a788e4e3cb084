"""Built-in sets, and what is kept: found again after a restart, bounded, read in the background."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.imageset.zip_builder import noise, pack_zip
from xai_core import SAMPLES, jobs, load_model
from xai_core.errors import InvalidParam, InvalidSet, UnknownName
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.sets import disk, library
from xai_core.imageset.sets.builtin import photo_crops, spec as builtin, tux_paint
from xai_core.imageset.sets.builtin.spec import IMAGE_SETS
from xai_core.imageset.sets.library import find_set, forget_set, list_sets, load_set, start_reading
from xai_core.imageset.sets.uploaded import read_zip
from xai_core.models.train_small_cnn import enlarge


def zip_noise(*seeds: int, side: int = 16) -> io.BytesIO:
    return io.BytesIO(pack_zip({f"{seed}.png": noise(seed, side) for seed in seeds}))


# Built-in


def test_digits() -> None:
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    dataset = load_set("digits")
    assert len(dataset) == 1797 and dataset.classes == tuple("0123456789") and np.array_equal(dataset.labels, digits)
    assert not dataset.has_masks and dataset.mask(3) is None and dataset.notes
    model = load_model("small_cnn")
    for row in (0, 1000, 1796):
        seen = dataset.open(row)
        assert (seen.mode, seen.size) == ("L", (28, 28))
        # What it learned from.
        assert np.array_equal(model.prepare(seen).numpy(), enlarge(images[row].reshape(8, 8)).numpy())
        assert np.array_equal(
            dataset.thumbnails()[row], np.asarray(seen.resize((48, 48), Image.Resampling.BICUBIC).convert("RGB"))
        )
    assert np.array_equal(dataset.match_classes(model), digits)


def test_crops_are_many_labelled_and_different() -> None:
    dataset = load_set("photo_crops")
    assert (
        len(dataset) >= 200
        and len(set(dataset.names)) == len(dataset)
        and dataset.thumbnails().shape == (len(dataset), 48, 48, 3)
    )
    assert len({thumb.tobytes() for thumb in dataset.thumbnails()}) > 0.98 * len(dataset)  # outlines have empty corners
    titles = {sample.name: sample.title for sample in SAMPLES.specs()}
    assert [dataset.classes[label] for label in dataset.labels] == [
        titles[name.split("/")[0]] for name in dataset.names
    ]
    sizes = {dataset.open(row).size for row in range(0, len(dataset), 7)}
    assert len(sizes) > 10 and all(width == height and 100 < width < 320 for width, height in sizes)


def test_a_crop_is_a_piece_of_its_photograph() -> None:
    dataset = load_set("photo_crops")
    for row in (42, 43):  # not mirrored, mirrored
        cut = dataset.source._cuts[row]  # type: ignore[attr-defined]
        # Its shorter side is 320 pixels.
        photo = ImageOps.cover(SAMPLES.get(cut.sample).load(), (320, 320), Image.Resampling.LANCZOS)
        side = round(cut.side * 320)
        left, top = round(cut.left * (photo.width - side)), round(cut.top * (photo.height - side))
        piece = photo.crop((left, top, left + side, top + side))
        expected = np.clip(np.asarray(ImageOps.mirror(piece) if row % 2 else piece) * cut.light, 0, 255)
        assert np.abs(np.asarray(dataset.open(row)) - expected).mean() < 2 and cut.light != 1
        assert np.abs(np.asarray(dataset.open(row)) - np.roll(expected, 8, axis=1)).mean() > 3, (
            "another place would be seen"
        )


def test_models_know_some_photographs() -> None:
    dataset = load_set("photo_crops")
    model = SimpleNamespace(labels=("tabby", "Espresso", "motorcycle", "rocket", "ROCKET"))
    known = {
        dataset.classes[label]: int(row)
        for label, row in zip(dataset.labels, dataset.match_classes(model), strict=True)
    }
    assert known["Cat"] == 0 and known["Coffee"] == 1 and known["Motorcycle"] == 2
    assert known["Rocket"] == -1 and known["Coins"] == -1  # two classes of that name, none


def test_pictures_without_a_label_are_no_class() -> None:
    dataset = read_zip(io.BytesIO(pack_zip({"x/Big_Dog/a.png": noise(1), "x/b.png": noise(2)})))
    assert dataset.match_classes(SimpleNamespace(labels=("cat", "big dog"))).tolist() == [1, -1]


def test_built_in_sets_are_made_once(
    own_data: Path, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    monkeypatch.setattr(library, "_BUILT_IN", {})
    monkeypatch.setattr(photo_crops, "_CROPS", 2)
    with ThreadPoolExecutor(4) as pool:
        dataset = list(pool.map(load_set, ["photo_crops"] * 4))
    assert all(item is dataset[0] for item in dataset)
    restart()
    monkeypatch.setattr(builtin, "write_thumbnails", None)  # they lie on disk
    again = find_set(dataset[0].id)
    assert (
        again is not None
        and again is not dataset[0]
        and again.names == dataset[0].names
        and again.name == "photo_crops"
    )


def test_a_built_in_set_lies_in_the_data_folder_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    restart()
    monkeypatch.setattr(photo_crops, "_CROPS", 2)
    for name in ("first", "second", "first"):
        monkeypatch.setenv("WHYBOX_DATA", str(tmp_path / name))
        dataset = load_set("photo_crops")
        assert dataset.folder.is_relative_to(tmp_path / name) and dataset is load_set("photo_crops")


def test_other_names_and_numbers_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert list(IMAGE_SETS)[:2] == ["digits", "photo_crops"]
    with pytest.raises(UnknownName, match="digits"):
        load_set("digit")
    for row in (-1, 1797):
        with pytest.raises(InvalidParam, match="1796"):
            load_set("digits").open(row)
    monkeypatch.setattr(tux_paint, "STAMPS", tmp_path / "none")
    monkeypatch.setattr(library, "_BUILT_IN", {})
    assert not IMAGE_SETS.get("tux_stamps").available()
    with pytest.raises(InvalidSet, match="tuxpaint-stamps-default"):
        load_set("tux_stamps")


# What is kept


def test_found_again_after_a_restart(
    own_data: Path, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    dataset = read_zip(
        io.BytesIO(pack_zip({"x/a/1.png": noise(1), "x/b/2.png": noise(2), "x/b/broken.png": b"x", "x/t.txt": b""})),
        "mine.zip",
    )
    assert find_set(dataset.id) is find_set(dataset.id)  # kept in memory
    restart()
    again = find_set(dataset.id)
    assert again is not None and again is not dataset
    for field in ("id", "name", "title", "names", "classes", "skipped_files", "notes", "origin"):
        assert getattr(again, field) == getattr(dataset, field)
    assert np.array_equal(again.labels, dataset.labels) and np.array_equal(again.thumbnails(), dataset.thumbnails())
    assert all(again.open(row).tobytes() == dataset.open(row).tobytes() for row in range(2))


@pytest.mark.parametrize("set_id", ["", "x" * 24, "../" * 8, "0" * 24, "0" * 23 + "\n", None])
def test_ids_are_not_paths(own_data: Path, set_id: str) -> None:
    read_zip(zip_noise(1))
    assert find_set(set_id) is None and not forget_set(set_id)


@pytest.mark.parametrize("file", ["labels.npy", "members.npy", "mask_rows.npy"])
def test_any_byte_of_a_header_may_be_wrong(
    own_data: Path, monkeypatch: pytest.MonkeyPatch, file: str, restart: Callable[[], None]
) -> None:
    """NumPy reads it with Python's own parser, which says so in many ways."""
    dataset = read_zip(zip_noise(1, 2))
    place = disk.cache().root / dataset.id / file
    whole = place.read_bytes()
    for at in range(10, 70):
        for byte in (0, 34, 40, 92, 120, 255):
            place.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
            restart()
            find_set(dataset.id)
    place.write_bytes(b"\x93NUMPY\x01\x00v\x00" + b"(((" + whole[13:])
    restart()
    assert find_set(dataset.id) is None and len(read_zip(zip_noise(1, 2))) == 2 and find_set(dataset.id) is not None


def test_a_zip_cut_short_on_disk_is_mended_by_the_same_zip(
    own_data: Path, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    dataset = read_zip(zip_noise(1, 2))
    copy = disk.cache().root / dataset.id / "set.zip"
    copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    restart()
    assert find_set(dataset.id) is None
    again = read_zip(zip_noise(1, 2))
    assert again.id == dataset.id and [again.open(row).size for row in (0, 1)] == [(16, 16)] * 2


def test_a_disk_that_may_not_be_written_to_keeps_its_sets(own_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = read_zip(zip_noise(1))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    assert find_set(dataset.id) is not None


@pytest.mark.parametrize(
    "file", ["manifest.json", "labels.npy", "members.npy", "mask_rows.npy", "thumbs.u8", "set.zip"]
)
def test_a_damaged_set_is_not_found_but_made_anew(
    own_data: Path, monkeypatch: pytest.MonkeyPatch, file: str, restart: Callable[[], None]
) -> None:
    dataset = read_zip(zip_noise(1, 2))
    place = disk.cache().root / dataset.id / file
    place.write_bytes(place.read_bytes()[:40]) if file != "set.zip" else place.unlink()
    restart()
    assert find_set(dataset.id) is None
    again = read_zip(zip_noise(1, 2))
    assert again.id == dataset.id and again.open(1).size == (16, 16) and again.thumbnails().shape[0] == 2


def test_a_manifest_of_another_version_is_none(
    own_data: Path, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    dataset = read_zip(zip_noise(1))
    file = disk.cache().root / dataset.id / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": 0}))
    restart()
    assert find_set(dataset.id) is None and list_sets() == ()


def test_what_was_used_longest_ago_goes_first(own_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = [read_zip(zip_noise(seed)) for seed in (1, 2, 3)]
    size = list_sets()[0].bytes
    for second, item in enumerate(datasets):
        os.utime(disk.cache().root / item.id / "manifest.json", (second, second))
    assert find_set(datasets[0].id) is not None  # a use
    monkeypatch.setattr(disk, "max_bytes", lambda: 3 * size + size // 2)
    datasets.append(read_zip(zip_noise(4)))
    assert [find_set(item.id) is not None for item in datasets] == [True, False, True, True]
    assert {(item.id, item.pictures, item.kind) for item in list_sets()} == {
        (datasets[row].id, 1, "zip") for row in (0, 2, 3)
    }


def test_unfinished_work_of_a_dead_process_is_swept(own_data: Path) -> None:
    read_zip(zip_noise(1))
    old, new = disk.cache().root / ".new-old", disk.cache().root / ".new-new"
    for item in (old, new):
        item.mkdir()
    os.utime(old, (0, 0))
    read_zip(zip_noise(2))
    assert not old.exists() and new.exists()


def test_a_set_that_another_one_settled_first_is_the_same(own_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two visitors bring the same pictures in different zips at the same moment."""
    whole = disk.Path.rename

    def later(self: Path, target: Path) -> Path:
        if target.name == first.id:
            shutil.copytree(self, target)
        return whole(self, target)

    first = read_zip(zip_noise(1, 2))
    forget_set(first.id)
    monkeypatch.setattr(disk.Path, "rename", later)
    dataset = read_zip(zip_noise(1, 2))
    assert dataset.id == first.id and dataset.open(0).size == (16, 16)
    assert [folder.name for folder in disk.cache().root.iterdir()] == [dataset.id]


def test_what_no_version_can_read_makes_room_first(own_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, old = read_zip(zip_noise(1)), disk.cache().root / ("0" * 24)
    old.mkdir()
    (old / "set.zip").write_bytes(bytes(2000))
    assert [item.id for item in list_sets()] == [dataset.id]
    monkeypatch.setattr(disk, "max_bytes", lambda: 10**6)
    another = read_zip(zip_noise(2))
    assert old.exists(), "there is room"
    limit = list_sets()[0].bytes * 3 + 1000
    monkeypatch.setattr(disk, "max_bytes", lambda: limit)
    assert (
        read_zip(zip_noise(3)).id and not old.exists() and {item.id for item in list_sets()} >= {dataset.id, another.id}
    )


# In the background


def test_reading_in_the_background_is_shared(own_data: Path) -> None:
    job = start_reading(zip_noise(1, 2), "two.zip", "anna")
    again = start_reading(zip_noise(1, 2), "same.zip", "bert")
    dataset = job.wait(30)
    assert (
        isinstance(dataset, ImageSet)
        and dataset.title == "two"
        and again.wait(30).id == dataset.id
        and again.key == job.key
    )
    assert jobs.watch(str(job.key), "anna") is not None and jobs.watch("none") is None
    assert start_reading(zip_noise(1, 2), session_id="carl").is_finished
    forget_set(dataset.id)
    assert (
        start_reading(zip_noise(1, 2)).wait(30).id == dataset.id and find_set(dataset.id) is not None
    )  # read once more
    jobs.leave("anna")
