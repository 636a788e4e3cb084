"""Rooms of a class: one code for everybody, its link, a vote a browser, and the count."""

from __future__ import annotations

import streamlit as st

from pages.ui.frame import browser_cookie, render_slots, url_state
from pages.ui.frame.session import session_id
from pages.ui.widgets import share, show
from xai_core import XaiError, labs
from xai_core.formatting import join_words, percent

POLL_S = 3.0
_OPTIONS = {"honest": "Honest", "cheats": "Cheats"}


def _open_room() -> None:
    st.session_state["room"] = labs.make_room()


def render_choice(page: str) -> str | None:
    """Render the choice of a room with its link; return its code, or None while there is none."""
    key = url_state.restore("room", "", labs.clean_room, title=lambda _code: "no room yet")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input("Room", url_state.value_of(key), key=key, width=220, placeholder="Code of your class")
        st.button("Open a new room", key="open_room", on_click=_open_room, icon=":material/meeting_room:")
    if not typed:
        show.write(
            "Everybody in a room gets the same networks. Type the code of your class, or "
            "open a new room, also for yourself alone."
        )
        return None
    try:
        code = labs.clean_room(typed)
    except XaiError as problem:
        show.write_problem(problem)
        return None
    url = f"{(st.context.url or '').rpartition('/')[0]}/{page}?room={code}"
    # Folded: those who came by the link need it no more.
    with st.expander(f"Invite your class to room {code}", icon=":material/qr_code:"):
        st.code(url, language=None, wrap_lines=True)
        st.image(share.draw_qr_code(url), width=share.QR_PX, alt=f"QR code of room {code}")
        if share.is_only_here(url):
            show.write(share.ONLY_HERE, quiet=True)
    return code


def _voter() -> str:
    """Return what tells browsers apart; it is hashed before it is kept."""
    return browser_cookie.browser_secret() or session_id()


def _cast(code: str, letters: tuple[str, ...]) -> None:
    votes = {letter: st.session_state.get(f"vote_{code}_{letter}") for letter in letters}
    state = st.session_state
    if None in votes.values():
        missing = join_words([f"network {letter}" for letter, vote in votes.items() if vote is None])
        state["vote_problem"] = f"Your vote on {missing} is missing: choose honest or cheats for each."
        return
    try:
        labs.VOTES.cast(code, _voter(), frozenset(letter for letter, vote in votes.items() if vote == "cheats"))
    except XaiError as problem:
        state["vote_problem"] = str(problem)
        return
    state.pop("vote_problem", None)
    state[f"voted_{code}"] = True


def render_vote(code: str, letters: tuple[str, ...]) -> bool:
    """Render the vote on each network, and the count once this visitor has voted; return whether that is so."""
    with st.container(horizontal=True, gap="large"):
        for letter in letters:
            st.segmented_control(
                f"Network {letter}", list(_OPTIONS), format_func=_OPTIONS.__getitem__, key=f"vote_{code}_{letter}"
            )
    has_voted = bool(st.session_state.get(f"voted_{code}"))
    st.button(
        "Change my vote" if has_voted else "Vote",
        key="vote",
        type="secondary" if has_voted else "primary",
        icon=":material/how_to_vote:",
        on_click=_cast,
        args=(code, letters),
    )
    if problem := st.session_state.get("vote_problem"):
        show.write_problem(problem)
    if has_voted:
        st.fragment(_render_count, run_every=POLL_S)(code, letters)
    else:
        show.write("You see the votes of your room and the tests after your own vote.", quiet=True)
    return has_voted


@render_slots.acquire_slot()
def _render_count(code: str, letters: tuple[str, ...]) -> None:
    count = labs.VOTES.count(code, letters)
    people = "1 person has" if count.voters == 1 else f"{count.voters} people have"
    show.write_strong(f"{people} voted in this room. Called a cheater:")
    show.draw_shares(
        [
            (f"Network {letter} ({count.cheaters[letter]})", count.cheaters[letter] / max(count.voters, 1))
            for letter in letters
        ]
    )


def describe_votes(count: labs.Count, letter: str) -> str:
    """Return how many of those who voted called a network a cheater."""
    share_of_class = count.cheaters[letter] / max(count.voters, 1)
    return f"{count.cheaters[letter]} of {count.voters} called it a cheater ({percent(share_of_class)})"
