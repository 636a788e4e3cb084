"""The selected pictures and the current one, shared by all pages about a set; the session holds their rows only.

The link has the one that is looked at; a selection may be too large for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from pages.ui.frame import url_state
from xai_core.imageset import ImageSet
from xai_core.params import Int

CURRENT_PICTURE = "looked_at"
NO_PICTURE = ("", -1)
_ROW = Int(name="picture", title="Picture", help="Its row in the set.", default=0, low=0, high=2**31)


@dataclass(frozen=True)
class Selection:
    """Some pictures of a set, and in words what they have in common."""

    set_id: str
    rows: tuple[int, ...]
    words: str


def select(dataset: ImageSet, rows: Iterable[int], words: str) -> None:
    """Callback: select these pictures everywhere."""
    st.session_state["set_selection"] = Selection(dataset.id, tuple(int(row) for row in rows), words)
    st.session_state["set_place"] = 0


def clear() -> None:
    """Callback: select nothing."""
    st.session_state.pop("set_selection", None)
    st.session_state["set_place"] = 0


def current_selection(dataset: ImageSet) -> Selection | None:
    """The selection, if it is one of this set."""
    selection: Selection | None = st.session_state.get("set_selection")
    return selection if selection is not None and selection.set_id == dataset.id else None


def open_picture(dataset: ImageSet, row: int) -> None:
    """Callback: show this picture large."""
    url_state.set_value(CURRENT_PICTURE, (dataset.id, int(row)))


def close_picture() -> None:
    """For another set: no picture of it is looked at yet."""
    url_state.set_value(CURRENT_PICTURE, NO_PICTURE)


def restore() -> None:
    """Take the picture that is looked at from a new link; of which set it is, is known when that is there."""
    url_state.restore(
        "picture",
        NO_PICTURE,
        lambda text: ("", int(_ROW.check(text, 0))),
        lambda pair: str(pair[1]),
        CURRENT_PICTURE,
        lambda _pair: "no picture alone",
    )


def open_and_select(dataset: ImageSet, row: int) -> None:
    """Callback: show this picture large, and select it alone where it is not part of the selection."""
    open_picture(dataset, row)
    selection = current_selection(dataset)
    if selection is None or row not in selection.rows:
        select(dataset, (row,), "")


def current_row(dataset: ImageSet) -> int | None:
    """The row of the picture that is shown large."""
    set_id, row = st.session_state.get(CURRENT_PICTURE, NO_PICTURE)
    if not set_id and 0 <= row < len(dataset):  # from a link
        set_id = dataset.id
        open_picture(dataset, row)
    return int(row) if set_id == dataset.id else None


def describe_missing(dataset: ImageSet) -> str:
    """Return a sentence if a link asks for a picture that this set does not have, else ""."""
    set_id, row = st.session_state.get(CURRENT_PICTURE, NO_PICTURE)
    if set_id or row < len(dataset):
        return ""
    return f"The link asks for picture {row} of this set, which has pictures 0 to {len(dataset) - 1}. None is opened."


def first_index() -> int:
    """The first of the pictures shown, counted from 0."""
    return int(st.session_state.get("set_place", 0))


def scroll_to(to: int) -> None:
    """Callback: show the pictures from this one on."""
    st.session_state["set_place"] = max(to, 0)
