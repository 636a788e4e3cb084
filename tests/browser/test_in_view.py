"""The answer first: what is in view without scrolling, on a laptop and on a phone, on every page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, expect

from tests.browser_tools import READY, Visitor

pytestmark = pytest.mark.long

LAPTOP, SMALL_LAPTOP, PHONE = (1280, 900), (1280, 720), (390, 844)
MIN_SHOWN_PX = 24
SETTLED_WITHIN_S = 5.0
FRAME, CARD, METRIC = ".card .frame", '[class*="st-key-card_"]', '[data-testid="stMetric"]'
CHART = '[data-testid="stPlotlyChart"]'
DIGITS = {"set": "digits", "model": "small_cnn", "map": "pca"}


class Place(NamedTuple):
    """A page and its first result; where `whole` the first `laptop` or `phone` of them are in view in full."""

    path: str
    first: str
    link: dict[str, str]
    laptop: int = 1
    phone: int = 1
    whole: bool = False


SMALL = {"model": "small_cnn", "sample": "digit_3"}
# Maps of the large network that cost little: where they stand is the same.
COARSE = {"lime_samples": "200", "occlusion_window": "56", "occlusion_stride": "56", "integrated_gradients_steps": "16"}
PLACES = (
    Place("/", CARD, {}, 6, 6, whole=True),
    Place("/compare", FRAME, COARSE, 4, 1, whole=True),
    Place("/compare", FRAME, SMALL, 4, 1, whole=True),
    Place("/explain", FRAME, SMALL, whole=True),
    Place("/set", METRIC, DIGITS),
    Place("/map", ".st-key-set_map canvas", DIGITS),
    Place("/extremes", ".thumbs button", DIGITS),
    Place("/set_scores", METRIC, DIGITS),
    Place("/data", METRIC, {}),
    Place("/model", METRIC, {}),
    Place("/general", CHART, {}, whole=True),
    Place("/row", '.said:has-text("The model says")', {}),
    Place("/fairness", CHART, {}),
    Place("/methods", ".st-key-methods", {}),
)


def shown_px(result: Locator, height: int) -> tuple[float, float]:
    """Return the height of a result, and how much of it is in view."""
    box = result.bounding_box()
    assert box
    return box["height"], min(box["y"] + box["height"], height) - max(box["y"], 0)


def find_hidden(results: Locator, place: Place, size: tuple[int, int]) -> Iterator[tuple[float, float]]:
    """Yield heights of the first results and the part in view, where that is too little."""
    for result in results.all()[: place.laptop if size == LAPTOP else place.phone]:
        whole, shown = shown_px(result, size[1])
        if shown < (whole - 1 if place.whole else min(whole, MIN_SHOWN_PX)):
            yield whole, shown


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.path + place.link.get("model", ""))
def test_the_first_result_is_in_view(visitor: Visitor, place: Place, size: tuple[int, int]) -> None:
    width, height = size
    visitor.page.set_viewport_size({"width": width, "height": height})
    page = visitor.open(place.path, **place.link)
    results = page.get_by_test_id("stMain").locator(place.first)
    expect(results.first).to_be_visible()
    if place.first == FRAME:
        visitor.wait_for_cards(4 if place.path == "/compare" else 1)
    page.wait_for_selector(READY)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == 0
    # What is above a figure may still be drawn when it appears.
    end = time.monotonic() + SETTLED_WITHIN_S
    while (hidden := list(find_hidden(results, place, size))) and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert not hidden, f"{place.path}: {hidden}"


def test_the_first_map_begins_above_the_fold_of_a_small_laptop(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": SMALL_LAPTOP[0], "height": SMALL_LAPTOP[1]})
    page = visitor.open("/compare", **SMALL)
    visitor.wait_for_cards(4)
    whole, shown = shown_px(page.locator(FRAME).first, SMALL_LAPTOP[1])
    assert shown >= whole - 1
