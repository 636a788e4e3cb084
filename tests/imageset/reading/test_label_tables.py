"""Labels by a table as other programs write it: one column of labels or many, several rows a picture, any encoding."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imageset.zip_builder import labels, noise, pack_zip, read
from xai_core.imageset.reading.label_tables import table_labels
from xai_core.imageset.reading.picture_index import PictureIndex

NAMES = ["img/a.jpg", "img/b.jpg", "img/c.jpg"]


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path / "data"))


def read_labels(text: str | bytes, names: list[str] = NAMES) -> tuple[list[str] | None, str]:
    data = text.encode() if isinstance(text, str) else text
    result, notes = table_labels(data, "labels.csv", names)
    return result, " ".join(notes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image_id,healthy,multiple,rust,scab\na,0,0,0,1\nb,1,0,0,0\nc,0,0,1,0\n", ["scab", "healthy", "rust"]),
        ("image,MEL,NV\na,0.0,1.0\nb,1.0,0.0\nc,0.0,1.0", ["NV", "MEL", "NV"]),
        ("x,y_rust,file,width\n0,1,a.jpg,17\n1,0,b.jpg,18\n0,1,c.jpg,19", ["y_rust", "x", "y_rust"]),
        ("cat;file;dog\nTrue;a;False\nFalse;b;True\nFalse;c;True", ["cat", "dog", "dog"]),
        # One column of numbers is one of labels.
        ("id,has_cactus\na,1\nb,0\nc,1", ["1", "0", "1"]),
        ("id,label,flipped,dark\na,cat,0,1\nb,dog,1,0\nc,cat,0,1", ["cat", "dog", "cat"]),
    ],
)
def test_one_column_for_each_label(text: str, expected: list[str]) -> None:
    assert read_labels(text)[0] == expected


def test_more_than_one_1_is_no_label_and_said() -> None:
    result, notes = read_labels("file,cat,dog,fox\na,1,1,0\nb,0,0,1\nc,0,0,0")
    assert result == ["", "fox", ""] and "more than one 1, so that their pictures have no label: 1." in notes
    assert "without a 1, so that their pictures have no label: 1." in notes
    refused, reason = read_labels("file,cat,dog\na,1,1\nb,1,1\nc,0,0")
    assert refused is None and "exactly one label" in reason


def test_rows_that_differ_give_no_label_and_equal_ones_do() -> None:
    boxes = "filename,xmin,ymin,label\na.jpg,1,2,cat\na.jpg,3,4,dog\nb.jpg,1,1,dog\nb.jpg,5,5,dog\nc.jpg,0,0,cat\n"
    result, notes = read_labels(boxes)
    assert result == ["", "dog", "cat"] and notes.endswith("different labels, so that they have none: 1.")
    assert read_labels("filename,label\na.jpg,cat\nb.jpg,dog\nc.jpg,cat") == (["cat", "dog", "cat"], "")


@pytest.mark.parametrize(
    ("heading", "rows"),
    [
        ("split,species,path,width", "train,{},{},10"),
        ("width,file name,Category", "10,{1},{0}"),
        ("type,class_id,class_name,image", "train,7,{},{}"),
        ("id,breed", "{1},{0}"),
        ("ファイル,幅,ラベル", "{1},3,{0}"),
        ("Bild|Breite|Klasse", "{1}|3|{0}"),
        ("archivo;ancho;Categoría", "{1};3;{0}"),
        ("файл,ширина,метка", "{1},1,{0}"),
        ("weight,what,picture,mm", "3.5,{},{},-1"),
    ],
)
def test_the_columns_are_known_by_their_names(heading: str, rows: str) -> None:
    text = "\n".join([heading, *(rows.format(label, name) for label, name in zip("xyx", NAMES, strict=True))])
    assert read_labels(text)[0] == ["x", "y", "x"]


def test_unknown_columns_are_refused_in_words() -> None:
    result, notes = read_labels("file,width,height\na,1,2\nb,3,4\nc,5,6")
    assert result is None and "call it “label”" in notes.replace("Call", "call")
    result, notes = read_labels("file,width,what\na,1,cat\nb,3,dog\nc,5,cat")
    assert result == ["cat", "dog", "cat"] and "“what” of labels.csv was taken" in notes


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp932", ("猫の写真", "犬の写真")),
        ("gbk", ("小猫的照片", "小狗的照片")),
        ("cp1251", ("кошка домашняя", "собака дворовая")),
        ("utf-16", ("猫", "犬")),
        ("cp1252", ("Größe", "Käse")),
        ("utf-8", ("кошка", "Käse")),
    ],
)
def test_a_table_in_another_encoding(encoding: str, words: tuple[str, str]) -> None:
    text = f"file,label\na.jpg,{words[0]}\nb.jpg,{words[1]}\nc.jpg,{words[0]}\n"
    assert read_labels(text.encode(encoding))[0] == [words[0], words[1], words[0]]


@pytest.mark.parametrize(
    "path",
    ["pets/dogs/Rex.png", "dogs/Rex.png", "Rex.png", "Rex", "dogs/rex", " REX.PNG ", "dogs\\rex.png", "./Rex.png",
     "C:\\Users\\me\\Rex.png", "/data/in/pets/dogs/Rex.png", "other/dogs/Rex.PNG", "PETS/DOGS/REX"],
)  # fmt: skip
def test_a_picture_is_found_by_any_of_its_names(path: str) -> None:
    assert PictureIndex(["pets/cats/Tom.png", "pets/dogs/Rex.png", "pets/dogs/a.b.jpg"], "pets").find(path) == 1


@pytest.mark.parametrize("path", ["", "Rex.jpg", "cats/Rex.png", "b", "twice.png", "pets/none.png", "s/Rex.png", "a"])
def test_another_picture_is_not_meant(path: str) -> None:
    names = ["pets/dogs/Rex.png", "pets/dogs/a.b.jpg", "pets/x/twice.png", "pets/y/twice.png", "pets/y/a.gif"]
    assert PictureIndex(names[:4], "pets").find(path) is None


def test_case_and_ending_tell_apart_where_they_must() -> None:
    index = PictureIndex(["a.JPG", "A.jpg", "b.png", "b.jpg", "x/1.png", "y/1.png"])
    assert [index.find(path) for path in ("a.JPG", "A.jpg", "a", "b.png", "b", "y/1", "1")] == [
        0,
        1,
        0,
        2,
        None,
        5,
        None,
    ]


@pytest.mark.parametrize(
    ("name", "names"),
    [("classes.csv", "id,name\n0,cat\n1,dog\n10,fox"), ("classes.txt", "cat\ndog" + "\n-" * 8 + "\nfox")],
)
def test_numbers_take_the_names_that_the_set_gives_them(name: str, names: str) -> None:
    files = {"a.png": noise(1), "b.png": noise(2), "c.png": noise(3), name: names.encode()}
    dataset = read(pack_zip({**files, "labels.csv": b"file,label\na,1\nb,0\nc,10"}))
    assert labels(dataset) == ["dog", "cat", "fox"] and "names that another file" in dataset.notes[0]
    words = read(pack_zip({**files, "labels.csv": b"file,label\na,1\nb,0\nc,99"}))
    assert labels(words) == ["1", "0", "99"] and words.classes == ("0", "1", "99")
    assert labels(read(pack_zip({**files, "labels.csv": b"file,label\na,ape\nb,bee\nc,ape"}))) == ["ape", "bee", "ape"]
