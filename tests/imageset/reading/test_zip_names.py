"""Names in zips of other systems: decoded by what makes words of them all, and no picture lost by its name."""

from __future__ import annotations

import io
import struct
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.imageset.zip_builder import labels, noise, read
from xai_core.imageset.reading.zip_files import ZipFiles, list_zip

UNIX, FAT = 3, 0
UTF8 = 0x800


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path / "data"))


def no_extra(_: bytes) -> bytes:
    return b""


def pack_raw(
    names: Sequence[bytes], system: int = FAT, flags: int = 0, extra: Callable[[bytes], bytes] = no_extra
) -> bytes:
    """Pack a picture of noise under each name of raw bytes, stored (PKWARE, APPNOTE 4.3)."""
    body, directory = b"", b""
    for seed, name in enumerate(names):
        data = noise(seed)
        common = struct.pack("<HHHHIIIHH", flags, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name), 0)
        fields = common[:-2] + struct.pack("<HHHHII", len(extra(name)), 0, 0, 0, 0, len(body))
        directory += struct.pack("<4sBBH", b"PK\1\2", 20, system, 20) + fields + name + extra(name)
        body += b"PK\3\4\x14\0" + common + name + data
    end = struct.pack("<HHHHIIH", 0, 0, len(names), len(names), len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


def list_raw(names: Sequence[bytes], **options: object) -> ZipFiles:
    return list_zip(io.BytesIO(pack_raw(names, **options)), Path(), 10**9)  # type: ignore[arg-type]


SYSTEMS = {
    "cp932": ["表.jpg", "ソ.jpg", "猫/1.jpg", "能面/2.jpg", "猫/表示.jpg"],
    "gbk": ["照片/猫.jpg", "照片/狗.jpg", "动物/鸟.jpg"],
    "big5": ["照片/貓.jpg", "照片/狗.jpg", "功能/許蓋.jpg"],
    "cp949": ["고양이/1.jpg", "강아지/2.jpg"],
    "cp866": ["Кошка/1.jpg", "Собака/2.jpg"],
    "cp1251": ["кошки/серая.jpg", "собаки/белая.jpg"],
    "cp437": ["Müller/1.jpg", "façade/2.jpg"],
    "cp850": ["Größe/1.jpg", "Käse/2.jpg", "façade/3.jpg"],
    "cp1252": ["Größe/1.jpg", "Käse/2.jpg"],
    "utf-8": ["Ærø/1.jpg", "Łódź/2.jpg"],
    "ascii": ["dogs/1.jpg", "cats/2.jpg"],
}


@pytest.mark.parametrize("encoding", SYSTEMS)
def test_names_are_read_as_they_were_written(encoding: str) -> None:
    names = SYSTEMS[encoding]
    files = list_raw([name.encode(encoding) for name in names])
    assert list(files.names) == names and not files.skipped_files
    assert bool(files.notes) == (encoding not in ("utf-8", "ascii"))
    assert all(f"“{names[0]}”" in note for note in files.notes)


def test_labels_of_a_japanese_zip() -> None:
    dataset = read(pack_raw([name.encode("cp932") for name in ("猫/表.jpg", "猫/ソ.jpg", "能面/予.jpg")]))
    assert labels(dataset) == ["猫", "猫", "能面"] and "Japanese" in dataset.notes[0]


@pytest.mark.parametrize("name", ["表.jpg", "ソ.jpg", "十/能.jpg"])
def test_one_short_name_loses_no_picture(name: str) -> None:
    files = list_raw([name.encode("cp932")])
    assert list(files.names) == [name] and "guess" in files.notes[0]


@pytest.mark.parametrize(
    ("names", "system", "expected"),
    [
        (["dogs\\1.jpg", "cats\\2.jpg"], FAT, ["dogs/1.jpg", "cats/2.jpg"]),
        (["猫の写真\\表.jpg", "犬の写真\\2.jpg"], FAT, ["猫の写真/表.jpg", "犬の写真/2.jpg"]),
        (["dogs\\1.jpg", "cats\\2.jpg"], UNIX, ["dogs/1.jpg", "cats/2.jpg"]),
        # Signs of a name, as on Linux.
        (["a\\b.jpg", "c.jpg"], UNIX, ["a\\b.jpg", "c.jpg"]),
        (["AC\\DC.jpg"], UNIX, ["AC\\DC.jpg"]),
        (["x/a\\b.jpg", "y\\c.jpg"], FAT, ["x/a\\b.jpg", "y\\c.jpg"]),
    ],
)
def test_a_backslash_parts_folders_where_it_is_one(names: list[str], system: int, expected: list[str]) -> None:
    files = list_raw([name.encode("cp932") for name in names], system=system)
    assert list(files.names) == expected and not files.skipped_files


def unicode_path(name: str, crc: int = 0) -> Callable[[bytes], bytes]:
    """Build Info-ZIP's extra field with a name in UTF-8 for the raw name; `crc` falsifies what it belongs to."""

    def build(raw: bytes) -> bytes:
        data = b"\1" + struct.pack("<I", zlib.crc32(raw) ^ crc) + name.encode()
        return struct.pack("<HHB", 0x5455, 1, 0) + struct.pack("<HH", 0x7075, len(data)) + data

    return build


def test_the_name_in_the_extra_field_counts() -> None:
    assert list(list_raw([b"____.jpg"], extra=unicode_path("猫/ñ.jpg")).names) == ["猫/ñ.jpg"]
    assert list_raw([b"____.jpg"], extra=unicode_path("猫.jpg")).notes == ()
    assert list(list_raw([b"dog.jpg"], extra=unicode_path("猫.jpg", crc=1)).names) == ["dog.jpg"]
    assert list(list_raw([b"dog.jpg"], extra=lambda _: b"\x75\x70\1\0\1").names) == ["dog.jpg"]


def test_names_that_become_one_keep_both_pictures() -> None:
    composed = [unicodedata.normalize(form, "Käse/é.jpg").encode() for form in ("NFC", "NFD")]
    for flags in (0, UTF8):
        files = list_raw(composed, system=UNIX, flags=flags)
        assert list(files.names) == ["Käse/é.jpg", "Käse/é (2).jpg"] and not files.skipped_files
    assert set(list_raw([b"a\1.jpg", b"a\2.jpg", b"a\3.jpg"]).names) == {
        "a\ufffd.jpg", "a\ufffd (2).jpg", "a\ufffd (3).jpg"
    }  # fmt: skip
    same = list_raw([b"a.jpg", b"a.jpg"])
    assert list(same.names) == ["a.jpg"] and same.skipped_files[0][0] == "a.jpg"


def test_a_picture_without_a_name_is_listed_and_hidden_ones_are_counted() -> None:
    dataset = read(pack_raw([b"\0.jpg", b".jpg", b"x/.secret.png", b"x/a.png", b"x//b.png", b"./c.png"]))
    assert dataset.names == ("c.png", "x/a.png", "x/b.png") and dataset.skipped_files[0][1].startswith("This file has")
    assert "Left out, because their names or folders begin with a dot and are hidden: 2." in dataset.notes


LITTER = (
    "__MACOSX/x/._a.png __macosx/a.png x/._a.png x/.DS_Store x/Thumbs.db x/THUMBS.DB x/Desktop.ini .git/a.png "
    "x/.ipynb_checkpoints/a.png x/@eaDir/a.png x/@EADIR/a.png x/~$a.png .thumbnails/a.png "
    "$RECYCLE.BIN/a.png x/ehthumbs.db"
)


def test_litter_of_systems_is_neither_read_nor_counted() -> None:
    litter = LITTER.split()
    dataset = read(
        pack_raw([name.encode() for name in [*litter, "x/cat/1.png", "x/dog/git/2.png", "x/dog/thumbs/3.png"]])
    )
    assert dataset.names == ("x/cat/1.png", "x/dog/git/2.png", "x/dog/thumbs/3.png")
    assert labels(dataset) == ["cat", "dog", "dog"]
    assert dataset.unread == 0 and dataset.skipped_files == () and dataset.notes == ()
