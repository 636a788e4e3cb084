"""Saved pictures: every word is found in the pixels, drawn large enough to be read at 600 pixels, and the colours."""

from __future__ import annotations

import datetime as dt
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.render.test_overlay import attribution
from xai_core.render import PALETTES, SavedMap, Sheet, overlay, saved_picture_png

DATE = dt.date(2026, 3, 9)
GAP, SIDE = 24, 448
# The smallest letters that are readable, and the width of a picture on a slide.
MIN_PX, SLIDE_PX = 12, 600
PHOTO = Image.new("RGB", (28, 28), (90, 120, 90))
HEAT = np.linspace(-1, 1, 28 * 28).reshape(28, 28)


def build_map(values: np.ndarray = HEAT, probability: float | None = 0.73, verdict: str = "Read with care") -> SavedMap:
    result = attribution(values)
    details = {} if probability is None else {"probability": probability}
    object.__setattr__(result, "details", details)
    return SavedMap(PHOTO, result, "Grad-CAM · region map", "Small network", verdict)


def draw(*maps: SavedMap, sheet: Sheet | None = None) -> np.ndarray:
    image = Image.open(io.BytesIO(saved_picture_png(maps, DATE, sheet)))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB"))


def find_text(picture: np.ndarray, text: str, left: int = GAP) -> int | None:
    """Return the size of the letters of a line that begins with this text at x = left, None where there is none."""
    ink = picture.min(axis=2) < 160
    for size in range(10, 40):
        font = ImageFont.load_default(size)
        width, height = (int(edge) + 1 for edge in font.getbbox(text)[2:])
        if left + width > picture.shape[1]:
            return None
        paper = Image.new("L", (width, height), 255)
        ImageDraw.Draw(paper).text((0, 0), text, 26, font)
        letters = np.asarray(paper) < 100
        tops = np.arange(picture.shape[0] - height)
        for row, column in list(zip(*np.nonzero(letters), strict=True))[::7]:
            tops = tops[ink[tops + row, left + column]]
        # Ink wherever the text has some, and none on the paper around it.
        for top in tops:
            patch = ink[top : top + height, left : left + width]
            if patch[letters].all() and (patch & ~(np.asarray(paper) < 254)).sum() <= 2:
                return size
    return None


@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_word_is_there_and_readable_on_a_slide(count: int) -> None:
    picture = draw(*[build_map()] * count)
    verdict, model = "Verdict: Read with care", "Model: Small network"
    for text in ("espresso · 73 %", "Grad-CAM · region map", model, verdict, "Full colour:"):
        for column in range(min(count, 2)):
            size = find_text(picture, text, GAP + column * (SIDE + GAP))
            assert size is not None, text
            assert size * SLIDE_PX / picture.shape[1] >= MIN_PX, (text, size)
    for text in ("Whybox · 9 March 2026", "against"):
        assert find_text(picture, text) is not None, text
    assert find_text(picture, "espresso · 74 %") is None, "the search finds what is there only"


def test_an_unknown_probability_is_left_out() -> None:
    picture = draw(build_map(probability=None))
    assert find_text(picture, "espresso") is not None
    assert find_text(picture, "espresso ·") is None


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("signed", [True, False])
def test_the_colour_bar_has_the_colours_of_the_map(palette: str, *, signed: bool) -> None:
    picture = draw(build_map(HEAT if signed else np.abs(HEAT)), sheet=Sheet(palette, 0.5)).astype(int)
    table = PALETTES[palette].signed[1:] if signed else PALETTES[palette].unsigned
    left, right = ((table[at, :3].astype(int), table[at, 3] / 255) for at in (0, -1))
    ends = [np.round(colour * cover + 255 * (1 - cover)) for colour, cover in (left, right)]
    rows = [
        row
        for row in range(picture.shape[0])
        if np.abs(picture[row, GAP] - ends[0]).max() <= 1
        and np.abs(picture[row, GAP + SIDE - 1] - ends[1]).max() <= 1
        and picture[row, GAP + 1 : GAP + SIDE - 1].min() < 250
    ]
    assert len(rows) >= 10
    if signed:
        assert picture[rows[5], GAP + SIDE // 2].min() > 250, "zero has no colour"


def test_the_map_is_drawn_as_it_is_and_at_most_two_stand_side_by_side() -> None:
    expected = np.asarray(overlay(PHOTO, HEAT, "even", 0.5, 0.98, signed=True))
    for count, width in ((1, GAP + SIDE + GAP), (2, GAP + 2 * (SIDE + GAP)), (5, GAP + 2 * (SIDE + GAP))):
        picture = draw(*[build_map()] * count, sheet=Sheet("even", 0.5))
        assert picture.shape[1] == width
        assert picture.shape[0] > -(-count // 2) * SIDE
    single = draw(build_map(), sheet=Sheet("even", 0.5))
    tops = [
        top
        for top in range(single.shape[0] - SIDE)
        if (np.abs(single[top : top + SIDE, GAP : GAP + SIDE].astype(int) - expected) <= 8).all()
    ]
    assert len(tops) == 1


def test_long_names_stay_on_the_paper() -> None:
    long = SavedMap(PHOTO, attribution(HEAT), "a method of many words " * 12, "word" * 60, "Read with care")
    picture = draw(long)
    assert (picture[:, -GAP:] > 250).all()


def test_nothing_to_save_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a map"):
        saved_picture_png([], DATE)
