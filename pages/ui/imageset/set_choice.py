"""Choice of the picture set: a bundled one or the visitor's own; the session holds ids only."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import streamlit as st

from pages.ui.frame import render_slots, url_state
from pages.ui.frame.session import session_id
from pages.ui.imageset import selection
from pages.ui.widgets import background, show, uploader
from pages.ui.widgets.words import format_label
from xai_core import Job, imageset, settings
from xai_core.imageset import IMAGE_SETS, ImageSet

DEFAULT_SET = "photo_crops"
MAX_UPLOAD_MB = 1000
_GONE = (
    "The picture set you asked for does not exist here, or is no longer kept. Shown instead: {}. Choose another one, "
    "or upload yours again."
)


def _own_titles() -> dict[str, str]:
    """Return the titles of this visitor's own sets by id; a set that came by a link counts as one."""
    own: dict[str, str] = st.session_state.setdefault("own_sets", {})
    return own


def _read_name(text: str) -> str:
    """Return a set's name or id from a link; `restore` replaces one that is gone."""
    if text in IMAGE_SETS and IMAGE_SETS.get(text).available():
        return text
    dataset = imageset.find_set(text)
    if dataset is not None:
        _own_titles()[text] = dataset.title
    return text


def restore() -> None:
    """Restore the choice, also on pages that do not show it; a missing set is replaced by the default."""
    url_state.restore("set", DEFAULT_SET, _read_name)
    selection.restore()
    name = st.session_state["set"]
    there = IMAGE_SETS.get(name).available() if name in IMAGE_SETS else imageset.find_set(name) is not None
    if not there:
        _own_titles().pop(name, None)
        _use_set(DEFAULT_SET, gone=True)
    if st.session_state.get("set_gone"):
        show.write_problem(_GONE.format(IMAGE_SETS.get(DEFAULT_SET).title))


def _format_title(name: str) -> str:
    return format_label(
        IMAGE_SETS.get(name).title if name in IMAGE_SETS else f"{_own_titles().get(name, 'Your pictures')} (yours)"
    )


def _use_set(name: str, *, gone: bool = False) -> None:
    """Use this set; `gone` says that it replaces one that is no longer stored."""
    url_state.set_value("set", name)
    selection.close_picture()
    st.session_state["set_gone"] = gone


def current_title(dataset: ImageSet) -> str:
    """Return this visitor's title of a set; another visitor may have uploaded it under another name."""
    return _own_titles().get(dataset.id, dataset.title)


def _use_chosen_set() -> None:
    """Callback: use the chosen set, and the model that a bundled set is made for."""
    name = st.session_state[list_key()]
    _use_set(name)
    if name in IMAGE_SETS:
        url_state.set_value("model", IMAGE_SETS.get(name).model)


def list_key() -> str:
    """Return the widget key of the list of sets."""
    return f"set_list_{st.session_state.setdefault('set_list_round', 0)}"


def _renew_list() -> str:
    """Return the widget key of the list: another one where the set in use was not chosen there.

    A click before a run is drawn sends the list's former value, which under the same key would be a choice.
    """
    state = st.session_state
    if state.get(list_key(), state["set"]) != state["set"]:
        state["set_list_round"] += 1
    key = list_key()
    if key not in state:
        state[key] = state["set"]
    return key


def recommended_model(dataset: ImageSet) -> str | None:
    """Return the model that a bundled set is made for, else None."""
    return IMAGE_SETS.get(dataset.name).model if dataset.name in IMAGE_SETS else None


def use_model(name: str) -> None:
    """Callback: take this model."""
    url_state.set_value("model", name)


def _start_reading(source: str | IO[bytes], name: str) -> Job[ImageSet]:
    with render_slots.release_slot():  # the bytes of an upload are hashed
        return imageset.start_reading(source, name, session_id())


def _ingest(place: str, key: str, source: str | IO[bytes], name: str) -> None:
    """Read pictures and use them once they are there; each place of the page reads the same source once."""
    done = f"{place}_read"
    if st.session_state.get(done) == key:
        return
    dataset = background.follow(
        ("read set", key),
        lambda: _start_reading(source, name),
        "Reading the pictures",
        write_failure=show.write_upload_problem,
    )
    if dataset is not None:
        st.session_state[done] = key
        _own_titles()[dataset.id] = Path(name).stem or dataset.title
        _use_set(dataset.id)


def _render_uploader() -> None:
    advice = "Make a zip of fewer or smaller pictures."
    upload = uploader.render("Your pictures (a zip file)", "set_file", MAX_UPLOAD_MB, advice)
    if upload is not None:
        _ingest("set_file", upload.file_id, upload, upload.name)


def _render_folder_input() -> None:
    """Render an input for the path of a large set in a folder that the operator has opened."""
    if not settings.image_set_dirs():
        return
    path = st.text_input(
        "Or a folder or zip file on the computer that runs Whybox", key="set_folder", placeholder="Its path"
    )
    if path:
        _ingest("set_folder", path, path, "")


def render_choice() -> None:
    """Render the list of sets, and inputs for own ones."""
    left, right = st.columns(2, gap="large")
    with right:  # first, so that pictures that have just come count on the left
        _render_uploader()
        st.caption(
            f"Up to {MAX_UPLOAD_MB:,} MB. "
            "Use one folder for each class, or a file labels.csv with the columns file and label, or neither. The "
            "pictures stay on the computer that runs Whybox; anyone with your link can see them too."
        )
        _render_folder_input()
    with left:
        titles = {
            name: _format_title(name)
            for name in [*(spec.name for spec in IMAGE_SETS.specs() if spec.available()), *_own_titles()]
        }
        st.selectbox(
            "Picture set",
            list(titles),
            url_state.index_of(titles, "set"),
            titles.__getitem__,
            key=_renew_list(),
            on_change=_use_chosen_set,
        )
        if st.session_state["set"] in IMAGE_SETS:
            st.caption(IMAGE_SETS.get(st.session_state["set"]).about)


def current_set() -> ImageSet | None:
    """Return the set in use; None, with a note on the page, while it is being read or where it is gone."""
    name = st.session_state["set"]
    if name in IMAGE_SETS:
        ready = background.compute(
            ("set", name), lambda job: imageset.load_set(name, job), f"Preparing: {_format_title(name)}"
        )
        # At once, or made anew where the disk has lost it since.
        return None if ready is None else imageset.load_set(name)
    dataset = imageset.find_set(name)
    if dataset is None:  # since the run began
        show.write_problem(_GONE)
    return dataset
