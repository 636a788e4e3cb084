"""The strongest part of a map as a mask, by a threshold, and the probability along it."""

from __future__ import annotations

from functools import partial

import streamlit as st

import xai_core
from pages.ui.frame import link_readers, url_state
from pages.ui.frame.session import session_id
from pages.ui.image.picture import PageContext
from pages.ui.what_if import brush
from pages.ui.widgets import background, show
from pages.ui.widgets.words import escape_markdown
from xai_core import what_if
from xai_core.arrays import Bool
from xai_core.errors import InvalidParam
from xai_core.formatting import percent
from xai_core.render.tables import draw_threshold

START_SHARE = 0.15
DEFAULT_MAP = "grad_cam"


def _read_share(text: str) -> float:
    allowed = {f"{100 * share:.0f}": share for share in what_if.SHARES}
    if text not in allowed:
        raise InvalidParam(f"The share must be one of {', '.join(allowed)} percent. Got {text[:20]!r}.")
    return allowed[text]


def _forget_strokes() -> None:
    """Callback: another threshold or map takes the place of what was painted."""
    brush.set_mask(None)


def _render_method(page: PageContext) -> str:
    names = [spec.name for spec in xai_core.METHODS.specs() if spec.refusal(page.model) is None]
    default = DEFAULT_MAP if DEFAULT_MAP in names else names[0]
    key = link_readers.restore_method("hide_map", default, names)
    # A method that the last model had may not fit this one.
    if st.session_state[key] not in names:
        url_state.set_value(key, default)
    start = url_state.index_of(names, key)
    return str(
        st.selectbox(
            "Map",
            names,
            start,
            format_func=lambda name: xai_core.METHODS.get(name).full_title,
            key=key,
            on_change=_forget_strokes,
        )
    )


def render(page: PageContext, filling: str, seed: int) -> Bool | None:
    """Render map, threshold and curve; return the strongest part (side, side), None while there is no map."""
    left, right = st.columns(2, gap="large")
    with left:
        method = _render_method(page)
    key = url_state.restore("hide_share", START_SHARE, _read_share, lambda share: f"{100 * share:.0f}", title=percent)
    with right:
        share = st.select_slider(
            "Threshold: strongest part of the map, at most",
            what_if.SHARES,
            url_state.value_of(key),
            format_func=percent,
            key=key,
            on_change=_forget_strokes,
        )
    planned = xai_core.plan(page.model, page.image, method, page.target)
    attribution = background.follow(
        ("hide_map", planned.id),
        partial(xai_core.start, planned, session_id()),
        f"Making the map: {xai_core.METHODS.get(method).full_title}",
        write_failure=show.write_problem,
    )
    if attribution is None:
        return None
    part = what_if.select_strongest(attribution.heatmap, share)
    if not part.any():
        show.write("So small a part of this map has no strongest places. Move the threshold up.")
    _render_curve(page, attribution, filling, seed, float(part.mean()))
    return part


def _render_curve(page: PageContext, attribution: xai_core.Attribution, filling: str, seed: int, now: float) -> None:
    """Render the probability of the class along the threshold."""
    target = page.target[0] if isinstance(page.target, tuple) else page.target
    picture = xai_core.image_sha256(page.image)
    curve = background.compute(
        ("hide_curve", picture, page.model.name, attribution.method, str(page.target), filling, seed),
        lambda job: what_if.follow_threshold(
            page.model, page.image, attribution.heatmap, target, filling, seed, job=job
        ),
        "Following the threshold",
        cost=2 * len(what_if.SHARES),
        write_failure=show.write_problem,
    )
    if curve is not None:
        st.markdown(f"**Probability of {escape_markdown(curve.label)}** *(deletion and insertion)*")
        show.draw_figure(
            draw_threshold(curve.shares, curve.when_hidden, curve.when_alone, now, curve.label), "hide_curve"
        )
