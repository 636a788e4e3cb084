"""Hide and see: free painting, a mask from a map, and the game against the method.

What is painted is drawn in a fragment: when the brush is lifted only that runs, not the whole page.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

import xai_core
from pages.ui.frame import render_slots, url_state
from pages.ui.image.picture import PageContext
from pages.ui.what_if import brush, challenge_view, map_start
from pages.ui.what_if.changes import draw_changes
from pages.ui.widgets import background, forms, show
from xai_core import what_if
from xai_core.arrays import Bool
from xai_core.formatting import percent
from xai_core.params import Choice

FILLING = Choice(
    name="with",
    title="Hide with",
    help="What stands in the place of the hidden part. No filling is neutral: compare two of them.",
    default=next(iter(what_if.FILLINGS)),
    options={name: words[0].upper() + words[1:] for name, words in what_if.FILLINGS.items()},
)
TASKS = {
    "free": "Paint freely",
    "map": "Start from a map",
    "flip": "Challenge: hide little",
    "keep": "Challenge: keep little",
}
PAINTED = {"hide": "Hide the painted part", "keep": "Keep only the painted part"}


class _Settings(NamedTuple):
    """Settings of free painting; `start` is the mask (side, side) while nothing is painted."""

    filling: str
    keep: bool
    seed: int
    start: Bool | None


def _take_task() -> None:
    """Callback: a map and a game begin with their own mask; free painting goes on from what is there."""
    if st.session_state["hide_task"] == "free":
        brush.keep_drawn_mask()
    else:
        brush.set_mask(None)


def _render_task() -> str:
    key = url_state.restore("hide_task", "free", url_state.option_reader("task", TASKS), title=TASKS.__getitem__)
    chosen = st.segmented_control(
        "What to do",
        list(TASKS),
        default=url_state.value_of(key),
        key=key,
        format_func=TASKS.__getitem__,
        required=True,
        on_change=_take_task,
        label_visibility="collapsed",
    )
    return chosen or "free"


def prepare(page: PageContext) -> None:
    """Have the model answer once as it will be asked, so that the first stroke does not wait for it to get ready."""
    background.prefetch(
        ("hide first", page.model.name, page.model.weights_sha256, xai_core.image_sha256(page.image)),
        lambda job: what_if.prepare_hiding(page.model, page.image, job),
    )


def render(page: PageContext) -> None:
    """Render the task, the picture to paint on, what the model says now, and the settings below."""
    task = _render_task()
    stage, below = st.container(), st.container()
    if task in ("flip", "keep"):
        with below:
            game = challenge_view.prepare(page, task)
        if game is not None:
            with stage:
                challenge_view.play(page, game)
        return
    with below:
        settings = _render_settings(page, from_map=task == "map")
    with stage:
        _paint(page, settings)


def _render_settings(page: PageContext, *, from_map: bool) -> _Settings:
    """Render the settings of free painting, and those of the map it starts from."""
    left, right = st.columns(2, gap="large")
    with left:
        keep = forms.render_segments("painted", "The painted part", PAINTED, "hide") == "keep"
    with right:
        filling = str(forms.render_params((FILLING,), page.model.side, "hide")["with"])
        seed = forms.render_seed() if filling == "noise" else 0
    return _Settings(filling, keep, seed, map_start.render(page, filling, seed) if from_map else None)


@st.fragment
@render_slots.acquire_slot()
def _paint(page: PageContext, settings: _Settings) -> None:
    """Draw the picture to paint on beside the model's answer."""
    mask = brush.restore_mask(page.model.side)
    if mask is None:
        mask = settings.start
    left, right = st.columns([3, 2], gap="large")
    with left:
        brush.show_brush(page.model_input, mask, "The picture as the model sees it, to paint on.", keep=settings.keep)
    with right:
        _render_answer(page, mask, settings)
    url_state.update_address()


def _render_answer(page: PageContext, mask: Bool | None, settings: _Settings) -> None:
    """Render what the model says of the rest of the picture."""
    filling, keep, _, _ = settings
    if mask is None or not mask.any():
        word = "keep" if keep else "hide"
        show.write_strong(f"Paint on the picture to {word} a part of it. The model answers as soon as you let go.")
        return
    picture = (xai_core.image_sha256(page.image), page.model.name)
    result = background.compute(
        ("hide", *picture, what_if.encode_mask(mask), filling, keep, settings.seed),
        lambda job: what_if.hide(page.model, page.image, mask, filling, keep=keep, seed=settings.seed, job=job),
        "Asking the model",
        again=False,
        write_failure=show.write_problem,
    )
    if result is None:
        return
    chosen = page.target[0] if isinstance(page.target, tuple) else page.target
    show.write_strong(_describe(result))
    draw_changes(result.list_changes(chosen), chosen)
    show.write("Grey: the whole picture. Coloured: now.", quiet=True)
    st.image(
        result.picture,
        caption="What the model sees now",
        alt=f"The picture with {percent(result.share)} of it hidden",
        width=show.fit_width(result.picture, 240, 240),
    )


def _describe(result: what_if.Hidden) -> str:
    """Return in one sentence what is hidden and what the model says now."""
    first, now = (int(values.argmax()) for values in (result.before, result.after))
    hidden = f"{percent(result.share)} of the picture is hidden"
    if now == first:
        change = f"from {percent(float(result.before[first]))} to {percent(float(result.after[first]))}"
        return f"{hidden}, and the model still says {result.labels[first]}: {change}."
    return f"{hidden}, and the model now says {result.labels[now]} ({percent(float(result.after[now]))})."
