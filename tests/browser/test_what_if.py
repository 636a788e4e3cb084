"""Painting and attacks in a real Chromium: probabilities, steps back, the keyboard, a picture that still fools."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser_tools import READY, Visitor, expect_text

SMALL = {"model": "small_cnn", "sample": "digit_3"}


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a line on the picture; places are shares of its sides."""
    box = page.locator(".brush canvas").bounding_box()
    assert box
    (x, y), (to_x, to_y) = (
        (box["x"] + across * box["width"], box["y"] + down * box["height"]) for across, down in (start, end)
    )
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=5)
    page.mouse.up()


def read_changes(page: Page) -> list[str]:
    """Return each class with its probabilities before and after, as shown once the run has ended."""
    page.wait_for_selector(READY)
    return page.get_by_role("list", name="Probability before and after").get_by_role("listitem").all_inner_texts()


def expect_share(page: Page, share: str) -> None:
    expect(page.locator(".brush canvas")).to_have_attribute("data-share", re.compile(f"^{share}"))


def test_paint_see_the_probability_and_step_back(visitor: Visitor) -> None:
    page = visitor.open("/hide", **SMALL, hide_with="black")
    page.get_by_role("radio", name="Box").click()
    drag(page, (0.01, 0.01), (0.99, 0.49))
    expect_text(page, "50 % of the picture is hidden")
    after = read_changes(page)
    assert len(after) >= 5
    expect_share(page, "0.5")
    expect(page).to_have_url(re.compile("mask=28"))
    link = page.url
    drag(page, (0.01, 0.51), (0.49, 0.99))
    expect_text(page, "75 % of the picture is hidden")
    assert read_changes(page) != after
    page.get_by_role("button", name="Undo").click()
    expect_text(page, "50 % of the picture is hidden")
    expect(page).to_have_url(link)
    assert read_changes(page) == after
    page.get_by_role("button", name="Undo").click()
    expect_text(page, "Paint on the picture to hide a part of it.")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    # The link brings the mask back.
    page.goto(link)
    expect_text(page, "50 % of the picture is hidden")
    expect_share(page, "0.5")
    assert read_changes(page) == after


def test_the_keyboard_alone_paints_a_cell_and_a_piece(visitor: Visitor) -> None:
    page = visitor.open("/hide", **SMALL, hide_with="black")
    canvas = page.locator(".brush canvas")
    page.get_by_role("radio", name="Brush").focus()
    page.keyboard.press("Tab")
    # Undo and Clear are disabled, so the brush size comes next, then the picture.
    page.keyboard.press("Tab")
    expect(canvas).to_be_focused()
    for key in ("ArrowRight", "ArrowDown", "Space"):
        page.keyboard.press(key)
    expect(page.get_by_role("status").filter(has_text="Row 2, column 2: hidden")).to_be_visible()
    expect_share(page, f"{4 / 28**2:.4f}")
    expect_text(page, "1 % of the picture is hidden")
    page.keyboard.press("u")
    expect(page.get_by_role("status").filter(has_text="The last step is undone.")).to_be_visible()
    expect_text(page, "Paint on the picture to hide a part of it.")
    page.get_by_role("radio", name="Challenge: hide little").press("Space")
    expect_text(page, "until the model no longer says 3")
    expect(canvas).to_have_attribute("aria-label", re.compile("from piece to piece"))
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_role("status").filter(has_text=re.compile(r"Piece 2 of \d+: hidden"))).to_be_visible()
    expect_text(page, re.compile("You hide 1 piece, "))


def test_an_attacked_picture_is_saved_uploaded_and_answered_the_same(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open("/attack", **SMALL, attack="fgsm", attack_fgsm_epsilon="40")
    with page.expect_download() as download:
        visitor.button("Save the picture").click()
    saved = tmp_path / "saved.png"
    download.value.save_as(saved)
    shares = page.get_by_test_id("stMain").get_by_role("list").filter(has_text="%")
    expect(shares).to_have_count(2)
    label, probability = shares.last.get_by_role("listitem").first.inner_text().split("\n")
    visitor.open("/", model="small_cnn")
    page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(saved)
    expect(visitor.chip(label)).to_contain_text(probability)
