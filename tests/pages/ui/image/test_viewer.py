"""The viewer in a real browser: display settings stay there, with no message to the server; numbers stay exact."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from streamlit.testing.v1 import AppTest

from tests.pages.ui.image.viewer_page import ViewerPage, read_canvases, read_pixels
from tests.pages.viewer_app import EVIL, SIDE, draw_heat, draw_photo
from xai_core.render import PALETTES, overlay

pytestmark = pytest.mark.long


@pytest.mark.parametrize("palette", PALETTES)
def test_the_browser_draws_what_python_draws(viewer: ViewerPage, palette: str) -> None:
    page = viewer.open(f"view_palette={palette}&view_opacity=60")
    for at, (values, signed) in enumerate(((np.clip(draw_heat(SIDE), 0, None), False), (3 * draw_heat(SIDE), True))):
        expected = np.asarray(overlay(draw_photo(SIDE), values, palette, 0.6, signed=signed), dtype=float)
        difference = np.abs(read_pixels(page, at) - expected)
        assert difference.max() <= 4, "8-bit steps of a canvas that mixes three layers"
        assert difference.mean() < 1


def test_smooth_maps_agree_too(viewer: ViewerPage) -> None:
    page = viewer.open("mode=big&view_palette=even")
    expected = np.asarray(overlay(draw_photo(64), 3 * draw_heat(64), "even", 0.75, signed=True), dtype=float)
    difference = np.abs(read_pixels(page, 1) - expected)
    assert difference.max() <= 6
    assert difference.mean() < 1


def test_strength_of_colours_changes_the_picture_and_sends_nothing(viewer: ViewerPage) -> None:
    page = viewer.open()
    before = read_canvases(page)
    viewer.silent(viewer.unfold)
    slider = page.get_by_label("Strength of the colours")

    def drag() -> None:
        for value in ("60", "30", "0"):
            slider.fill(value)

    viewer.silent(drag)
    after = read_canvases(page)
    assert all(old != new for old, new in zip(before[:2], after[:2], strict=True))
    assert before[2:] == after[2:], "cards without a map do not change"
    np.testing.assert_allclose(read_pixels(page, 1)[::16, ::16], np.asarray(draw_photo(SIDE), dtype=float), atol=1)
    expect(page.locator(".opacity output")).to_have_text("0 %")


def test_palette_scale_and_show_change_the_picture_and_send_nothing(viewer: ViewerPage) -> None:
    page = viewer.open()
    seen = [read_canvases(page)[:2]]
    viewer.unfold()
    assert "this map's own scale" in page.locator(".reading").first.inner_text()
    for act in (
        lambda: page.get_by_label("Palette").select_option("purple_green"),
        lambda: page.get_by_role("radio", name="One for all").check(),
        lambda: page.get_by_role("radio", name="Outline").check(),
        lambda: page.get_by_role("radio", name="Picture only").check(),
    ):
        viewer.silent(act)
        seen.append(read_canvases(page)[:2])
    assert seen[0][0] != seen[1][0]
    assert seen[1][0] != seen[2][0], "the weaker map gets paler on the shared scale"
    assert seen[1][1] == seen[2][1], "the strongest map has set that scale"
    assert len({shot[1] for shot in seen}) == 4
    expect(page.locator(".reading").first).to_have_text("The picture as the model saw it.")
    page.get_by_role("radio", name="Colours").check()
    assert "one scale for all maps beside it in this unit" in page.locator(".reading").first.inner_text()


def test_rows_have_a_title_a_scale_and_pictures_of_their_own(viewer: ViewerPage) -> None:
    page = viewer.open("mode=rows")
    kinds = page.locator(".grid > *").evaluate_all(
        "all => all.map(node => node.querySelector('h3')?.textContent ?? node.textContent)"
    )
    assert kinds == ["First", "A", "B", "Second", "C"]
    viewer.unfold()
    page.get_by_role("radio", name="One for each row").check()
    first, second, third = (text.split(" (")[0] for text in page.locator(".reading").all_inner_texts())
    assert first == second != third, "a row shares its scale and no other's"
    page.get_by_role("radio", name="Picture only").check()
    assert read_canvases(page)[0] == read_canvases(page)[1] != read_canvases(page)[2]


def test_pointing_reads_the_same_place_in_every_map(viewer: ViewerPage) -> None:
    page = viewer.open()
    canvas = page.locator(".frame canvas").first
    box = canvas.bounding_box()
    assert box
    row, column = 11, 8
    place = {"x": box["width"] * (column + 0.5) / SIDE, "y": box["height"] * (row + 0.5) / SIDE}
    viewer.silent(lambda: canvas.hover(position=place))  # type: ignore[arg-type]
    expect(page.locator(".cross:not([hidden])")).to_have_count(2)
    for at, factor in ((0, 1), (1, 3)):
        values = factor * (np.clip(draw_heat(SIDE), 0, None) if at == 0 else draw_heat(SIDE))
        scale = np.percentile(np.abs(values), 98)
        text = page.locator(".reading").nth(at).inner_text()
        value = values[row, column]
        assert text == f"+{value / scale * 100:.0f} % of full colour: +{float(f'{value:.3g}'):g} logit"
        cross = (
            page.locator(".cross").nth(at).evaluate("node => [parseFloat(node.style.left), parseFloat(node.style.top)]")
        )
        np.testing.assert_allclose(cross, [100 * (column + 0.5) / SIDE, 100 * (row + 0.5) / SIDE], atol=0.5)
    page.mouse.move(5, 5)
    expect(page.locator(".cross:not([hidden])")).to_have_count(0)


def test_the_keyboard_moves_the_marker(viewer: ViewerPage) -> None:
    page = viewer.open()
    canvas = page.locator(".frame canvas").nth(1)
    canvas.focus()

    def press() -> None:
        for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
            page.keyboard.press(key)

    viewer.silent(press)
    expect(page.locator(".cross:not([hidden])")).to_have_count(2)
    value = 3 * draw_heat(SIDE)[14 - 1, 14 + 1 - 10]
    assert f"+{float(f'{abs(value):.3g}'):g} logit" in page.locator(".reading").nth(1).inner_text()
    page.keyboard.press("Escape")
    expect(page.locator(".cross:not([hidden])")).to_have_count(0)


def test_a_tap_reads_values_on_a_phone_and_nothing_scrolls_sideways(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = ViewerPage(context.new_page(), address).open()
    page.locator(".frame canvas").first.tap()
    expect(page.locator(".cross:not([hidden])")).to_have_count(2)
    expect(page.locator(".card[data-large]")).to_have_count(0)
    left = page.locator(".card").evaluate_all("all => all.map(card => card.getBoundingClientRect().left)")
    assert len(set(left)) == 1, "one column"
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
    context.close()


def record_texts(page: Page) -> None:
    """Note every text that is drawn from now on, with the pixels of its letters."""
    page.evaluate("""() => {
        window.texts = [];
        const draw = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
            window.texts.push([text, parseFloat(this.font.match(/([0-9.]+)px/)[1])]);
            return draw.call(this, text, ...place);
        };
    }""")


def test_save_one_and_all(viewer: ViewerPage, tmp_path: Path) -> None:
    page = viewer.open()
    record_texts(page)
    today = f"{dt.date.today():%-d %B %Y}"
    for button, name, columns in (
        ("Save picture: Where it looked", "whybox-one.png", 1),
        ("Save all as one picture", "whybox-comparison.png", 2),
    ):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
        saved = Image.open(io.BytesIO((tmp_path / name).read_bytes()))
        assert saved.format == "PNG"
        assert saved.width == 24 + columns * (448 + 24)
        sheet = np.asarray(saved.convert("RGB"), dtype=float)
        drawn = read_pixels(page, 0)
        top = next(y for y in range(saved.height - 448) if (sheet[y : y + 448, 24 : 24 + 448] == drawn).all())
        assert top > 24, "a title stands above the picture"
        assert (sheet[:top] < 128).any()
        texts = page.evaluate("window.texts.splice(0)")
        drawn_words = [text for text, _ in texts]
        ends = ("none", "most") if columns == 1 else ("none", "most", "against", "for")
        for text in ("espresso · 73 %", "Verdict: Read with care", "Model: toy", *ends, f"Whybox · {today}"):
            assert text in drawn_words, text
        assert min(size for _, size in texts) * 600 / saved.width >= 12, "readable at 600 pixels"
        # The colour bar ends in full colour below the right edge of the map, and is pale below the left one.
        deepest = PALETTES["orange_blue"].unsigned[255, :3].astype(float)
        below = sheet[top + 448 :]
        is_bar = (np.abs(below[:, 24 + 446] - deepest) < 12).all(axis=1) & (below[:, 25] > 240).all(axis=1)
        assert is_bar.sum() >= 10


def test_cards_without_a_map_say_why(viewer: ViewerPage) -> None:
    page = viewer.open("mode=states")
    notes = page.locator(".note:visible")
    expect(notes).to_have_text(["Working …", "Place 2 in the queue.", "The window is too large. Got 900.", "Stopped."])
    states = page.locator(".card").evaluate_all("all => all.map(card => card.dataset.state)")
    assert states == "done done working waiting failed cancelled".split()
    expect(page.get_by_role("button", name="Save picture")).to_have_count(2)


def test_names_words_and_checks_are_there(viewer: ViewerPage) -> None:
    page = viewer.open()
    first = page.locator(".card").first
    expect(first.locator("h3")).to_have_text("Where it looked")
    for text in ("Grad-CAM", "How to read one.", "0.5 s · 1,234 evaluations", "Read with care"):
        expect(first.get_by_text(text)).to_be_visible()
    expect(first.get_by_text("The simple model explains 61 %.")).not_to_be_visible()
    first.locator("summary").click()
    expect(first.get_by_text("The simple model explains 61 %.")).to_be_visible()
    label = page.get_by_role("img", name="What covering changes").get_attribute("aria-label")
    assert label is not None
    assert "Most evidence: centre left. Evidence against: top right." in label
    unnamed = page.locator(".wb :is(input, select, button)").evaluate_all(
        "all => all.filter(node => !node.labels?.length && !node.innerText).map(node => node.outerHTML)"
    )
    assert unnamed == []


def test_the_badge_has_four_states_and_unfolds_into_sentences(viewer: ViewerPage) -> None:
    page = viewer.open("mode=verdicts")
    badges = page.locator("summary")
    expect(badges).to_have_text(["Checked and fine · 2 tests", "Read with care", "Not trustworthy", "Not checked"])
    levels = badges.evaluate_all("all => all.map(badge => badge.dataset.level)")
    assert levels == ["green", "amber", "red", "grey"]
    opened = page.locator("details").evaluate_all("all => all.map(badge => badge.open)")
    assert opened == [False, False, True, False], "the reason for a map that is not shown stands there"
    badges.first.click()
    for text in ("Two tests were made, and all were passed.", "The shares add up.", "The sanity check of the method."):
        expect(page.locator("details").first.get_by_text(text)).to_be_visible()
    badges.nth(3).click()
    expect(page.locator("details").nth(3).get_by_text("Nothing was tested about this map itself")).to_be_visible()


def test_a_map_that_is_not_trustworthy_is_drawn_on_request_only(viewer: ViewerPage) -> None:
    page = viewer.open("mode=verdicts")
    photo = np.asarray(draw_photo(SIDE).resize((448, 448), Image.Resampling.NEAREST), dtype=float)
    assert np.abs(read_pixels(page, 2) - photo).max() <= 4, "the picture alone"
    assert np.abs(read_pixels(page, 1) - photo).max() > 40
    page.locator(".frame canvas").first.hover(position={"x": 30, "y": 30})
    expect(page.locator(".cross:not([hidden])")).to_have_count(3)
    expect(page.locator(".veil:visible")).to_have_count(1)
    page.get_by_role("button", name="Show the map anyway").click()
    expect(page.locator(".veil:visible")).to_have_count(0)
    page.locator(".frame canvas").first.hover(position={"x": 30, "y": 30})
    expect(page.locator(".cross:not([hidden])")).to_have_count(4)
    assert np.abs(read_pixels(page, 2) - photo).max() > 40


def test_text_from_outside_stays_text(viewer: ViewerPage) -> None:
    page = viewer.open("mode=evil")
    evil = EVIL.replace('"', "'")
    expect(page.locator(".card h3").first).to_have_text(evil)
    expect(page.locator(".note:visible")).to_have_text(evil)
    expect(page.locator("details li span").first).to_have_text(evil)
    page.get_by_role("button", name="Show the map anyway").click()
    page.locator(".frame canvas").first.hover()
    assert evil in page.locator(".reading").first.inner_text()
    assert page.locator(".wb b, .wb img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_flat_and_empty_maps_are_drawn_and_explained(viewer: ViewerPage) -> None:
    page = viewer.open("mode=flat")
    notes = page.locator(".words").all_inner_texts()
    for text, words in zip(
        notes,
        ("zero everywhere", "it says 0.5 everywhere", "no numbers at all", "392 places have no number"),
        strict=True,
    ):
        assert words in text
    page.locator(".frame canvas").first.hover(position={"x": 10, "y": 10})
    expect(page.locator(".reading")).to_have_text(
        ["0 % of full colour: 0 logit", "+100 % of full colour: +0.5 logit", "No number here", "No number here"]
    )
    for at, values in enumerate((np.zeros((SIDE, SIDE)), np.full((SIDE, SIDE), 0.5), np.full((SIDE, SIDE), np.nan))):
        assert (
            np.abs(
                read_pixels(page, at) - np.asarray(overlay(draw_photo(SIDE), values, signed=False), dtype=float)
            ).max()
            <= 4
        )


def test_the_view_is_in_the_address_and_survives_a_reload(viewer: ViewerPage) -> None:
    page = viewer.open("mode=four")
    viewer.unfold()
    page.get_by_label("Strength of the colours").fill("40")
    page.locator("select").select_option("even")
    page.get_by_role("radio", name="One for all").check()
    page.wait_for_timeout(300)
    assert "mode=four" in page.url
    for part in ("view_opacity=40", "view_palette=even", "view_scale=shared"):
        assert part in page.url
    before = read_canvases(page)
    page.reload()
    viewer.ready()
    assert read_canvases(page) == before
    expect(page.locator("select")).to_have_value("even")
    page.goto(viewer.address)
    viewer.ready()
    assert read_canvases(page) == before, "another page of this visit keeps the view"
    assert "view_palette=even" in page.url


@pytest.mark.parametrize(
    "query",
    ["view_opacity=abc&view_palette=__proto__", "view_opacity=-5&view_scale=toString", "view_opacity=&view_show=1e9"],
)
def test_nonsense_in_the_address_means_the_defaults(viewer: ViewerPage, query: str) -> None:
    page = viewer.open(query)
    viewer.unfold()
    expect(page.get_by_label("Strength of the colours")).to_have_value("75")
    expect(page.locator("select")).to_have_value("orange_blue")
    assert "view_" not in page.url


def test_a_new_map_changes_only_its_card(viewer: ViewerPage) -> None:
    page = viewer.open()
    viewer.unfold()
    page.get_by_label("Strength of the colours").fill("30")
    page.locator("summary").first.click()
    page.locator(".frame canvas").first.evaluate("canvas => canvas.mark = 'same'")
    before = read_canvases(page)
    page.get_by_role("button", name="Finish").click()
    expect(page.locator('.card[data-state="done"]')).to_have_count(3)
    page.wait_for_timeout(300)
    after = read_canvases(page)
    assert after[:2] == before[:2]
    assert after[2] != before[2]
    assert page.locator(".frame canvas").first.evaluate("canvas => canvas.mark") == "same"
    expect(page.get_by_label("Strength of the colours")).to_have_value("30")
    expect(page.get_by_text("The simple model explains 61 %.")).to_be_visible()
    expect(page.locator(".wb")).to_have_count(1)
    assert "view_opacity=30" in page.url, "a run on the server leaves the view in the address"


@pytest.mark.parametrize(("width", "columns"), [(1280, 4), (900, 2), (390, 1)])
def test_the_grid_fits_the_width_and_pictures_stand_in_line(viewer: ViewerPage, width: int, columns: int) -> None:
    viewer.page.set_viewport_size({"width": width, "height": 900})
    page = viewer.open("mode=ended")
    tops = page.locator(".frame").evaluate_all("all => all.map(frame => frame.getBoundingClientRect().top)")
    assert len(set(tops)) == 4 // columns
    viewer.unfold()
    cut = page.locator(".wb :not(input, select, option)").evaluate_all(
        "all => all.filter(node => node.clientWidth && node.scrollWidth > node.clientWidth + 1)"
        ".map(node => node.outerHTML)"
    )
    assert cut == []


def test_the_script_runs_without_a_browser() -> None:
    app = AppTest.from_file(str(Path(__file__).parents[2] / "viewer_app.py")).run(timeout=30)
    assert not app.exception
