"""Sentences about maps: a planted place is named, a flat map names none."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.render.words import PLACES, describe, exceeds_scale, is_flat, peak_of, scale_caption, text_alternative


def blob(place: str, side: int = 90, strength: float = 1.0) -> np.ndarray:
    row, column = divmod(PLACES.index(place), 3)
    heat = np.zeros((side, side))
    heat[side // 3 * row + 10 : side // 3 * row + 20, side // 3 * column + 10 : side // 3 * column + 20] = strength
    return heat


@pytest.mark.parametrize("place", PLACES)
def test_a_planted_place_is_named(place: str) -> None:
    assert text_alternative(blob(place)) == f"Most evidence: {place}."
    assert text_alternative(blob(place, strength=-1.0)) == f"No evidence for the class. Evidence against: {place}."


def test_both_signs_and_two_places() -> None:
    assert (
        text_alternative(blob("centre left") - blob("top right"))
        == "Most evidence: centre left. Evidence against: top right."
    )
    assert text_alternative(blob("centre") + 0.9 * blob("bottom centre")) == "Most evidence: centre and bottom centre."
    assert text_alternative(blob("centre") + 0.5 * blob("bottom centre")) == "Most evidence: centre."
    assert text_alternative(blob("centre") - 0.01 * blob("top left")) == "Most evidence: centre.", (
        "a trace against is not worth a sentence"
    )
    mixed = blob("centre")
    mixed[40:45, 40:50] = -1
    assert text_alternative(mixed) == "Most evidence: centre. Evidence against: centre too."


def test_even_evidence_is_called_spread() -> None:
    heat = 1 + 0.1 * np.random.default_rng(0).random((90, 90))
    assert text_alternative(heat) == "Most evidence: spread over the whole picture."


@pytest.mark.parametrize("level", [0.0, 0.3, -2.0, np.nan, np.inf])
def test_flat_maps_claim_no_place(level: float) -> None:
    heat = np.full((9, 9), level)
    assert is_flat(heat)
    for text in (text_alternative(heat), describe(heat)):
        assert text.endswith(".")
        assert not any(place in text for place in PLACES)


def test_describe_names_holes_and_all_negative_maps() -> None:
    heat = np.linspace(0, 1, 100).reshape(10, 10)
    assert describe(heat) == ""
    heat[0, 0] = np.nan
    assert describe(heat) == "1 place has no number and no colour, out of 100."
    heat[0, 1] = np.inf
    assert describe(heat) == "2 places have no number and no colour, out of 100."
    assert describe(-np.linspace(1, 2, 100).reshape(10, 10)) == "This map holds only evidence against the class."


@pytest.mark.parametrize("side", [1, 2, 3, 4, 28])
def test_small_grids_have_words_too(side: int) -> None:
    heat = np.zeros((side, side))
    heat[0, 0] = 1.0
    assert text_alternative(heat)


def test_scale_captions() -> None:
    assert scale_caption(0.01234, "logit") == "Full colour: ±0.0123 logit (this map's own scale)."
    caption = scale_caption(2.0, "logit", shared=True, signed=False, clipped=True)
    assert caption == "Full colour: 2 logit (one scale for all maps beside it in this unit; a few places go beyond)."
    assert scale_caption(0.0, "logit") == "Nothing to colour: the map is zero."


def test_goes_beyond() -> None:
    heat = np.array([[1.0, -2.0, np.nan, np.inf]])
    assert peak_of(heat) == 2.0 and peak_of(heat[:, 2:]) == 0.0
    assert exceeds_scale(2.0, 1.5)
    assert not exceeds_scale(2.0, 2.0)
