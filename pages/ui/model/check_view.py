"""Checks of a made picture against photographs: how the network treats both, and a quiz on what a unit likes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from pages.ui.imageset.page_context import PageContext
from pages.ui.widgets import background, show
from xai_core import InvalidParam, Job, inside
from xai_core.arrays import Float32
from xai_core.inside import PhotographCheck, Question, Unit, Visualization
from xai_core.render import tables

# Photographs of either kind that a picture is compared with.
COMPARED = 8
# Photographs that may be on the page already, at either end.
SHOWN = 12
ROUNDS, QUIZ_PX = 6, 220
SIDES = ("Left", "Right")


def rank_pictures(page: PageContext, unit: Unit) -> Float32:
    """Return the unit's value for every picture of the set, (N,): the logit of a class, the mean of a channel."""
    columns = page.run.logits if unit.layer is None else page.run.mean
    values = np.asarray(columns[:, unit.index or 0], dtype=np.float32)
    return np.where(page.run.valid, values, -np.inf).astype(np.float32)


def open_strongest(page: PageContext, unit: Unit) -> Image.Image | None:
    """Return the picture of the set with the unit's largest value; None for a whole layer, which has none."""
    return None if unit.index is None else page.pictures.open(int(rank_pictures(page, unit).argmax()))


def _compare(
    page: PageContext, picture: Image.Image, liked: Sequence[int], others: Sequence[int], job: Job[Any]
) -> PhotographCheck:
    good, poor = ([page.pictures.open(row) for row in rows] for rows in (liked, others))
    return inside.compare_with_photographs(page.model, picture, good, poor, job)


def render_check(page: PageContext, unit: Unit, result: Visualization) -> None:
    """Render from which layer on the network treats a made picture unlike the photographs that the unit likes."""
    order = np.argsort(-rank_pictures(page, unit), kind="stable")[: int(page.run.valid.sum())]
    rest = order[len(order) // 2 :]
    liked, others = order[:COMPARED].tolist(), rest[:: max(len(rest) // COMPARED, 1)][:COMPARED].tolist()
    check = background.compute(
        ("photograph check", result.unit, page.run.id, *liked, result.picture.tobytes()[:4096], result.seed),
        partial(_compare, page, result.picture, liked, others),
        "Comparing it with photographs",
        cost=2.0 * COMPARED,
    )
    if check is None or not check.layers:
        return
    st.markdown("**Does the network treat it like a photograph?**")
    show.write_strong(_describe_check(check))
    with st.expander("Layer by layer", icon=":material/stacked_line_chart:"):
        show.draw_figure(tables.draw_likeness(check.layers, check.likeness, check.limit), "made_likeness")


def _describe_check(check: PhotographCheck) -> str:
    if check.first_unlike is None:
        return "In its last layer the network treats this picture like the photographs above that this unit likes."
    if check.first_unlike == check.layers[0]:
        return (
            "In every layer the network treats this picture unlike the photographs that this unit likes: trust the "
            "photographs."
        )
    return (
        f"From the layer {check.first_unlike} on the network treats this picture unlike the photographs that this unit "
        "likes: what you see in it may not be what the unit looks for in photographs."
    )


def render_quiz(page: PageContext, unit: Unit) -> None:
    """Render a quiz: which of two photographs does the unit like more?"""
    values = rank_pictures(page, unit)
    order = np.argsort(-values, kind="stable")
    on_page = (*order[:SHOWN].tolist(), *order[-SHOWN:].tolist(), *np.flatnonzero(~page.run.valid).tolist())
    key = f"quiz {page.run.id} {unit.name}"
    state = st.session_state.setdefault(key, {"seed": 0, "answers": []})
    try:
        questions = inside.make_quiz(values, ROUNDS, state["seed"], on_page)
    except InvalidParam as problem:
        show.write(problem, quiet=True)
        return
    answers: list[bool] = state["answers"]
    if answers:
        last = "Right." if answers[-1] else "No, it was the other one."
        show.write_strong(f"{last} {sum(answers)} of {len(answers)} right; guessing gets half.")
    if len(answers) >= len(questions):
        st.button("Other pictures", key=f"{key} again", on_click=_start_again, args=(key,), icon=":material/refresh:")
        return
    _render_question(page, key, questions[len(answers)])


def _render_question(page: PageContext, key: str, question: Question) -> None:
    show.write("Which of these two does this unit like more? You have not seen either above.")
    # The key keeps the pair side by side on a phone, where columns would stand one below the other.
    for column, side, row in zip(
        st.container(key="side_by_side").columns(2), SIDES, (question.left, question.right), strict=True
    ):
        with column:
            seen = page.model.preprocessing.model_input(page.pictures.open(row))
            st.image(seen, width=QUIZ_PX, alt=f"{side} photograph of the quiz")
            st.button(side, key=f"{key} {side}", on_click=_answer, args=(key, row == question.answer))


def _answer(key: str, is_right: bool) -> None:
    """Callback: note an answer."""
    st.session_state[key]["answers"].append(is_right)


def _start_again(key: str) -> None:
    """Callback: ask about other pictures."""
    st.session_state[key] = {"seed": st.session_state[key]["seed"] + 1, "answers": []}
