"""Labels of pictures in a zip, by folders and by tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.imageset.zip_builder import PETS, labels, noise, pack_zip, read
from xai_core.imageset.reading.labels import folder_labels
from xai_core.imageset.sets import disk


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path / "data"))
    yield
    assert not list(disk.cache().root.glob(".new-*")), "something unfinished was left"


def test_one_folder_around_all_is_no_label_and_that_is_said() -> None:
    assert "one folder, “espresso”" in read(pack_zip({"espresso/a.png": noise(1), "espresso/b.png": noise(2)})).notes[0]
    assert read(pack_zip({"a.png": noise(1), "b.png": noise(3)})).notes == ()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.png", "b.png"], ["", ""]),
        (["all/a.png", "all/b.png"], ["", ""]),
        (["x/dogs/a.png", "x/cats/b.png", "x/c.png"], ["dogs", "cats", ""]),
        (["dogs/big/a.png", "dogs/small/b.png", "cats/c.png"], ["dogs", "dogs", "cats"]),
        (["train/dogs/a.png", "test/cats/b.png", "test/dogs/c.png"], ["dogs", "cats", "dogs"]),
        (["s/Train/a.png", "s/val/b.png"], ["", ""]),
        (["train/only/a.png", "test/only/b.png"], ["", ""]),
        (["ab/x.png", "ac/y.png"], ["ab", "ac"]),
    ],
)
def test_labels_by_folder(names: list[str], expected: list[str]) -> None:
    assert folder_labels(names) == expected


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("heading", [[("file", "label")], []], ids=["heading", "no heading"])
def test_labels_by_table(mark: str, heading: list[tuple[str, str]]) -> None:
    rows = [*heading, ("dogs/rex.png", " Big  dog\x00"), ("mia.png", "cat"), ("nobody.png", "ghost")]
    table = "\ufeff" + "\r\n".join(mark.join(row) for row in rows)
    dataset = read(pack_zip({**PETS, "pets/labels.csv": table.encode()}))
    assert dict(zip(dataset.names, labels(dataset), strict=True)) == {
        "pets/cats/mia.png": "cat", "pets/dogs/bello.jpg": "", "pets/dogs/rex.png": "Big dog",
    }  # fmt: skip
    assert dataset.notes == ("Rows of labels.csv that name no picture of this set: 1.",)


@pytest.mark.parametrize(
    "table",
    [
        "sep=;\r\nfile;label\r\nrex.png;dog\r\nmia.png;cat",
        "id,Class,image\n1,dog,rex\n2,cat,mia",
        "rex,dog\nmia,cat",
        "\n\nlabel,file\ndog,dogs/rex.png\ncat,mia.png",
    ],
)
def test_tables_that_other_programs_write(table: str) -> None:
    dataset = read(pack_zip({**PETS, "pets/labels.csv": table.encode()}))
    assert {
        name.rpartition("/")[2]: label for name, label in zip(dataset.names, labels(dataset), strict=True) if label
    } == {"rex.png": "dog", "mia.png": "cat"}


def test_a_table_of_another_name_is_told_how_it_would_be_read() -> None:
    assert (
        "A table of labels is read where it is called labels.csv."
        in read(pack_zip({**PETS, "train.csv": b"rex,dog"})).notes
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_as_spreadsheets_save_it(encoding: str) -> None:
    table = "file;label\r\nrex.png;Größe\r\nmia.png;Käse\r\n"
    assert read(pack_zip({**PETS, "labels.csv": table.encode(encoding)})).classes == ("Größe", "Käse")


def test_a_file_name_that_two_folders_have_is_nobodys() -> None:
    table = b"file,label\na.png,dog\nb.png,fox"
    dataset = read(pack_zip({"x/a.png": noise(1), "y/a.png": noise(2), "x/b.png": noise(3), "labels.csv": table}))
    assert dict(zip(dataset.names, labels(dataset), strict=True)) == {"x/a.png": "", "x/b.png": "fox", "y/a.png": ""}


@pytest.mark.parametrize("table", [b"", b"\xff\xfe\x00", b"sep=;\n", b"one column\nonly", b"other.png,dog"])
def test_a_useless_table_leaves_the_folders(table: bytes) -> None:
    dataset = read(pack_zip({**PETS, "labels.csv": table}))
    assert (
        dataset.classes == ("cats", "dogs")
        and "labels.csv" in dataset.notes[0]
        and "folders were taken" in dataset.notes[1]
    )
    assert ("names no picture" in dataset.notes[0]) == (table == b"other.png,dog")
