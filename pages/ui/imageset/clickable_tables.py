"""Tables with clickable cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

ROW_PX, HEADER_PX = 35, 38


def draw_table(
    frame: pd.DataFrame,
    key: str,
    take: Callable[[int, str], None],
    alt: str,
    *,
    columns: Mapping[str, Any] | None = None,
    most: int = 10,
    style: Callable[[pd.DataFrame], Any] | None = None,
) -> None:
    """Draw a table; `take` gets the row's position in `frame` and the column of the cell that is clicked.

    Every column can be sorted by its head. `columns` are Streamlit's column settings, `style` colours the cells.
    """

    def take_click() -> None:
        cells = st.session_state[key].selection.cells
        if cells and 0 <= cells[0][0] < len(frame):
            take(int(cells[0][0]), str(cells[0][1]))

    st.dataframe(
        style(frame) if style else frame,
        height=HEADER_PX + ROW_PX * min(len(frame), most) + 2,
        column_config=dict(columns or {}),
        hide_index=True,
        key=key,
        on_select=take_click,
        selection_mode="single-cell",
        alt=alt,
    )


def bar_column(title: str, highest: int | float, form: str = "%d", width: int | None = None) -> Any:
    """Return the settings of a column whose numbers are drawn as bars; `width` in pixels."""
    return st.column_config.ProgressColumn(title, format=form, min_value=0, max_value=max(highest, 1e-9), width=width)
