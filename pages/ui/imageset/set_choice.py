"""Which picture set is in use: one of those that come along, or the visitor's own. The session holds ids only."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import streamlit as st

from pages.ui.frame import render_slots, url_state
from pages.ui.frame.session import session_id
from pages.ui.imageset import selection
from pages.ui.widgets import background, show
from xai_core import Job, imageset, settings
from xai_core.imageset import IMAGE_SETS, ImageSet

DEFAULT = "photo_crops"
LARGEST_MB = 1000
_GONE = "The picture set you asked for is no longer kept on this computer. Choose another one, or upload it again."


def _own() -> dict[str, str]:
    """This visitor's own sets: id and title. A set that came by a link counts as one."""
    own: dict[str, str] = st.session_state.setdefault("own_sets", {})
    return own


def _read(text: str) -> str:
    """A set's name or id from a link. One that is not there any more is said by `keep`."""
    if text in IMAGE_SETS and IMAGE_SETS.get(text).available():
        return text
    found = imageset.find_set(text)
    if found is not None:
        _own()[text] = found.title
    return text


def keep() -> None:
    """Give the choice its value, on pages that do not show it too. Instead of a set that is gone comes the first one, with a word on it."""
    url_state.keep("set", DEFAULT, _read)
    selection.keep()
    name = st.session_state["set"]
    there = IMAGE_SETS.get(name).available() if name in IMAGE_SETS else imageset.find_set(name) is not None
    if not there:
        _own().pop(name, None)
        _take(DEFAULT, gone=True)
    if st.session_state.get("set_gone"):
        show.problem(_GONE)


def _title(name: str) -> str:
    return show.label(
        IMAGE_SETS.get(name).title if name in IMAGE_SETS else f"{_own().get(name, 'Your pictures')} (yours)"
    )


def _take(name: str, *, gone: bool = False) -> None:
    """Use this set, of which no picture is looked at yet. `gone`: it stands in for one that is no longer kept."""
    url_state.put("set", name)
    selection.look_away()
    st.session_state["set_gone"] = gone


def title(of: ImageSet) -> str:
    """What a set is called here: another visitor may have brought the same pictures under another name."""
    return _own().get(of.id, of.title)


def _suit() -> None:
    """Callback: a set that comes along for one model is looked at with that model."""
    name = st.session_state["set"]
    _take(name)
    if name in IMAGE_SETS:
        url_state.put("model", IMAGE_SETS.get(name).model)


def model_for(found: ImageSet) -> str | None:
    """The model that a set is meant for, if it came along for one."""
    return IMAGE_SETS.get(found.name).model if found.name in IMAGE_SETS else None


def use_model(name: str) -> None:
    """Callback: take this model."""
    url_state.put("model", name)


def _start(source: str | IO[bytes], name: str) -> Job[ImageSet]:
    with render_slots.aside():  # the bytes of an upload are hashed
        return imageset.start_reading(source, name, session_id())


def _read_in(place: str, key: str, source: str | IO[bytes], name: str) -> None:
    """Read pictures from somewhere, and take them once they are there. What each place of the page has read last is not read again."""
    done = f"{place}_read"
    if st.session_state.get(done) == key:
        return
    found = background.follow(
        ("read set", key),
        lambda: _start(source, name),
        "Reading the pictures",
        again=False,
    )
    if found is not None:
        st.session_state[done] = key
        _own()[found.id] = Path(name).stem or found.title
        _take(found.id)


def _uploader() -> None:
    upload = st.file_uploader("Your pictures (a zip file)", ["zip"], key="set_file", max_upload_size=LARGEST_MB)
    if upload is not None:
        _read_in("set_file", upload.file_id, upload, upload.name)


def _folder() -> None:
    """For large sets: a folder that whoever runs Whybox has opened for it."""
    if not settings.image_set_dirs():
        return
    path = st.text_input(
        "Or a folder or zip file on the computer that runs Whybox", key="set_folder", placeholder="Its path"
    )
    if path:
        _read_in("set_folder", path, path, "")


def pick() -> None:
    """The list of sets, and places for own ones."""
    left, right = st.columns(2, gap="large")
    with right:  # first, so that pictures that have just come count on the left
        _uploader()
        st.caption(
            "A folder in it for each class, or a file labels.csv with the columns file and label, or neither. "
            "It stays on the computer that runs Whybox; anyone who has your link can see it too."
        )
        _folder()
    with left:
        titles = {
            name: _title(name) for name in [*(spec.name for spec in IMAGE_SETS.specs() if spec.available()), *_own()]
        }
        st.selectbox(
            "Picture set", list(titles), url_state.place(titles, "set"), titles.__getitem__, key="set", on_change=_suit
        )
        if st.session_state["set"] in IMAGE_SETS:
            st.caption(IMAGE_SETS.get(st.session_state["set"]).about)


def current() -> ImageSet | None:
    """The set in use; None while it is being read, or where it is gone, with a word on it."""
    name = st.session_state["set"]
    if name in IMAGE_SETS:
        ready = background.compute(
            ("set", name), lambda job: imageset.load_set(name, job), f"Preparing: {_title(name)}"
        )
        # At once, or made anew where the disk has lost it since.
        return None if ready is None else imageset.load_set(name)
    found = imageset.find_set(name)
    if found is None:  # since the run began
        show.problem(_GONE)
    return found
