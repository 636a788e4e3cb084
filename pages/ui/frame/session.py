"""The visitor's session: its id, and the picture in use by id; pictures themselves lie in a shared cache."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import render_slots, url_state
from xai_core.engine import LRUCache

DEFAULT_SAMPLE = "coffee"
# Own pictures of all visitors together, each of about a megapixel; the least recently used one goes first.
MAX_PICTURES = 48


@st.cache_resource(show_spinner=False, max_entries=1)
def _pictures() -> LRUCache[Image.Image]:
    """Return the own pictures by SHA-256, shared by all sessions; a session only holds the key."""
    return LRUCache(MAX_PICTURES)


@st.cache_data(show_spinner=False, max_entries=32)
def load_sample(name: str) -> Image.Image:
    """Return a sample by name; each caller gets a copy."""
    return xai_core.SAMPLES.get(name).load()


def session_id() -> str:
    """Return the id of this session, made at its first use."""
    if "session_id" not in st.session_state:
        st.session_state["session_id"] = uuid.uuid4().hex
    name: str = st.session_state["session_id"]
    return name


def upload_key(kind: str, place: str) -> str:
    """Return the widget key of an uploader; it changes with every return to the samples, which empties the uploader."""
    return f"{kind}_{place}_{st.session_state.get('uploads', 0)}"


def _reset_classes() -> None:
    """Go back to what is asked about any picture: its first guess, its middle, and nothing painted."""
    for name in ("class", "not", "crop", "mask"):
        url_state.reset(name)


def read_upload(widget: str, place: str) -> None:
    """Callback of an uploader or camera: use its picture, or store the sentence that says why it cannot be read."""
    upload = st.session_state.get(widget)
    # The visitor removed the file.
    if upload is None:
        if st.session_state.get("own_widget") == widget:
            forget_own_picture()
        st.session_state.pop("picture_error", None)
        return
    try:
        with render_slots.acquire_slot():
            picture = xai_core.read_image_file(upload)
    except xai_core.InvalidImage as problem:
        note_problem(place, str(problem))
        return
    title = "Your photo" if widget.startswith("camera") else upload.name
    use_picture(picture.image, title, widget, picture.notes)
    st.session_state["picture_arrived"] = True


def use_picture(image: Image.Image, title: str, widget: str = "", notes: Sequence[str] = ()) -> None:
    """Callback: make this picture the visitor's own.

    `widget` is the uploader that holds it, if one does; `notes` say how its file was read.
    """
    if not widget:
        forget_own_picture()
    # A new picture is explained for its own first guess.
    _reset_classes()
    key = xai_core.image_sha256(image)
    _pictures().put(key, image, size=1)
    st.session_state.update({"own_picture": key, "own_title": title, "own_widget": widget, "own_notes": tuple(notes)})
    for name in ("picture_error", "own_inverted"):
        st.session_state.pop(name, None)


def invert_picture() -> None:
    """Callback: put the negative in the place of the visitor's own picture, or the picture back in its place."""
    image, _ = current_picture()
    if not has_own_picture():
        return
    _reset_classes()
    negative = xai_core.invert(image)
    key = xai_core.image_sha256(negative)
    _pictures().put(key, negative, size=1)
    st.session_state.update({"own_picture": key, "own_inverted": not is_inverted()})


def is_inverted() -> bool:
    """Return True while the negative of the visitor's own picture is in use."""
    return bool(st.session_state.get("own_inverted"))


def picture_notes() -> tuple[str, ...]:
    """Return sentences on how the visitor's own picture was read; () for a sample."""
    notes: tuple[str, ...] = st.session_state.get("own_notes", ()) if has_own_picture() else ()
    return notes


def take_upload() -> bool:
    """Return True once after a picture was uploaded."""
    return bool(st.session_state.pop("picture_arrived", False))


def forget_own_picture() -> None:
    """Callback: go back to the sample, or to another one."""
    _reset_classes()
    st.session_state["uploads"] = st.session_state.get("uploads", 0) + 1
    for name in ("own_picture", "own_title", "own_widget", "own_notes", "own_inverted", "picture_error"):
        st.session_state.pop(name, None)


def picture_error(place: str) -> str:
    """Return the reason why the last file uploaded at this place is not in use, or an empty text."""
    where, sentence = st.session_state.get("picture_error", ("", ""))
    return str(sentence) if where == place else ""


def note_problem(place: str, sentence: str) -> None:
    """Note why a picture is not in use, for the uploader of this place."""
    st.session_state["picture_error"] = (place, sentence)


def choose_sample(name: str) -> None:
    """Callback: take this sample."""
    forget_own_picture()
    url_state.set_value("sample", name)


def current_picture() -> tuple[Image.Image, str]:
    """Return the picture in use and its title."""
    own = st.session_state.get("own_picture")
    image = _pictures().get(own) if own else None
    if image is not None:
        title = st.session_state.get("own_title", "Your picture")
        return image, f"{title}, light and dark swapped" if is_inverted() else title
    if own:
        forget_own_picture()
        gone = "Your picture is no longer kept here, so a sample stands in for it. Please choose your picture again."
        note_problem("sidebar", gone)
    name = st.session_state["sample"]
    return load_sample(name), xai_core.SAMPLES.get(name).title


def set_framed_picture(image: Image.Image | None) -> None:
    """Set the part of the picture in use that is explained instead of its middle; None for the middle."""
    key = None if image is None else xai_core.image_sha256(image)
    if image is not None and key is not None:
        _pictures().put(key, image, size=1)
    st.session_state["framed_picture"] = key


def explained_picture() -> Image.Image:
    """Return the picture that is explained: the one in use, or a chosen part of it."""
    framed = st.session_state.get("framed_picture")
    return (_pictures().get(framed) if framed else None) or current_picture()[0]


def has_unnamed_picture() -> bool:
    """Return True while the explained picture is not simply a sample, so that a link has to keep it."""
    return has_own_picture() or bool(st.session_state.get("framed_picture"))


def has_own_picture() -> bool:
    """Return True while an own picture, which no link can carry, is in use."""
    return bool(st.session_state.get("own_picture"))
