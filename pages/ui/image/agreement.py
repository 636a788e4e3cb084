"""A small table of how far maps agree, coloured like the maps themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

import xai_core
from xai_core.formatting import percent

_STYLE = """<style>
.agree { border-collapse: separate; border-spacing: 2px; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
.agree th { font-weight: 400; text-align: left; padding: 0.25rem 0.5rem; max-width: 12rem; overflow-wrap: anywhere; }
.agree thead th { vertical-align: bottom; text-align: center; max-width: 7rem; }
.agree td { text-align: center; padding: 0.375rem 0.5rem; border-radius: 0.25rem; min-width: 4.5rem; }
</style>"""
_ORANGE, _BLUE = "236, 138, 44", "64, 132, 214"
# With more colour the light numbers of the dark theme would fall below a contrast of 4.5 to 1 (WCAG AA).
_MAX_OPACITY = 0.6


def _cell_colour(share: float) -> str:
    """Return a CSS colour: orange for agreement, blue for contradiction, transparent at 0."""
    return f"rgba({_ORANGE if share >= 0 else _BLUE}, {_MAX_OPACITY * min(abs(share), 1):.2f})"


def _format_cell(rank: float, overlap: float) -> str:
    if not np.isfinite(rank):
        return "<td>–</td>"
    return f'<td style="background: {_cell_colour(rank)}">{rank:+.2f}<br><small>{percent(overlap)}</small></td>'


def draw_matrix(
    titles: Sequence[str], ranks: npt.NDArray[np.floating], overlaps: npt.NDArray[np.floating], name: str
) -> None:
    """Draw rank correlations and, below them, overlaps of the strongest, both (N, N); `name` is read aloud."""
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = ""
    for title, row, shares in zip(titles, ranks, overlaps, strict=True):
        cells = "".join(_format_cell(rank, overlap) for rank, overlap in zip(row, shares, strict=True))
        body += f'<tr><th scope="row">{escape(title)}</th>{cells}</tr>'
    whole = f'<table class="agree"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
    st.html(
        f'{_STYLE}<div style="overflow-x: auto" tabindex="0" role="region" aria-label="{escape(name)}">{whole}</div>'
    )


def draw_table(titles: Sequence[str], maps: Sequence[xai_core.Attribution]) -> None:
    """Draw rank correlation and overlap of the strongest tenth for each pair of maps."""
    agreement = xai_core.agreement(maps)
    draw_matrix(titles, agreement.rank, agreement.overlap, "How far the maps agree")


LEVELS = ("green", "amber", "red")


def _rank_by_agreement(maps: Sequence[xai_core.Attribution]) -> list[float]:
    return [-rank if np.isfinite(rank) else 2.0 for rank in xai_core.agreement(maps).mean_rank.tolist()]


# Orders of the maps of a row: title, and a sort key for each map (ascending).
ORDERS: dict[str, tuple[str, Callable[[Sequence[xai_core.Attribution]], Sequence[float]] | None]] = {
    "cost": ("Cheapest first", None),
    "time": ("Time taken", lambda maps: [result.seconds for result in maps]),
    "agreement": ("Agreement with the others", _rank_by_agreement),
    "checks": ("Best checks first", lambda maps: [float(LEVELS.index(result.level)) for result in maps]),
}
