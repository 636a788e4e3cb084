"""Probabilities before and after, side by side."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from pages.ui.widgets.show import escape_html
from xai_core.formatting import percent
from xai_core.what_if import ClassChange

_STYLE = """<style>
.changes { font-size: 0.875rem; display: grid; gap: 0.375rem; }
.changes .names { display: flex; justify-content: space-between; gap: 1rem; }
.changes .names span:first-child { min-width: 0; overflow-wrap: anywhere; }
.changes .names span:last-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
.changes i { display: block; height: 0.375rem; border-radius: 0.1875rem; min-width: 1px; }
.changes .before { background: light-dark(#8b959c, #87929a); margin-bottom: 2px; }
.changes .after { background: var(--st-primary-color, #2f8a9b); }
.changes .chosen { font-weight: 600; }
</style>"""


def draw_changes(changes: Iterable[ClassChange], chosen: int | None = None) -> None:
    """Draw each class with its probability before (grey bar) and after (coloured bar); the chosen class is bold."""
    rows = "".join(
        f'<div role="listitem"><div class="names{" chosen" if change.index == chosen else ""}">'
        f"<span>{escape_html(change.label)}</span><span>{percent(change.before)} → {percent(change.after)}</span></div>"
        f'<i class="before" style="width: {100 * change.before:.1f}%"></i>'
        f'<i class="after" style="width: {100 * change.after:.1f}%"></i></div>'
        for change in changes
    )
    st.html(f'{_STYLE}<div class="changes" role="list" aria-label="Probability before and after">{rows}</div>')
