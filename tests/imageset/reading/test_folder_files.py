"""Folders on the server: only those that are opened, read where they are, and what becomes of them later."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imageset.zip_builder import noise, pack_zip
from xai_core.errors import InvalidImage, InvalidSet
from xai_core.imageset.reading import folder_files
from xai_core.imageset.sets import uploaded
from xai_core.imageset.sets.library import find_set, start_reading
from xai_core.imageset.sets.uploaded import read_folder


@pytest.fixture
def folder(own_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = own_data / "pictures"
    for name, seed in {"pets/dogs/a.png": 1, "pets/cats/b.png": 2, "pets/cats/c.png": 3}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(noise(seed))
    (own_data / "secret.png").write_bytes(noise(9))
    monkeypatch.setenv("WHYBOX_SETS", os.pathsep.join([str(own_data / "none"), str(root)]))
    return root


def test_a_folder_is_read_where_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    dataset = read_folder(folder / "pets")
    assert (
        dataset.names == ("cats/b.png", "cats/c.png", "dogs/a.png")
        and dataset.classes == ("cats", "dogs")
        and dataset.title == "pets"
    )
    assert str(folder) not in dataset.origin and dataset.name == dataset.id
    assert np.array_equal(np.asarray(dataset.open(2)), np.asarray(Image.open(folder / "pets/dogs/a.png")))
    monkeypatch.setattr(uploaded, "ingest", None)
    assert read_folder(folder / "pets").id == dataset.id  # nothing has changed: nothing is read
    restart()
    again = find_set(dataset.id)
    assert again is not None and again.open(0).tobytes() == dataset.open(0).tobytes()
    monkeypatch.setenv("WHYBOX_SETS", "")
    restart()
    assert find_set(dataset.id) is None  # no longer allowed


def test_a_changed_folder_is_another_set(folder: Path) -> None:
    dataset = read_folder(folder)
    (folder / "pets/dogs/a.png").write_bytes(noise(4, side=20))
    with pytest.raises(InvalidImage, match="Read the folder again"):
        dataset.open(2)
    assert read_folder(folder).id != dataset.id


@pytest.mark.parametrize("path", ["..", "../secret.png", "/etc", "\0", "../pictures_too", ""])
def test_only_opened_folders(folder: Path, path: str) -> None:
    (folder.parent / "pictures_too").mkdir()
    with pytest.raises(InvalidSet, match="WHYBOX_SETS"):
        read_folder(os.path.join(folder, path) if path else "")


def test_nothing_is_opened_unless_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHYBOX_SETS")
    with pytest.raises(InvalidSet, match="none yet"):
        read_folder(folder)
    with pytest.raises(InvalidSet, match="none yet"):
        start_reading(str(folder))


def test_links_out_of_a_folder_are_not_followed(folder: Path) -> None:
    (folder / "pets/out.png").symlink_to(folder.parent / "secret.png")
    (folder / "pets/in.png").symlink_to(folder / "pets/dogs/a.png")
    (folder / "pets/everything").symlink_to(folder.parent, target_is_directory=True)
    (folder / "pets/gone.png").symlink_to(folder / "pets/nowhere.png")
    os.mkfifo(folder / "pets/pipe.png")
    dataset = read_folder(folder / "pets")
    assert dataset.names == ("cats/b.png", "cats/c.png", "dogs/a.png", "in.png")
    assert {name: why[:15] for name, why in dataset.skipped_files} == {
        "out.png": "This is a link ",
        "gone.png": "This is not a f",
        "pipe.png": "This is not a f",
    }


def test_files_written_anew_are_the_same_set_once_it_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    dataset = read_folder(folder)
    assert find_set(dataset.id) is not None
    os.utime(folder / "pets/cats/b.png", (1, 1))
    with pytest.raises(InvalidImage, match="Read the folder again"):
        find_set(dataset.id).open(0)  # type: ignore[union-attr]
    again = read_folder(folder)
    stored = find_set(dataset.id)
    assert again.id == dataset.id and stored is not None and again.open(0).size == (16, 16) == stored.open(0).size
    restart()
    assert find_set(dataset.id).open(0).size == (16, 16)  # type: ignore[union-attr]


def test_a_path_is_looked_at_anew_each_time(folder: Path) -> None:
    assert len(start_reading(folder).wait(30)) == 3
    (folder / "pets/cats/d.png").write_bytes(noise(4))
    assert len(start_reading(folder).wait(30)) == 4


def test_a_folder_whose_name_is_no_utf8(folder: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/\xff"))
    odd.mkdir()
    (odd / "x.png").write_bytes(noise(7))
    assert len(read_folder(odd)) == 1


def test_folders_that_may_not_be_looked_into_are_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("dogs"):
            raise PermissionError(13, "Permission denied", path)
        return whole(path)

    monkeypatch.setattr(os, "scandir", scandir)
    dataset = read_folder(folder)
    assert (
        [name for name, _ in dataset.skipped_files] == ["pets/dogs"]
        and "may not be read" in dataset.skipped_files[0][1]
        and len(dataset) == 2
    )


def test_a_process_with_too_much_open_is_no_damaged_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = read_folder(folder)

    def full(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(InvalidSet, match="Too many open files"):
        dataset.open(0)


def test_a_folder_that_is_gone_is_no_damaged_picture(folder: Path) -> None:
    dataset = read_folder(folder)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(InvalidSet, match="no longer kept"):
        dataset.open(0)


def test_a_file_swapped_for_a_link_is_noticed(folder: Path) -> None:
    dataset = read_folder(folder)
    target, secret = folder / "pets/dogs/a.png", folder.parent / "secret.png"
    was = target.stat()
    target.unlink()
    secret.write_bytes(secret.read_bytes().ljust(was.st_size, b"\0")[: was.st_size])
    os.utime(secret, ns=(was.st_atime_ns, was.st_mtime_ns))
    target.symlink_to(secret)
    with pytest.raises(InvalidImage):
        dataset.open(2)


def test_folders_that_cannot_be_sets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(InvalidSet, match="no picture in this folder"):
        read_folder(folder / "empty")
    with pytest.raises(InvalidSet, match="no folder 'nowhere'"):
        read_folder(folder / "nowhere")
    monkeypatch.setattr(folder_files, "MAX_FILES", 2)
    with pytest.raises(InvalidSet, match="200,000"):
        read_folder(folder)


def test_a_zip_or_folder_on_the_server(folder: Path) -> None:
    (folder / "z.zip").write_bytes(pack_zip({"5.png": noise(5), "6.png": noise(6)}))
    assert len(start_reading(str(folder / "z.zip")).wait(30)) == 2
    assert len(start_reading(folder / "pets").wait(30)) == 3
    with pytest.raises(InvalidSet, match="not a zip"):
        start_reading(folder / "pets/dogs/a.png").wait(30)


def test_litter_of_systems_is_no_picture_of_a_folder(folder: Path) -> None:
    for name in ("@eaDir/a.png", "__MACOSX/._b.png", "Thumbs.db", ".git/c.png", "~$a.png", ".thumbnails/d.png"):
        path = folder / "pets" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"litter")
    (folder / "pets/__MACOSX/gone.png").symlink_to(folder / "nowhere")
    dataset = read_folder(folder / "pets")
    assert dataset.names == ("cats/b.png", "cats/c.png", "dogs/a.png") and dataset.unread == 0 and dataset.notes == ()
