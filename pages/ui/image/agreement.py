"""Agreement of maps: one sentence, then a small table coloured like the maps themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

import xai_core
from xai_core.formatting import correlation, percent

_STYLE = """<style>
.agree { border-collapse: separate; border-spacing: 2px; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
.agree th { font-weight: 400; text-align: left; padding: 0.25rem 0.5rem; max-width: 12rem; overflow-wrap: anywhere; }
.agree thead th { vertical-align: bottom; text-align: center; max-width: 9rem; }
.agree td.gap { opacity: 0.8; }
.agree td { text-align: center; padding: 0.375rem 0.5rem; border-radius: 0.25rem; min-width: 4.5rem; }
@media (max-width: 48rem) {
  .agree { font-size: 0.8125rem; }
  .agree th { padding: 0.25rem; overflow-wrap: break-word; }
  .agree td { padding: 0.375rem 0.25rem; min-width: 3.25rem; }
}
</style>"""
_ORANGE, _BLUE = "236, 138, 44", "64, 132, 214"
# With more colour the light numbers of the dark theme would fall below a contrast of 4.5 to 1 (WCAG AA).
_MAX_OPACITY = 0.6


def _cell_colour(share: float) -> str:
    """Return a CSS colour: orange for agreement, blue for contradiction, transparent at 0."""
    return f"rgba({_ORANGE if share >= 0 else _BLUE}, {_MAX_OPACITY * min(abs(share), 1):.2f})"


# A few words in an empty cell for each reason that two maps have no number; a sentence below the table says more.
_GAP_WORDS = {"broken": "no numbers", "flat": "empty map", "grid": "other size", "picture": "other picture"}


def _format_cell(rank: float, overlap: float, gap: str) -> str:
    if not np.isfinite(rank):
        words = _GAP_WORDS.get(gap, "")
        return f'<td class="gap">–<br><small>{words}</small></td>' if words else "<td>–</td>"
    return f'<td style="background: {_cell_colour(rank)}">{correlation(rank)}<br><small>{percent(overlap)}</small></td>'


def draw_matrix(
    titles: Sequence[str],
    ranks: npt.NDArray[np.floating],
    overlaps: npt.NDArray[np.floating],
    name: str,
    gaps: Sequence[Sequence[str]] = (),
) -> None:
    """Draw rank correlations and, below them, overlaps of the strongest, both (N, N); `name` is read aloud.

    `gaps` names the reason of each empty cell.
    """
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = ""
    reasons = gaps or [[""] * len(titles)] * len(titles)
    for title, *rows in zip(titles, ranks, overlaps, reasons, strict=True):
        cells = "".join(_format_cell(rank, overlap, gap) for rank, overlap, gap in zip(*rows, strict=True))
        body += f'<tr><th scope="row">{escape(title)}</th>{cells}</tr>'
    whole = f'<table class="agree"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
    st.html(
        f'{_STYLE}<div style="overflow-x: auto" tabindex="0" role="region" aria-label="{escape(name)}">{whole}</div>'
    )


def render(titles: Sequence[str], maps: Sequence[xai_core.Attribution], heading: str = "") -> None:
    """Render what the maps point at in one sentence, and how far each pair agrees; `heading` stands above."""
    compared = xai_core.agreement(maps)
    if heading:
        st.html(f"<p><strong>{escape(heading)}</strong></p>")
    st.html(f'<p style="font-size: 1.125rem">{escape(xai_core.describe_maps(titles, maps))}</p>')
    draw_matrix(titles, compared.rank, compared.overlap, "How far the maps agree", compared.gaps)
    for reason in compared.reasons:
        st.caption(f"–: {reason}")


def _rank_by_verdict(maps: Sequence[xai_core.Attribution]) -> list[float]:
    return [float(verdict.place) for verdict in xai_core.judge(maps)]


def _rank_by_agreement(maps: Sequence[xai_core.Attribution]) -> list[float]:
    return [-rank if np.isfinite(rank) else 2.0 for rank in xai_core.agreement(maps).mean_rank.tolist()]


# Orders of the maps of a row: title, and a sort key for each map (ascending).
ORDERS: dict[str, tuple[str, Callable[[Sequence[xai_core.Attribution]], Sequence[float]] | None]] = {
    "cost": ("Cheapest first", None),
    "time": ("Time taken", lambda maps: [result.seconds for result in maps]),
    "agreement": ("Agreement with the others", _rank_by_agreement),
    "checks": ("Best checks first", _rank_by_verdict),
}
