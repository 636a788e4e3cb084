"""Honest zips, and hostile or broken ones, which are refused in words."""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.imageset.zip_builder import (
    CENTRAL,
    LINK_MODE,
    PETS,
    encode_picture,
    labels,
    lying,
    noise,
    pack_zip,
    picture,
    read,
)
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidImage, InvalidSet
from xai_core.images import read_image
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading import ingest, zip_files
from xai_core.imageset.sets import disk, library, uploaded
from xai_core.imageset.sets.library import find_set
from xai_core.imageset.sets.uploaded import read_zip


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path / "data"))
    yield
    assert not list(disk.cache().root.glob(".new-*")), "something unfinished was left"


# Honest zips


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_pictures_labels_and_thumbnails(method: int) -> None:
    dataset = read(pack_zip(PETS, method))
    assert dataset.names == tuple(sorted(PETS)) and len(dataset) == 3
    assert dataset.classes == ("cats", "dogs") and labels(dataset) == ["cats", "dogs", "dogs"]
    assert (
        dataset.title == "pets"
        and dataset.name == dataset.id
        and dataset.skipped_files == ()
        and dataset.notes == ()
        and not dataset.has_masks
    )
    for row, name in enumerate(dataset.names):
        assert dataset.open(row).tobytes() == read_image(PETS[name]).tobytes()
    thumbs = dataset.thumbnails()
    assert (
        thumbs.shape == (3, 48, 48, 3)
        and thumbs.dtype == np.uint8
        and isinstance(thumbs, np.memmap)
        and not thumbs.flags.writeable
    )
    assert (thumbs[0] == (9, 9, 200)).all() and (thumbs[2] == (200, 30, 30)).all()


def test_the_same_files_are_the_same_set_and_others_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pack_zip(PETS)
    path = tmp_path / "anything.zip"
    path.write_bytes(data)
    first = read(data)
    assert read(pack_zip(PETS, zipfile.ZIP_STORED)).id == first.id
    assert read(pack_zip({**PETS, "pets/cats/mia.png": picture((9, 9, 201))})).id != first.id
    assert read(pack_zip({**PETS, "pets/cats/tom.png": noise(1)})).id != first.id
    monkeypatch.setattr(uploaded, "ingest", None)  # the second time nothing is read
    assert read_zip(path).id == first.id and len(first.id) == 24


def test_the_zip_itself_may_go(tmp_path: Path) -> None:
    path = tmp_path / "pets.zip"
    path.write_bytes(pack_zip(PETS))
    dataset = read_zip(path)
    path.unlink()
    assert dataset.open(0).size == (16, 12)


def test_names_from_other_systems() -> None:
    dataset = read(pack_zip({"a\\dogs\\x.png": noise(1), "a\\cats\\y\x07.PNG": noise(2)}))
    assert dataset.names == ("a/cats/y\N{REPLACEMENT CHARACTER}.PNG", "a/dogs/x.png") and dataset.classes == (
        "cats",
        "dogs",
    )


def test_names_in_utf8_that_do_not_say_so() -> None:
    """As macOS packs them: without the flag, and letters with accents in two signs."""
    plain, letters = "Käse", unicodedata.normalize("NFD", "Käse").encode()
    data = pack_zip({"p/K###se/a.png": noise(1), "p/x/b.png": noise(2)}).replace(b"K###se", letters)
    dataset = read(data)
    assert dataset.names == (f"p/{plain}/a.png", "p/x/b.png") and dataset.classes == (plain, "x")
    old = pack_zip({"p/K#se/a.png": noise(1), "p/x/b.png": noise(2)}).replace(b"K#se", plain.encode("cp437"))
    assert read(old).classes == (plain, "x"), "and those of DOS are still read"


def test_a_table_and_names_that_write_accents_otherwise() -> None:
    files = {unicodedata.normalize("NFD", "Käse.png"): noise(1), "b.png": noise(2)}
    dataset = read(pack_zip({**files, "labels.csv": "Käse.png,über\nb.png,unter".encode()}))
    assert (
        dict(zip(dataset.names, labels(dataset), strict=True)) == {"Käse.png": "über", "b.png": "unter"}
        and dataset.notes == ()
    )


def test_a_colon_in_a_name_is_no_drive() -> None:
    assert read(pack_zip({"A: my cat.png": noise(1)})).names == ("A: my cat.png",)


def test_what_cannot_be_read_is_listed_and_skipped() -> None:
    broken = noise(3)[:200]
    files = {
        **PETS,
        "pets/cats/b.png": broken,
        "pets/more.zip": pack_zip(PETS),
        "pets/cats/photo.heic": b"\0\0\0\x18ftypheic" + bytes(50),
    }
    dataset = read(
        pack_zip(
            {
                **files,
                "pets/a.txt": b"",
                "__MACOSX/pets/._mia.png": b"\0",
                "pets/.DS_Store": b"",
                "pets/LICENSE": b"free",
            }
        )
    )
    words = dict(dataset.skipped_files)
    assert set(words) == {"pets/cats/b.png", "pets/more.zip", "pets/cats/photo.heic"} and len(dataset) == 3
    assert (
        "damaged" in words["pets/cats/b.png"]
        and "Unpack it first" in words["pets/more.zip"]
        and "HEIC" in words["pets/cats/photo.heic"]
    )
    assert dataset.notes == (
        "Ignored, because their names do not end as a picture's does (.jpg, .png …): 1 without an ending, 1 .txt.",
    )


def test_large_and_oddly_packed_members_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_files, "MAX_BYTES", 2000)
    out = io.BytesIO(pack_zip({"a.png": noise(1), "b.png": noise(2, side=40)}))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("c.png", noise(3))
    dataset = read(lying(out.getvalue(), 0))
    assert dataset.names == ("a.png",) and [name for name, _ in dataset.skipped_files] == ["b.png", "c.png"]


def test_deep_names_are_skipped() -> None:
    """They would be gone into again and again, to tell labels and masks."""
    deep = {
        "train/test/" * 100 + "a.png": noise(1),
        "test/train/" * 100 + "b.png": noise(2),
        "masks/" * 300 + "c.png": noise(3),
    }
    dataset = read(pack_zip({**deep, "d.png": noise(4)}))
    assert dataset.names == ("d.png",) and len(dataset.skipped_files) == 3 and "too long" in dataset.skipped_files[0][1]


def test_a_second_file_of_a_name_is_skipped() -> None:
    dataset = read(pack_zip({"a.png": noise(1), "b.png": noise(2)}).replace(b"b.png", b"a.png"))
    assert dataset.open(0).tobytes() == read_image(noise(1)).tobytes() and dataset.skipped_files[0][0] == "a.png"


def test_what_was_left_out_belongs_to_the_set() -> None:
    """The same pictures with a broken one are another set, which names it, though others are stored."""
    whole, more = read(pack_zip(PETS)), read(pack_zip({**PETS, "pets/torn.png": b"x"}))
    assert whole.id != more.id and not whole.skipped_files and more.skipped_files[0][0] == "pets/torn.png"
    assert read(pack_zip({**PETS, "notes.txt": b"x"})).notes and read(pack_zip(PETS)).id == whole.id


# Refusals


def png_of_size(size: int) -> bytes:
    """A zip whose one member says in 64 bits how large it is (APPNOTE 4.5.3)."""
    info, out = zipfile.ZipInfo("a.png"), io.BytesIO()
    info.extra = struct.pack("<HHQ", 1, 8, size)
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, noise(1))
    return lying(out.getvalue(), 0, size=2**32 - 1)


ZEROS = zlib.compress(bytes(3_000_000), wbits=-15)
GOOD = pack_zip({"a.png": noise(1), "b.png": noise(2)}, zipfile.ZIP_STORED)
BOMB = pack_zip({"a.png": bytes(3_000_000), "b.png": noise(2)})
HUGE = pack_zip({"a.bmp": bytes(27 * 2**20)})
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not a zip"),
    "no zip": (noise(1), "not a zip"),
    "cut off": (GOOD[:-30], "not a zip"),
    "no members": (pack_zip({}), "no picture"),
    "no pictures": (pack_zip({"a.txt": b"x", "b": b"y"}), "no picture in this zip. Got 1 .txt, 1 without an ending."),
    "a text with a long name": (pack_zip({"x" * 2000 + ".txt": b"x"}), "There is no picture"),
    "one, broken": (pack_zip({"a.png": b"x"}), "The only picture"),
    "only broken": (pack_zip({"a.png": b"x", "b.png": b"y"}), "None of the 2 pictures"),
    "only oddly packed": (pack_zip(PETS, zipfile.ZIP_LZMA), "ordinary zip"),
    "only a zip": (pack_zip({"more.zip": GOOD}), "Unpack it first"),
    "absolute": (pack_zip({"/etc/a.png": noise(1)}), "outside"),
    "drive": (pack_zip({"C:\\a.png": noise(1)}), "outside"),
    "up": (pack_zip({"x/../../a.png": noise(1)}), "outside"),
    "up, Windows": (pack_zip({"x\\..\\..\\a.png": noise(1)}), "outside"),
    "up, no picture": (pack_zip({"a.png": noise(1), "../cron.txt": b""}), "outside"),
    "link": (lying(GOOD, 0, links=LINK_MODE), "link"),
    "password": (lying(GOOD, 1, flags=1), "password"),
    "says less than it is": (lying(BOMB, 0, size=1000), "built to unpack"),
    "says much more": (lying(GOOD, 0, size=2**31 - 1), "built to unpack"),
    "unpacks to very much": (HUGE, "built to unpack"),
    "on top of each other": (lying(GOOD, 1, offset=0), "built to unpack"),
    "64 bits": (png_of_size(2**63), "not a zip"),
    "64 bits, all": (png_of_size(2**64 - 1), "not a zip"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_words(case: str) -> None:
    data, words = REFUSED[case]
    with pytest.raises(InvalidSet, match=words) as caught:
        read(data)
    assert str(caught.value).endswith(".") and len(str(caught.value)) < 400
    assert not list(disk.cache().root.glob("[0-9a-f]*"))


def test_the_bomb_is_one() -> None:
    """It would unpack to far more than it is made to say."""
    assert len(BOMB) < 10_000 and len(zipfile.ZipFile(io.BytesIO(BOMB)).read("a.png")) == 3_000_000


@pytest.mark.parametrize(
    ("data", "words"),
    [(GOOD, "disk is full"), (pack_zip({f"{n}.bmp": bytes(2**20) for n in range(9)}), "built to unpack")],
)
def test_more_than_the_disk_has_room_for(data: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An honest zip is only too large; a small one that unpacks to more than the disk holds is not honest."""
    usage = uploaded.shutil.disk_usage(".")
    monkeypatch.setattr(uploaded.shutil, "disk_usage", lambda _: usage._replace(free=len(noise(1)) + 10))
    with pytest.raises(InvalidSet, match=words):
        read(data)


def test_all_that_could_not_be_read_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MAX_LISTED", 2)
    dataset = read(pack_zip({"a.png": noise(1), "b.png": b"x", "c.png": b"y", "d.png": b"z"}))
    assert dataset.unread == 3 and [name for name, _ in dataset.skipped_files] == ["b.png", "c.png"]
    again = find_set(dataset.id)
    assert again is not None and again.unread == 3


@pytest.mark.parametrize(("limit", "value"), [("MAX_FILES", 1), ("_MAX_DIRECTORY", 100)])
def test_too_many_members_are_refused_before_they_are_listed(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_files, limit, value)
    monkeypatch.setattr(zipfile, "ZipInfo", None)  # what would be made of each
    with pytest.raises(InvalidSet, match="200,000"):
        read(GOOD)


def test_a_set_larger_than_all_the_room_for_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYBOX_SETS_MB", "0")
    with pytest.raises(InvalidSet, match="too large to keep"):
        read(GOOD)


def test_damage_inside_is_that_of_one_picture() -> None:
    data = bytearray(pack_zip({"a.png": noise(1), "b.png": noise(2)}, zipfile.ZIP_STORED))
    data[data.index(noise(2)) + 300] ^= 1
    dataset = read(bytes(data))
    assert dataset.names == ("a.png",) and "damaged inside the zip" in dataset.skipped_files[0][1]


@pytest.mark.parametrize(
    "change", [lambda data: lying(data, 1, packed=2**31 - 1), lambda data: lying(data, 1, offset=2**31)]
)
def test_a_member_beyond_the_end(change: Callable[[bytes], bytes]) -> None:
    data = change(GOOD)
    assert zip_files.list_zip(io.BytesIO(data), Path(), 10**9).skipped_files[0][0] == "b.png"  # known before it is read
    assert read(data).names == ("a.png",)


def test_noise_is_refused_in_words() -> None:
    """Bytes changed anywhere: a set, or a sentence."""
    rng = np.random.default_rng(0)
    start = GOOD.index(CENTRAL)
    outcomes = set()
    for turn in range(120):
        data = bytearray(GOOD)
        low = start if turn % 2 else 0
        for at in rng.integers(low, len(data), 1 + turn % 4):
            data[at] = rng.integers(256)
        try:
            outcomes.add(len(read(bytes(data))))
        except InvalidSet:
            outcomes.add(0)
    assert outcomes == {0, 1, 2}


def test_a_file_that_cannot_be_read_or_opened(tmp_path: Path) -> None:
    class Closing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError

    for source in (tmp_path / "none.zip", tmp_path, "a\0b", Closing(GOOD)):
        with pytest.raises(InvalidSet):
            read_zip(source)


# Progress, cancelling, keeping


def test_progress_and_cancelling() -> None:
    job: Job[ImageSet] = Job()
    read_zip(io.BytesIO(GOOD), job=job)
    assert job.done == job.total == 1 + 2  # one piece copied, two pictures read

    class Stopped(Job[ImageSet]):
        def tick(self, evaluations: int = 0) -> None:
            super().tick(evaluations)
            if self.done == 2:
                self.cancel()

    with pytest.raises(Cancelled):
        read_zip(io.BytesIO(pack_zip(PETS)), job=Stopped())
    assert len(list(disk.cache().root.glob("[0-9a-f]*"))) == 1


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk.np, "save", full)
    with pytest.raises(InvalidSet, match="disk is full"):
        read(GOOD)


def test_a_set_that_is_gone_says_so() -> None:
    dataset = read(GOOD)
    library.forget_set(dataset.id)
    for use in (dataset.thumbnails, lambda: dataset.open(0)):
        with pytest.raises(InvalidSet, match="no longer kept"):
            use()
    assert find_set(dataset.id) is None and not library.forget_set(dataset.id)


def test_members_changed_on_disk_are_noticed() -> None:
    dataset = read(GOOD)
    copy = disk.cache().root / dataset.id / "set.zip"
    data = bytearray(copy.read_bytes())
    data[data.index(noise(1)) + 200] ^= 1
    copy.write_bytes(data)
    with pytest.raises(InvalidImage):
        dataset.open(0)
    assert encode_picture(dataset.open(1)) == encode_picture(read_image(noise(2)))
