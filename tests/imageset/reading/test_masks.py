"""Masks: from transparency or a drawn PNG, in the size of the picture as it is opened."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter
from PIL.ExifTags import Base as ExifTag

from tests.imageset.zip_builder import encode_picture, noise, pack_zip, picture
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading.file_roles import masked_stems
from xai_core.imageset.sets import library
from xai_core.imageset.sets.builtin import tux_paint
from xai_core.imageset.sets.library import find_set, load_set
from xai_core.imageset.sets.uploaded import read_zip

WIDE = (16, 12)


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path / "data"))


def read(files: dict[str, bytes]) -> ImageSet:
    return read_zip(io.BytesIO(pack_zip(files)), "x")


def half(size: tuple[int, int] = WIDE) -> npt.NDArray[np.bool_]:
    """The left half of a picture, (H, W)."""
    return np.tile(np.arange(size[0]) < size[0] // 2, (size[1], 1))


def cut_out(object_: npt.NDArray[np.bool_]) -> Image.Image:
    image = Image.new("RGBA", object_.shape[::-1], (200, 30, 30, 0))
    image.putalpha(Image.fromarray(np.where(object_, 255, 0).astype(np.uint8)))
    return image


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_the_mask(kind: str) -> None:
    cut = encode_picture(cut_out(half()), kind)  # type: ignore[arg-type]
    dataset = read({"a/cut." + kind.lower(): cut, "b/whole.png": picture()})
    assert dataset.has_masks and dataset.mask_flags.tolist() == [True, False]
    mask = dataset.mask(0)
    assert mask is not None and mask.dtype == np.bool_ and np.array_equal(mask, half()) and dataset.mask(1) is None
    assert dataset.open(0).getpixel((15, 0)) == (255, 255, 255)  # what is cut out lies on white


def test_transparency_that_tells_nothing_is_no_mask() -> None:
    dataset = read({"a.png": picture((200, 30, 30, 255)), "b.png": picture((200, 30, 30, 60))})
    assert not dataset.has_masks and dataset.mask(0) is None and dataset.notes == ()


def test_the_mask_turns_and_shrinks_with_its_picture() -> None:
    exif = Image.Exif()
    exif[ExifTag.Orientation] = 6  # shown a quarter turn clockwise
    out = io.BytesIO()
    cut_out(half((1400, 700))).save(out, "PNG", exif=exif)
    dataset = read({"a.png": out.getvalue()})
    mask = dataset.mask(0)
    assert dataset.open(0).size == (512, 1024) and mask is not None and mask.shape == (1024, 512)
    assert mask[:510].all() and not mask[514:].any()  # the left half is the upper one now


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("masks/rex.png", ("rex",)),
        ("masks/dogs/rex.png", ("dogs/rex",)),
        ("pets/Masks/dogs/rex.png", ("pets/dogs/rex",)),
        ("dogs/masks/rex.png", ("dogs/rex",)),
        ("dogs/rex_mask.png", ("dogs/rex",)),
        ("dogs/rex.MASK.png", ("dogs/rex",)),
        ("dogs/rex.png", ()),
        ("dogs/rex_mask.jpg", ()),
        ("_mask.png", ()),
    ],
)
def test_which_picture_a_mask_belongs_to(name: str, expected: tuple[str, ...]) -> None:
    assert masked_stems(name) == expected


@pytest.mark.parametrize("name", ["masks/dogs/rex.png", "dogs/rex_mask.png", "dogs/rex.mask.png"])
def test_a_drawn_mask(name: str) -> None:
    grey = encode_picture(Image.fromarray(np.where(half(), 255, 0).astype(np.uint8)))
    dataset = read({name: grey, "note.txt": b"", "dogs/rex.jpg": picture(kind="JPEG"), "cats/mia.png": noise(1)})
    assert dataset.names == ("cats/mia.png", "dogs/rex.jpg") and dataset.classes == ("cats", "dogs")
    mask = dataset.mask(1)
    assert mask is not None and np.array_equal(mask, half()) and dataset.mask(0) is None
    again = _from_disk(dataset)
    assert np.array_equal(again.mask(1), half())


def _from_disk(dataset: ImageSet) -> ImageSet:
    library._RECENT.pop(dataset.id)
    again = find_set(dataset.id)
    assert again is not None and again is not dataset
    return again


def test_a_folder_of_masks_without_pictures_is_a_class() -> None:
    dataset = read({"masks/a.png": noise(1), "faces/b.png": noise(2), "lone_mask.png": noise(3)})
    assert len(dataset) == 3 and dataset.classes == ("faces", "masks") and not dataset.has_masks


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (Image.fromarray(np.where(half(), 255, 0).astype(np.uint8)), half()),
        (Image.fromarray(np.where(half(), np.arange(16) % 5 + 1, 0).astype(np.uint8)), half()),  # numbers of objects
        (Image.fromarray(np.where(half(), 255, 90).astype(np.uint8)), half()),  # grey background
        (
            Image.fromarray((half()[..., None] * np.tile([[100, 0, 0], [224, 224, 192]], (8, 1))).astype(np.uint8)),
            half(),
        ),  # colours of kinds
        (cut_out(half()), half()),
        (Image.fromarray(half((32, 24))), half()),  # twice the size
        (Image.new("L", WIDE, 0), None),
        (Image.new("L", WIDE, 255), None),
        (Image.fromarray(half((16, 16))), None),
    ],
    ids=["white", "numbers", "grey", "colour", "transparent", "larger", "nothing", "all", "other shape"],
)
def test_what_a_drawn_mask_marks(drawn: Image.Image, expected: npt.NDArray[np.bool_] | None) -> None:
    dataset = read({"a.png": picture(), "a_mask.png": encode_picture(drawn)})
    if expected is None:
        assert (
            not dataset.has_masks
            and dataset.notes[0].startswith("Masks left out")
            and dataset.notes[0].endswith(": 1.")
        )
    else:
        assert np.array_equal(dataset.mask(0), expected)


def test_a_broken_mask_costs_only_itself() -> None:
    dataset = read({"a.png": picture(), "a_mask.png": b"x", "b.png": noise(1), "masks/b.png": noise(2)[:100]})
    assert dataset.names == ("a.png", "b.png") and not dataset.has_masks and dataset.notes[0].endswith("of it: 2.")


def photo(kind: str = "PNG", seed: int = 0) -> bytes:
    """A picture without flat places, as photographs are."""
    return encode_picture(
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)), kind
    )


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_a_png_of_a_pictures_own_name_is_its_mask_if_it_is_drawn_like_one(mode: str) -> None:
    drawn = encode_picture(Image.fromarray(half((32, 24))).convert(mode))
    cats = {"a/mia.jpg": photo("JPEG", 1), "a/mia.png": photo(seed=2)}
    dataset = read({"a/rex.jpg": photo("JPEG"), "a/rex.png": drawn, "b/rex.png": drawn, **cats})
    assert dataset.names == ("a/mia.jpg", "a/mia.png", "a/rex.jpg", "b/rex.png"), (
        "a second photograph is one, and so is a drawing by itself"
    )
    assert (
        dataset.mask_flags.tolist() == [False, False, True, False] and not dataset.skipped_files and not dataset.notes
    )
    assert np.array_equal(dataset.mask(2), half((32, 24)))


def test_soft_edges_do_not_make_a_mask_a_photograph() -> None:
    drawn = Image.fromarray(half((320, 240))).convert("L").filter(ImageFilter.GaussianBlur(3))
    assert len(set(drawn.tobytes())) > 16
    assert read({"rex.webp": photo("WEBP"), "rex.png": encode_picture(drawn)}).mask_flags.tolist() == [True]


def test_a_png_that_fits_no_picture_of_its_name_stays_a_picture() -> None:
    """A drawing is drawn like a mask, but it has another shape, or marks all there is."""
    tall, full = Image.new("L", (12, 60)), Image.new("L", WIDE, 255)
    tall.paste(255, (0, 0, 6, 60))
    dataset = read(
        {
            "a.jpg": picture(kind="JPEG"),
            "a.png": encode_picture(tall),
            "b.jpg": picture(kind="JPEG"),
            "b.png": encode_picture(full),
        }
    )
    assert dataset.names == ("a.jpg", "a.png", "b.jpg", "b.png") and not dataset.has_masks and dataset.notes == ()


@pytest.mark.parametrize(
    "folders", [("images", "masks"), ("JPEGImages/Images", "JPEGImages/masks"), ("pets/img", "pets/masks")]
)
def test_masks_in_a_folder_beside_that_of_the_pictures(folders: tuple[str, str]) -> None:
    mask = encode_picture(Image.fromarray((half() * 255).astype(np.uint8)))
    pictures, masks = folders
    dataset = read(
        {
            f"{pictures}/cup/rex.png": picture(),
            f"{pictures}/dog/mia.jpg": picture(kind="JPEG"),
            f"{masks}/cup/rex.png": mask,
        }
    )
    assert dataset.names == (f"{pictures}/cup/rex.png", f"{pictures}/dog/mia.jpg") and dataset.classes == ("cup", "dog")
    assert dataset.mask_flags.tolist() == [True, False]
    assert np.array_equal(dataset.mask(0), half())  # type: ignore[arg-type]


def test_a_broken_png_beside_a_picture_is_told() -> None:
    dataset = read({"rex.jpg": photo("JPEG"), "rex.png": b"x", "rex_mask.png": encode_picture(cut_out(half((32, 24))))})
    assert (
        dataset.names == ("rex.jpg",)
        and dataset.mask_flags.tolist() == [True]
        and dataset.skipped_files[0][0] == "rex.png"
    )


def test_where_a_picture_ends_and_its_mask_begins_belongs_to_the_set() -> None:
    mask = encode_picture(cut_out(half((32, 24))))
    with_mask, appended = {"rex.jpg": photo("JPEG"), "rex_mask.png": mask}, {"rex.jpg": photo("JPEG") + mask}
    assert read(with_mask).id != read(appended).id and not read(appended).has_masks


def test_another_mask_makes_another_set() -> None:
    files = {"a.png": picture(), "a_mask.png": encode_picture(cut_out(half()))}
    assert read(files).id != read({**files, "a_mask.png": encode_picture(cut_out(~half()))}).id


def test_stamps_where_the_package_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "stamps"
    for name, data in {
        "animals/cat.png": encode_picture(cut_out(half())),
        "food/pie.png": encode_picture(cut_out(~half())),
        "symbols/a.png": noise(1),
        "food/pie.svg": b"<svg/>",
        "animals/cat.ogg": b"meow",
        "animals/cat.txt": b"A cat.",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    monkeypatch.setattr(tux_paint, "STAMPS", folder)
    monkeypatch.delitem(library._BUILT_IN, "tux_stamps", raising=False)
    dataset = load_set("tux_stamps")
    assert dataset.names == ("animals/cat.png", "food/pie.png") and dataset.classes == ("animals", "food")
    assert (
        dataset.name == "tux_stamps"
        and dataset.notes == ()
        and dataset.skipped_files == ()
        and dataset.mask_flags.all()
    )
    assert np.array_equal(dataset.mask(1), ~half()) and load_set("tux_stamps") is dataset
    monkeypatch.delitem(library._BUILT_IN, "tux_stamps")
    assert find_set(dataset.id) is not dataset and find_set(dataset.id).id == dataset.id  # type: ignore[union-attr]
    monkeypatch.delitem(library._BUILT_IN, "tux_stamps")
