"""An opened link: what it holds, and the ways on from it with its picture, its model and its settings."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.image import backgrounds, permalinks
from pages.ui.widgets import share

COMPARE, EXPLAIN = "pages/image/compare.py", "pages/image/explain.py"

Results = Mapping[str, xai_core.Attribution]


def render_content(link: xai_core.Share) -> None:
    """Render when a link was made, and the link itself with its QR code, to pass it on or to delete it."""
    st.caption(f"Saved on {share.format_day(link.created)}, and shown as it was then.")
    about = permalinks.describe_content(len(link.results), own_picture=link.has_picture)
    with st.expander("This link and its QR code", icon=":material/qr_code_2:"):
        share.render_link(link, about)


def _choices(results: Results, link: xai_core.Share | None) -> dict[str, str]:
    """Return the choices with which the maps were made; of an old link the model and the sample."""
    if link is not None:
        return dict(link.query)
    first = next(iter(results.values()))
    return {"model": first.model, "sample": permalinks.find_sample(first) or session.DEFAULT_SAMPLE}


def _find_own_picture(results: Results, link: xai_core.Share | None) -> Image.Image | None:
    """Return the picture of whoever made the link, None for a sample or where it was not kept."""
    if link is not None:
        return backgrounds.find_link_picture(link) if link.has_picture else None
    return next((picture for result in results if (picture := xai_core.find_picture(result)) is not None), None)


def _go_on(page: str, results: Results, link: xai_core.Share | None) -> None:
    """Go to a page with the picture and the choices of a link; the visitor's own picture makes way."""
    picture = _find_own_picture(results, link)
    choices = _choices(results, link)
    if page == EXPLAIN:
        choices.setdefault("method", next(iter(results.values())).method)
    if picture is not None:
        session.use_picture(picture, share.PICTURE_TITLE)
    elif session.has_own_picture():
        session.forget_own_picture()
    url_state.go_to(page, choices)


def render_ways_on(results: Results, link: xai_core.Share | None) -> None:
    """Render the ways on from saved maps."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Go on from here:**", width="content")
        if st.button("Try other methods", key="go_compare", icon=":material/grid_view:"):
            _go_on(COMPARE, results, link)
        if st.button("Change the settings", key="go_explain", icon=":material/tune:"):
            _go_on(EXPLAIN, results, link)
