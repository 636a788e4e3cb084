"""The pictures clicked or enclosed on a map: beside it, and on a phone in a sheet over the lower half of the screen."""

from __future__ import annotations

import streamlit as st

from pages.ui.imageset import picture_detail, selected_pictures, selection
from pages.ui.imageset.page_context import PageContext

_STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-set_sheet), [data-testid="stLayoutWrapper"]:has(> .st-key-set_beside) {
  flex: none; }
.st-key-set_sheet [data-testid="stLayoutWrapper"]:has(> .st-key-set_detail) {
  position: static; max-height: none; overflow: visible; }
@media (min-width: 641px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-set_sheet) {
    position: sticky; top: 4rem; max-height: calc(100vh - 5rem); overflow-y: auto; }
  .st-key-set_sheet_close { display: none; }
}
@media (max-width: 640px) {
  .st-key-set_sheet { position: fixed; inset: auto 0 0 0; z-index: 900; width: 100%; max-height: 55vh;
    overflow-y: auto; padding: 0.5rem 1rem 1rem; border-top: 1px solid rgba(128, 128, 128, 0.5);
    border-radius: 0.75rem 0.75rem 0 0; box-shadow: 0 -4px 16px rgba(0, 0, 0, 0.25);
    background: var(--st-background-color, Canvas); flex-wrap: nowrap; }
  .st-key-set_sheet [data-testid="stImage"] img { max-height: 9rem; width: auto !important; margin: 0 auto; }
  .st-key-set_sheet_close { position: sticky; top: 0; z-index: 1; align-self: flex-end; width: auto; }
  [data-testid="stMain"]:has(.st-key-set_sheet) { scroll-padding-bottom: 56vh; }
  [data-testid="stMainBlockContainer"]:has(.st-key-set_sheet) { padding-bottom: 56vh; }
}</style>"""


def _close() -> None:
    """Callback: show nothing beside the map."""
    selection.clear()
    selection.close_picture()


def render(page: PageContext) -> None:
    """Render the open picture and the selected ones. Call it last on a page, as `picture_detail.render`."""
    row, selected = selection.current_row(page.pictures), selection.current_selection(page.pictures)
    is_open = row is not None or selected is not None
    st.html(_STYLE)
    with st.container(key="set_sheet" if is_open else "set_beside"):
        if is_open:
            st.button("Close", key="set_sheet_close", on_click=_close, icon=":material/close:")
        detail = st.container()
        selected_pictures.render(page, selected_pictures.spread_rows(len(page.pictures)))
        with detail:
            picture_detail.render(page.pictures, page.model, page.layer, page)
