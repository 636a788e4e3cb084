"""Figures and sentences of the pages. Foreign names and cells are shown as text, never as formatting or links."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from xai_core import MapVerdict
from xai_core.formatting import percent, printable
from xai_core.render.tables import Drawing
from xai_core.results import Check

# Not the apostrophe within or after a word.
_QUOTED = re.compile(r"(?<!\w)'(\S[^']*)'(?!\w)")
_CONFIG = {"displayModeBar": False, "scrollZoom": False}
_MARKS = {"green": "✓", "amber": "!", "red": "✕"}
_STATE_MARKS = {"fine": "✓", "unchecked": "○", "care": "!", "distrust": "✕"}
_STYLE = """<style>
.said { margin: 0; overflow-wrap: anywhere; }
.quiet { font-size: 0.875rem; opacity: 0.8; } ul.said { padding-left: 1.25rem; }
.mark { display: inline-block; min-width: 1.35em; text-align: center; border-radius: 0.7em; margin-right: 0.4em; }
.mark { font-weight: 700; color: #fff; }
.shares { font-size: 0.875rem; }
.shares div { display: flex; justify-content: space-between; gap: 1rem; }
.shares div { margin: 0 0 2px; padding: 2px 6px; border-radius: 4px; }
.shares span { min-width: 0; overflow-wrap: anywhere; }
.verdict summary { display: inline-block; padding: 0.125rem 0.75rem; border: 1px solid; border-radius: 1rem; }
.verdict summary { cursor: pointer; font-size: 0.875rem; font-weight: 600; list-style: none; }
.verdict summary::-webkit-details-marker { display: none; } .verdict .said { margin-top: 0.5rem; }
.verdict summary::after { content: " ▾"; } .verdict[open] summary::after { content: " ▴"; }
.verdict .fine { color: light-dark(#1b6a2b, #86d295); } .verdict .care { color: light-dark(#8a5000, #f0bd6a); }
.verdict .distrust { color: light-dark(#a5221b, #ff9d94); } .verdict .unchecked { opacity: 0.85; }
.mark.green { background: #23772f; } .mark.amber { background: #9a5b00; } .mark.red { background: #b3261e; }
</style>"""


def escape_html(text: object) -> str:
    """Return foreign text as HTML: names in curly quotes, and no line that ends between a number and its "%"."""
    return escape(_QUOTED.sub(r"“\1”", printable(text)).replace(" %", "\u00a0%"))


def write_style() -> None:
    """Write the style sheet of the sentences; call it first on a page."""
    st.html(_STYLE)


def write(text: object, *, quiet: bool = False) -> None:
    """Write one sentence as plain text."""
    if text:
        st.html(f'<p class="said{" quiet" if quiet else ""}">{escape_html(text)}</p>')


def write_strong(text: object) -> None:
    """Write one sentence in bold."""
    st.html(f'<p class="said"><strong>{escape_html(text)}</strong></p>')


def write_list(texts: Iterable[object]) -> None:
    """Write sentences as a list."""
    items = "".join(f"<li>{escape_html(text)}</li>" for text in texts)
    if items:
        st.html(f'<ul class="said quiet">{items}</ul>')


def draw_shares(rows: Iterable[tuple[object, float]]) -> None:
    """Draw names with their share (0 to 1), each on a bar of that length."""
    colour = "color-mix(in srgb, var(--st-primary-color, #2f8a9b) 28%, transparent)"
    items = (
        '<div role="listitem" style="background: linear-gradient(to right, '
        f'{colour} {100 * share:.1f}%, transparent {100 * share:.1f}%)">'
        f"<span>{escape_html(name)}</span><span>{percent(share)}</span></div>"
        for name, share in rows
    )
    st.html(f'<div class="shares" role="list">{"".join(items)}</div>')


def _format_check(check: Check) -> str:
    mark = f'<span class="mark {check.level}" role="img" aria-label="{check.level}">{_MARKS[check.level]}</span>'
    return f'<p class="said quiet">{mark}{escape_html(check.sentence)}</p>'


def write_check(check: Check) -> None:
    """Write one finding with the mark of its level."""
    st.html(_format_check(check))


def write_verdict(verdict: MapVerdict) -> None:
    """Write a verdict as a badge that unfolds into sentences; open where something calls for care."""
    tests = len(verdict.tests)
    count = f" · {tests} test{'' if tests == 1 else 's'}" if verdict.state == "fine" else ""
    findings = "".join(map(_format_check, verdict.findings))
    untested = "".join(f'<p class="said quiet">Not tested. {escape_html(text)}</p>' for text in verdict.untested)
    is_open = " open" if verdict.state in ("care", "distrust") else ""
    st.html(
        f'<details class="verdict"{is_open}><summary class="{verdict.state}">{_STATE_MARKS[verdict.state]} '
        f"{escape_html(verdict.title)}{count}</summary>"
        f'<p class="said quiet">{escape_html(verdict.summary)}</p>{findings}{untested}</details>'
    )


def fit_width(picture: Image.Image, widest: int, tallest: int) -> int:
    """Return the width in page pixels at which a picture is neither wider nor taller than the limits."""
    return max(1, min(widest, tallest * picture.width // picture.height))


def encode_picture(picture: Image.Image, max_width: int) -> bytes:
    """Encode an RGB picture, at most `max_width` pixels wide, as JPEG, which Streamlit does not encode again."""
    file = io.BytesIO()
    small = picture.copy()
    small.thumbnail((max_width, picture.height), Image.Resampling.LANCZOS)
    small.save(file, "JPEG", quality=95)
    return file.getvalue()


def is_dark() -> bool:
    """Return True while the page has the dark theme."""
    return bool(st.context.theme.type == "dark")


def draw_figure(drawing: Drawing, key: str, take: Callable[[int], None] | None = None) -> None:
    """Draw a figure with its text alternative below it; `take` gets the number of the bar that is clicked."""

    def take_click() -> None:
        points = st.session_state[key].selection.point_indices
        if points and take is not None:
            take(int(points[0]))

    picks: dict[str, Any] = {} if take is None else {"on_select": take_click, "selection_mode": "points"}
    st.plotly_chart(drawing.figure, width="stretch", config=_CONFIG, alt=drawing.alt, key=key, **picks)
    write(" ".join(filter(None, (drawing.alt, drawing.caption))), quiet=True)


def write_doubt(text: object) -> None:
    """Write one line that calls for care, on pages without `write_style` too; nothing for an empty text."""
    if text:
        border = "border-left: 3px solid #c98a1b; padding: 0 0.75rem; margin: 0"
        font = "font-size: 0.875rem; overflow-wrap: anywhere"
        st.html(f'<p role="note" style="{border}; {font}">{escape_html(text)}</p>')


def write_warning(text: object) -> None:
    """Write a sentence that everything below it depends on, in a box; nothing for an empty text."""
    if text:
        box = "background: color-mix(in srgb, #e5a93c 22%, transparent); border-radius: 0.5rem; padding: 0.75rem 1rem"
        st.html(f'<p role="note" style="{box}; margin: 0; overflow-wrap: anywhere">{escape_html(text)}</p>')


def write_upload_problem(text: object) -> None:
    """Write why a file cannot be used, in the one style of all uploads; call it right below the uploader."""
    if text:
        box = "background: color-mix(in srgb, #d9402f 18%, transparent); border-radius: 0.5rem; padding: 0.75rem 1rem"
        st.html(
            f'<p class="upload-problem" role="alert" style="{box}; margin: 0; overflow-wrap: anywhere">'
            f"{escape_html(text)}</p>"
        )


def write_problem(text: object) -> None:
    """Write in a box why something is not possible, and what to do."""
    with st.container(border=True):
        write(text)


def write_link_problems(place: DeltaGenerator, texts: Iterable[str]) -> None:
    """Write what the link asked for in vain, in one box at a place above the page."""
    sentences = list(texts)
    if sentences:
        with place:
            write_warning(" ".join(["This link cannot be followed in full.", *sentences]))
