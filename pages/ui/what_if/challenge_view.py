"""The game against adaptive occlusion: hide, or keep, as little as possible."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import NamedTuple

import streamlit as st

import xai_core
from pages.ui.frame import render_slots, url_state
from pages.ui.frame.session import session_id
from pages.ui.image.picture import PageContext
from pages.ui.what_if import brush
from pages.ui.widgets import background, forms, show
from xai_core import what_if
from xai_core.arrays import Bool
from xai_core.formatting import percent

METHOD = "adaptive_occlusion"
_GOALS = {
    False: "Hide as little as you can, until the model no longer says {}. Touch a piece to hide it.",
    True: "Keep as little as you can, so that the model still says {}. Touch a piece to keep it.",
}


class Game(NamedTuple):
    """A prepared game with its settings and its key."""

    challenge: what_if.Challenge
    params: Mapping[str, object]
    key: tuple[Hashable, ...]


def prepare(page: PageContext, mode: str) -> Game | None:
    """Render the settings of the game and cut the picture into pieces; None while that goes on."""
    with st.expander("Pieces and filling"):
        params = {**forms.render_params(what_if.challenge_params(), page.model.side, "game"), "mode": mode}
    key = ("game", xai_core.image_sha256(page.image), page.model.name, *sorted(params.items()))
    challenge = background.compute(
        key,
        lambda job: what_if.prepare_challenge(page.model, page.image, params, job),
        "Cutting the picture into pieces",
        write_failure=show.write_problem,
    )
    return None if challenge is None else Game(challenge, params, key)


@st.fragment
@render_slots.acquire_slot()
def play(page: PageContext, game: Game) -> None:
    """Draw the picture in pieces beside the model's answer to the chosen ones, and the method's own solution."""
    challenge = game.challenge
    mask = brush.restore_mask(page.model.side)
    part = challenge.select_pieces(mask) if mask is not None else None
    left, right = st.columns([3, 2], gap="large")
    with left:
        painted = None if part is None else part[challenge.labels]
        alt = f"The picture in {len(challenge.search.areas)} pieces, to paint on."
        brush.show_brush(page.model_input, painted, alt, keep=challenge.keeps, pieces=challenge.labels)
    with right:
        show.write(_GOALS[challenge.keeps].format(challenge.label))
        if part is not None and part.any():
            _render_attempt(challenge, part, game.key)
        _render_solution(page, challenge, game.params, game.key)
    url_state.update_address()


def _best_shares() -> dict[Hashable, float]:
    """Return the smallest share that reached the goal, by game, of this session."""
    best: dict[Hashable, float] = st.session_state.setdefault("hide_best", {})
    return best


def _render_attempt(game: what_if.Challenge, part: Bool, key: tuple[Hashable, ...]) -> None:
    """Render the answer to the player's pieces."""
    attempt = background.compute(
        (*key, part.tobytes()),
        lambda job: game.try_pieces(part, job),
        "Asking the model",
        write_failure=show.write_problem,
    )
    if attempt is None:
        return
    show.write_strong(_describe(attempt, game))
    if attempt.reached:
        best = _best_shares()
        best[key] = min(attempt.share, best.get(key, 1.0))
    show.draw_shares([(game.label, attempt.probability)])
    st.image(
        attempt.picture,
        caption="What the model sees now",
        alt=f"The picture with your pieces {'kept' if game.keeps else 'hidden'}",
        width=show.fit_width(attempt.picture, 240, 240),
    )


def _describe(attempt: what_if.Attempt, game: what_if.Challenge) -> str:
    """Return in two sentences what is chosen, what the model says, and whether that is the goal."""
    pieces = "1 piece" if attempt.pieces == 1 else f"{attempt.pieces} pieces"
    chosen = f"You {'keep' if game.keeps else 'hide'} {pieces}, {percent(attempt.share)} of the picture."
    says = f"{attempt.answer} ({percent(attempt.answer_probability)})"
    if attempt.reached:
        return f"Done! {chosen} The model {'still' if game.keeps else 'now'} says {says}."
    return f"{chosen} Not yet: the model {'says' if game.keeps else 'still says'} {says}."


def _reveal(key: tuple[Hashable, ...]) -> None:
    """Callback: show the method's solution of this game."""
    st.session_state.setdefault("hide_revealed", set()).add(key)


def _render_solution(
    page: PageContext, game: what_if.Challenge, params: Mapping[str, object], key: tuple[Hashable, ...]
) -> None:
    """Render the method's own solution once the player wants to see it, beside the player's best one."""
    best = _best_shares().get(key)
    if key not in st.session_state.get("hide_revealed", ()):
        words = "Give up and see the method’s solution" if best is None else "See the method’s solution"
        st.button(words, key="hide_reveal", on_click=_reveal, args=(key,), icon=":material/emoji_objects:")
        return
    spec = xai_core.METHODS.get(METHOD)
    planned = xai_core.plan(page.model, page.image, METHOD, game.label_index, params=params)
    attribution = background.follow(
        ("hide_solution", planned.id),
        partial(xai_core.start, planned, session_id()),
        f"{spec.full_title} is playing",
        write_failure=show.write_problem,
    )
    if attribution is None:
        return
    part = game.select_pieces(attribution.heatmap != 0)
    solution = background.compute(
        (*key, part.tobytes()),
        lambda job: game.try_pieces(part, job),
        "Asking the model",
        write_failure=show.write_problem,
    )
    if solution is not None:
        _draw_solution(spec, game, solution, best)


def _draw_solution(
    spec: xai_core.MethodSpec, game: what_if.Challenge, solution: what_if.Attempt, best: float | None
) -> None:
    """Draw the method's solution with a sentence on who needed less."""
    st.markdown(f"**{spec.full_title}**")
    show.write(_compare(game, solution, best))
    st.image(
        solution.picture,
        caption="The method’s solution",
        alt=f"The picture with the method’s pieces {'kept' if game.keeps else 'hidden'}",
        width=show.fit_width(solution.picture, 240, 240),
    )
    show.write("The method adds piece after piece, so it may miss a smaller solution. You can beat it.", quiet=True)


def _compare(game: what_if.Challenge, solution: what_if.Attempt, best: float | None) -> str:
    """Return in words what the method needed, and who needed less."""
    verb = "keeps" if game.keeps else "hides"
    pieces = "1 piece" if solution.pieces == 1 else f"{solution.pieces} pieces"
    answer = f"The method {verb} {pieces}, {percent(solution.share)} of the picture"
    if not solution.reached:
        return f"{answer}, and has not reached the goal either."
    says = f"and the model says {solution.answer} ({percent(solution.answer_probability)})"
    if best is None:
        return f"{answer}, {says}."
    # Areas of whole pieces: what differs by less than a thousandth is the same.
    difference = best - solution.share
    verdict = "You both need the same." if abs(difference) < 0.001 else "You need less: you win."
    if difference >= 0.001:
        verdict = "The method needs less."
    return f"{answer}, {says}. Your best is {percent(best)}. {verdict}"
