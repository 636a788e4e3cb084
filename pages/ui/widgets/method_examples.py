"""Example pictures of methods, and the list of the methods for one row of a table."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import url_state
from pages.ui.widgets import show
from xai_core.tabular import TABULAR_METHODS, RowMethod, row_example

ROW_PAGE = "pages/tables/row.py"
CARD_PX = 192
"""Width of an example on a card in pixels."""
_ROW_WIDTH = 840
"""Width of the examples for a row in pixels: twice what they take of a wide page."""


@cache
def _encode_example(file: Path, max_width: int) -> bytes:
    """Encode a file of the examples once: of a WebP file Streamlit would make another one in every run."""
    with Image.open(file) as image:
        return show.encode_picture(image.convert("RGB"), max_width)


def draw_example(method: str, width: int) -> None:
    """Draw a method's map of the sample Coffee, `width` pixels wide; nothing for a method without an example."""
    file = xai_core.method_example(method)
    if file is not None:
        title = xai_core.METHODS.get(method).technical
        st.image(_encode_example(file, width), width=width, alt=f"Example: {title} on the picture of a cup of coffee")


def _render_row_method(spec: RowMethod) -> None:
    with st.container(border=True, gap="small"):
        st.markdown(f"**{spec.full_title}**")
        st.markdown(f"*{spec.question}*")
        file = row_example(spec.name)
        if file is not None:
            st.image(
                _encode_example(file, _ROW_WIDTH),
                width="stretch",
                alt=f"Example: bars of {spec.technical} for one person who asks for a loan",
            )
        st.markdown(spec.sentence)
        st.caption(f"{spec.caution} ({spec.paper})")


def render_row_methods() -> None:
    """Render the methods that explain one row of a table, two side by side, each with an example."""
    st.subheader("For one row of a table")
    st.markdown("The same kind of question about a table: which columns moved the answer for this row?")
    specs = TABULAR_METHODS.specs()
    for start in range(0, len(specs), 2):
        for spec, place in zip(specs[start : start + 2], st.columns(2, gap="large"), strict=False):
            with place:
                _render_row_method(spec)
    if st.button("Try them on a row", icon=":material/table_rows:"):
        st.switch_page(ROW_PAGE, query_params=url_state.query())
