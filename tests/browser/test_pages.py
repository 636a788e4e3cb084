"""The whole path of a visitor in a real Chromium against a real server."""

from __future__ import annotations

import io
import re
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from PIL import ImageDraw
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

import xai_core
from tests.browser_tools import ERRORS, Visitor

pytestmark = pytest.mark.long

FOUR = 4
SMALL = {"model": "small_cnn", "sample": "digit_3"}
LONG = {"method": "lime", "lime_samples": "10000"}


@pytest.fixture(scope="module")
def photo() -> FilePayload:
    picture = xai_core.SAMPLES.get("chelsea").load().resize((1600, 1064))
    ImageDraw.Draw(picture).rectangle((0, 0, 60, 60), fill="red")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def test_a_deep_link_on_a_fresh_server_has_the_frame_and_no_box_over_the_page(visitor: Visitor) -> None:
    """First test, for a fresh server: Streamlit alone would tell its first visitor of a page not found."""
    page = visitor.open("/compare", **SMALL)
    sidebar = page.get_by_test_id("stSidebar")
    tables = ("Table", "Table model", "In general", "One row", "Fairness")
    sets = ("Picture set", "Map", "Best and worst", "Set scores")
    model = ("Network", "Layer", "What adds up", "Unit", "Ideas", "Concepts of units", "Class", "Fool the model")
    pictures = ("Compare", "Explain", "Hide and see", "Trust", "Shake it", "Flip it")
    learn = (
        "Methods",
        "Topics",
        "Catch the cheater",
        "One object decides",
        "Teach your own classes",
        "Train it live",
        "Server activity",
    )
    names = ("Start", *pictures, *model, *sets, *tables, *learn)
    expect(sidebar.get_by_role("link")).to_have_text(list(map(re.compile, names)))
    expect(sidebar.get_by_text("Handwritten 3").first).to_be_visible()
    visitor.wait_for_cards(FOUR)
    expect(page).to_have_title("Compare · Whybox")
    assert page.get_by_role("dialog").count() == 0


def test_home_to_sample_to_four_maps_and_then_silence(visitor: Visitor) -> None:
    page = visitor.open()
    expect(page).to_have_title("Start · Whybox")
    picture = page.get_by_role("img", name="Sample: Coffee").bounding_box()
    assert picture
    # The whole card is a button, so the picture itself cannot be clicked.
    page.mouse.click(picture["x"] + picture["width"] / 2, picture["y"] + picture["height"] / 2)
    page.wait_for_url("**/compare")
    expect(page.get_by_role("heading", name="Why “espresso”?")).to_be_visible()
    visitor.wait_for_cards(FOUR)
    assert page.locator(ERRORS).count() == 0
    assert page.locator(".card h3").all_inner_texts() == [
        xai_core.METHODS.get(name).technical for name in ("grad_cam", "occlusion", "integrated_gradients", "lime")
    ]
    page.wait_for_timeout(1500)
    before = visitor.messages
    page.wait_for_timeout(3000)
    assert visitor.messages == before, "polling ends with the work"


def test_own_photo(visitor: Visitor, photo: FilePayload) -> None:
    page = visitor.open("/", model="small_cnn")
    page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(photo)
    page.wait_for_url("**/compare*")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_role("img", name="The picture in use: cat.jpg")).to_be_visible()
    visitor.wait_for_cards(FOUR)
    sidebar.get_by_role("link", name="Explain").click()
    page.wait_for_url("**/explain*")
    expect(sidebar.get_by_role("img", name="The picture in use: cat.jpg")).to_be_visible()
    sidebar.get_by_role("button", name="Back to the samples").click()
    expect(sidebar.get_by_role("img", name="The picture in use: Coffee")).to_be_visible()


def test_an_own_picture_is_kept_by_link_until_its_owner_deletes_it(
    visitor: Visitor, browser: Browser, photo: FilePayload
) -> None:
    page = visitor.open("/", model="small_cnn")
    name = "[a](b.example) **c** www.d.example :red[e].jpg"
    file = FilePayload(name=name, mimeType="image/jpeg", buffer=photo["buffer"])
    page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(file)
    page.wait_for_url("**/compare*")
    caption = page.get_by_test_id("stSidebar").get_by_test_id("stImageCaption")
    expect(caption).to_contain_text("**c**")
    assert caption.inner_text().replace("\u2060", "").strip() == name, "a file's name is no Markdown"
    assert page.locator('a[href*="example"]').count() == 0
    visitor.wait_for_cards(FOUR)
    visitor.button("Make a link").click()
    link = page.get_by_test_id("stMain").locator("code")
    expect(link).to_have_count(1)
    url = link.inner_text().strip()
    assert re.fullmatch(re.escape(visitor.address) + r"/\?s=[2-9a-hjkmnp-z]{10}", url)
    expect(page.get_by_alt_text("QR code of the link")).to_be_visible()
    with closing(browser.new_context()) as elsewhere:
        guest = Visitor(elsewhere, visitor.address)
        guest.page.goto(url)
        expect(guest.cards()).to_have_count(FOUR)
        assert "/result?s=" in guest.page.url
        guest.button("Try other methods").click()
        guest.wait_for_cards(FOUR)
        expect(guest.page.get_by_test_id("stSidebar").get_by_text("Picture of the link")).to_be_visible()
        assert guest.faults == []
        guest.page.goto(page.url)
        expect(guest.page.get_by_text("can only be seen in the browser that it was uploaded in")).to_be_visible()
        # The owner's browser, some other day: the cookie alone knows it.
        page.goto(url)
        # What is drawn anew closes the box that a click has opened.
        visitor.wait_for_cards(FOUR)
        page.get_by_test_id("stMain").get_by_text("This link and its QR code").click()
        visitor.button("Delete this link").click()
        page.get_by_role("button", name="Delete for good").click()
        expect(page.get_by_text("The link is deleted. Whoever opens it now is told so.")).to_be_visible()
        expect(page.get_by_text("This link was deleted by the person who made it")).to_have_count(0)
        guest.page.goto(url)
        expect(guest.page.get_by_text("This link was deleted by the person who made it")).to_be_visible()
        expect(guest.page.get_by_test_id("stMain").get_by_role("link", name="Make new maps")).to_be_visible()


def test_a_broken_file_gets_a_sentence_and_changes_nothing(
    visitor: Visitor, photo: FilePayload, tmp_path: Path
) -> None:
    page = visitor.open("/", sample="rocket")
    file = FilePayload(name="torn.jpg", mimeType="image/jpeg", buffer=photo["buffer"][: len(photo["buffer"]) // 40])
    page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(file)
    expect(page.locator(".upload-problem")).to_have_count(1)
    expect(page.locator(".upload-problem")).to_contain_text("damaged or was cut off")
    expect(page.locator(ERRORS)).to_have_count(0)
    expect(page.get_by_role("img", name="The picture in use: Rocket")).to_be_visible()
    # Above Streamlit's own limit, which it tells on hover only.
    with open(tmp_path / "large.jpg", "wb") as large:
        large.truncate(300 * 2**20)
    page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(tmp_path / "large.jpg")
    expect(page.locator(".upload-problem")).to_contain_text("larger than 25 MB, which is the most allowed")
    expect(page.locator(".upload-problem")).to_contain_text("Got 300 MB.")
    expect(page.locator(".upload-problem")).to_have_count(1)
    expect(page.locator('[data-testid="stFileChip"][aria-invalid]')).to_have_count(0)


def test_stop_goes_quickly_and_go_on_goes_on(visitor: Visitor) -> None:
    page = visitor.open("/explain", **LONG)
    expect(visitor.cards("working")).to_have_count(1)
    expect(page.get_by_text(re.compile(r"of 10,001 evaluations")).first).to_be_visible()
    visitor.button("Stop").click()
    expect(visitor.cards("cancelled")).to_have_count(1)
    # With a picture made before the click, its note says how far it got; without one, only that it stopped.
    expect(page.locator(".card .note")).to_have_text(
        re.compile(r"^Stopped(\.$| at (under )?\d+ %: this map is unfinished)")
    )
    visitor.ready()
    expect(visitor.button("Stop")).to_have_count(0)
    page.wait_for_timeout(1500)
    before = visitor.messages
    page.wait_for_timeout(2000)
    assert visitor.messages == before, "nothing polls for what was stopped"
    visitor.button("Resume what was stopped").click()
    expect(page.get_by_text(re.compile(r"of 10,001 evaluations")).first).to_be_visible()
    visitor.button("Stop").click()
    expect(visitor.cards("cancelled")).to_have_count(1)


def test_stop_all_on_compare(visitor: Visitor) -> None:
    # Enough that nothing is ready before the click.
    page = visitor.open("/compare", rows="pictures", seed="31", sample="astronaut")
    cards = visitor.page.locator(".card")
    expect(visitor.button("Stop all")).to_be_visible()
    requested = cards.count()
    visitor.button("Stop all").click()
    expect(visitor.button("Stop all")).to_have_count(0)
    visitor.ready()
    assert visitor.cards("cancelled").count() + visitor.cards("done").count() == requested > FOUR
    assert visitor.cards("cancelled").count() > 0
    page.wait_for_timeout(1000)
    assert visitor.cards("working").count() == 0


def test_while_a_job_runs_other_controls_answer(visitor: Visitor) -> None:
    page = visitor.open("/explain", **LONG, seed="32")
    expect(visitor.cards("working")).to_have_count(1)
    # A click before the first run has ended would be taken back by it.
    visitor.ready()
    began = time.monotonic()
    page.locator('[data-testid="stMain"]').get_by_text("About this method").click()
    visitor.chip("cup").click()
    expect(page.get_by_role("heading", name="Why “cup”?")).to_be_visible()
    assert time.monotonic() - began < 20, "the 10,000 pictures were not waited for"
    expect(visitor.cards("working")).to_have_count(1)
    visitor.button("Stop").click()  # or it would run on into the next tests
    expect(visitor.cards("cancelled")).to_have_count(1)


def test_one_stops_and_the_other_still_gets_the_map(visitors: list[Visitor]) -> None:
    """The tab that stops is in front: in a hidden one the button may be gone before it is clicked."""
    wish = {"method": "lime", "lime_samples": "5000", "seed": "33"}
    first, second = visitors
    # Both load at once: after the other, the second might come when the map is ready on a busy machine.
    for visitor in (second, first):
        visitor.page.bring_to_front()
        visitor.page.goto(f"{visitor.address}/explain?{urlencode(wish)}", wait_until="commit")
    for visitor in (second, first):
        expect(visitor.cards("working")).to_have_count(1)
    first.ready()
    first.button("Stop").click()
    expect(first.cards("cancelled")).to_have_count(1)
    second.wait_for_cards(1)
    expect(first.cards("cancelled")).to_have_count(1)


def test_reload_and_copied_link_give_the_same_view(visitors: list[Visitor]) -> None:
    first, second = visitors
    page = first.open("/explain", **SMALL)
    first.wait_for_cards(1)
    first.choose("stSidebar", "Sample", "Handwritten 5")
    expect(page.get_by_role("heading", name="Why “5”?")).to_be_visible()
    first.choose("stMain", "Method", "Occlusion")
    slider = page.get_by_role("slider", name=re.compile("Window"))
    expect(slider).to_be_visible()
    first.ready()
    slider.press("ArrowRight")
    expect(page).to_have_url(re.compile("occlusion_window=5"))
    first.wait_for_cards(1)
    link = page.url
    assert set(first.link.split("&")) >= {"model=small_cnn", "sample=digit_5", "method=occlusion", "occlusion_window=5"}

    def view(page: Page) -> list[str | None]:
        expect(page.locator('.card[data-state="done"]')).to_have_count(1)
        return [
            page.locator("canvas").first.get_attribute("aria-label"),
            slider_of(page).get_attribute("aria-valuenow"),
        ]

    def slider_of(page: Page) -> Locator:
        return page.get_by_role("slider", name=re.compile("Window"))

    before = view(page)
    page.reload()
    first.ready()
    assert view(page) == before
    second.page.goto(link)
    assert view(second.page) == before
    assert second.page.url == link


def test_back_and_forward(visitor: Visitor) -> None:
    digit = xai_core.SAMPLES.get(SMALL["sample"]).load()
    second = xai_core.predict(xai_core.load_model(SMALL["model"]), digit, 2).classes[1][1]
    page = visitor.open("/", **SMALL)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Compare").click()
    page.wait_for_url("**/compare*")
    visitor.wait_for_cards(FOUR)
    visitor.chip(second).click()
    expect(page.get_by_role("heading", name=f"Why “{second}”?")).to_be_visible()
    expect(page).to_have_url(re.compile(f"class={second}"))
    visitor.wait_for_cards(FOUR)
    page.go_back()
    expect(page.get_by_role("heading", name="Why “3”?")).to_be_visible()
    visitor.ready()
    page.go_back()
    expect(page).to_have_title("Start · Whybox")
    visitor.ready()
    assert visitor.link == urlencode(SMALL), "one step back is one page back, with its settings"
    page.go_forward()
    visitor.wait_for_cards(FOUR)
    page.go_forward()
    expect(page.get_by_role("heading", name=f"Why “{second}”?")).to_be_visible()


def test_weights_that_cannot_be_fetched(visitor: Visitor) -> None:
    page = visitor.open("/explain", **SMALL)
    visitor.wait_for_cards(1)
    visitor.choose("stSidebar", "Model", "AlexNet")
    expect(page.locator(ERRORS)).to_contain_text("AlexNet could not be loaded.")
    expect(page.get_by_text("Small digit network stays in use.")).to_be_visible()
    visitor.wait_for_cards(1)
    visitor.button("Try again").click()
    expect(page.locator(ERRORS)).to_contain_text("check the connection and try again")


def test_the_menu_of_a_phone_closes_behind_a_link(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.open("/", **SMALL)
    page.get_by_test_id("stExpandSidebarButton").click()
    link = page.get_by_test_id("stSidebar").get_by_role("link", name="Explain")
    link.click()
    page.wait_for_url("**/explain*")
    visitor.wait_for_cards(1)
    expect(link).not_to_be_in_viewport()


@pytest.mark.parametrize("path", ["/", "/compare", "/explain"])
def test_a_phone_can_use_it(visitor: Visitor, path: str) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.open(path, **SMALL)
    if path != "/":
        visitor.wait_for_cards(FOUR if path == "/compare" else 1)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= innerWidth + 2")
    assert page.evaluate("[...document.images].filter(image => !image.alt).length") == 0
    nameless = "all => all.filter(b => !(b.textContent.trim() || b.ariaLabel || b.title)).map(b => b.outerHTML)"
    assert page.locator("button").evaluate_all(nameless) == []


def test_words_on_the_primary_button_can_be_read_in_the_dark(
    browser: Browser, address: str, photo: FilePayload
) -> None:
    context = browser.new_context(color_scheme="dark")
    try:
        visitor = Visitor(context, address)
        page = visitor.open("/", **SMALL)
        page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(photo)
        page.wait_for_url("**/compare*")
        page.get_by_test_id("stSidebar").get_by_role("link", name="Start").click()
        words = visitor.button("Explain my photo").locator("p")
        expect(words).to_have_css("color", "rgb(6, 23, 27)")
    finally:
        context.close()


def test_the_camera_toggle_harms_nothing(visitor: Visitor) -> None:
    page = visitor.open("/", **SMALL)
    page.get_by_test_id("stMain").get_by_text("Use the camera").click()
    expect(page.get_by_test_id("stCameraInput")).to_have_count(1)
    page.get_by_test_id("stMain").get_by_text("Use the camera").click()
    expect(page.get_by_test_id("stCameraInput")).to_have_count(0)
    assert page.locator(ERRORS).count() == 0
