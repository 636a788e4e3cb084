"""Foreign text is never read as Markdown; the browser test beside it looks at the drawn page."""

from __future__ import annotations

import pytest

from pages.ui.widgets.words import escape_markdown, format_label

MARKED = [
    "[a](http://b.c)",
    "**bold**",
    ":material/home:",
    ":red[x]",
    "$x$",
    "<b>x</b>",
    "# x",
    "- x",
    "1. x",
    "`x`",
    "~~x~~",
    "&lt;",
]
MARKED += ["a_b_c", "\\*"]


@pytest.mark.parametrize("text", MARKED)
def test_every_sign_that_marks_something_is_escaped(text: str) -> None:
    """Taking every escape away again gives the text back; no sign with a meaning stands without one."""
    shown = escape_markdown(text)
    signs, meant, place = [], set("\\`*_{}[]()#+!|~:$<>&=^"), 0
    while place < len(shown):
        escaped = shown[place] == "\\"
        place += escaped
        assert escaped or shown[place] not in meant
        signs.append(shown[place])
        place += 1
    assert "".join(signs).replace("\u2060", "") == text
    assert shown != text, "the case is trivial if nothing had to be done"


@pytest.mark.parametrize("text", ["https://evil.example", "www.evil.example", "me@evil.example", "WWW.evil.example"])
def test_no_address_is_left_in_one_piece(text: str) -> None:
    shown = escape_markdown(text).replace("\\", "")
    assert "\u2060" in shown and "://" not in shown and "www." not in shown.lower() and "e@" not in shown


def test_foreign_text_is_one_short_line() -> None:
    assert format_label("a\nb\u202ec\x00d") == "a b c d"
    assert len(format_label("x" * 1000)) == 201


def test_common_labels_stay_as_they_are() -> None:
    for label in ("tiger shark", "four-poster", "jack-o'-lantern", "Cardigan, Welsh corgi", "IMG 2041.jpg"):
        assert escape_markdown(label) == label
