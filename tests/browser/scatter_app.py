"""A page with one part alone, for tests in a browser; `?mode=` chooses it: the vote of a room, or a map of pictures."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.ui.imageset.scatter import show_scatter
from xai_core.render import Thumbs, color_by_group, color_by_number

LETTERS = ("A", "B", "C")
COUNT = 120
IDS = 1000 + 7 * np.arange(COUNT)
EVIL = "<img src=x onerror='window.hacked=1'><b>bold</b>"


def vote() -> None:
    # Importing the labs takes seconds, and the map does without them.
    from pages.ui.frame import url_state
    from pages.ui.learn import room

    url_state.begin_run("cheater")
    code = room.render_choice("cheater")
    if code is not None:
        room.render_vote(code, LETTERS)


def main() -> None:
    mode = st.query_params.get("mode")
    if mode == "room":
        vote()
        return
    points = np.random.default_rng(0).uniform(-0.9, 0.9, (COUNT, 3 if mode == "solid" else 2)).astype(np.float32)
    points[:2] = [[-1], [1]]
    groups = np.arange(COUNT) % 3
    whole = np.broadcast_to(2 * np.arange(COUNT, dtype=np.uint8)[:, None, None, None], (COUNT, 48, 48, 3))
    words, names = [f"picture {at}" for at in range(COUNT)], ["cat", "dog", "bird"]
    if mode == "evil":
        words, names = [EVIL] * COUNT, [EVIL, "dog", "bird"]
    seen = st.session_state.setdefault("seen", [])
    st.session_state.setdefault("chosen", ())
    if st.button("Choose five"):
        st.session_state.chosen = tuple(IDS[:5].tolist())
    coloured = color_by_group(groups, names, "Label")
    if st.checkbox("Numbers"):
        coloured = color_by_number(groups.astype(float), "Loss")
    mark = [0.0, 0.0] if mode == "evil" else None
    event = show_scatter(
        points,
        coloured,
        ids=IDS,
        thumbs=Thumbs("set", whole, np.arange(COUNT)[::-1]),
        words=words,
        selected=st.session_state.chosen,
        mark=mark,
        key="map",
        height=400,
    )
    if event:
        st.session_state.chosen = event.ids
        seen.append(event.kind)
    st.write(
        "Python saw", " ".join(seen) or "nothing", "of", " ".join(map(str, st.session_state.chosen)) or "none", "end"
    )


if __name__ == "__main__":
    main()
