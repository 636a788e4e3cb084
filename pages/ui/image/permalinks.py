"""Links to finished maps: made below them, read by the result page. An own picture is stored only on request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.image.matrix import MAX_MAPS
from pages.ui.widgets import share
from xai_core.formatting import count_in_words
from xai_core.report import npz_bytes

_ID = re.compile(r"[0-9a-f]{64}")
DELETED = (
    "This link was deleted by the person who made it, and with it the picture, if it held one. You can make maps of "
    "your own."
)
UNKNOWN = (
    "No saved result belongs to this link: a letter of it may be wrong, it may have been made on another computer, or "
    "it was removed to make room for newer ones."
)


def read_result_ids(link: xai_core.Share | None) -> tuple[list[str], str]:
    """Return the result ids of a short link or of an old one, or the sentence that says what is wrong with it."""
    query = url_state.result_query()
    if link is not None:
        return list(link.results), DELETED if link.is_deleted else ""
    if "result" not in query and share.NAME in query:
        return [], UNKNOWN
    ids = list(dict.fromkeys(part for part in map(str.strip, query.get("result", "").lower().split(",")) if part))
    if not ids:
        return [], "This address names no result. A link to a saved result ends with “?s=” and ten letters and digits."
    if len(ids) > MAX_MAPS:
        return (
            [],
            f"One link shows at most {MAX_MAPS} maps, and this one asks for {len(ids)}. Make a link to fewer of them.",
        )
    if not all(map(_ID.fullmatch, ids)):
        return [], "This link is not complete: part of it was cut off or changed. Copy the whole of it once more."
    return ids, ""


@st.cache_data(show_spinner=False, max_entries=64)
def _hash_sample(sample: str) -> str:
    try:
        return xai_core.image_sha256(xai_core.SAMPLES.get(sample).load())
    # The sample's package is not installed.
    except xai_core.XaiError:
        return ""


def find_picture(result_id: str, result: xai_core.Attribution) -> Image.Image | None:
    """Return the picture of a result if an old link keeps it or it is a sample, else None."""
    picture = xai_core.find_picture(result_id)
    if picture is not None:
        return picture
    sample = find_sample(result)
    return session.load_sample(sample) if sample else None


def find_sample(result: xai_core.Attribution) -> str:
    """Return the name of the sample that a result explains, "" where it is none."""
    return next((name for name in xai_core.SAMPLES if _hash_sample(name) == result.image_sha256), "")


def describe_content(count: int, *, own_picture: bool) -> str:
    """Return the sentence on what a link to maps holds."""
    maps = f"{count_in_words(count)} map{'' if count == 1 else 's'} with all settings"
    return (
        f"The link holds {maps}, and {'**your whole picture**' if own_picture else 'the name of the sample picture'}."
    )


def render_buttons(results: Mapping[str, xai_core.Attribution], file: str, page: str) -> None:
    """Render the buttons below finished maps, by result id: save their numbers, make a link to them."""
    is_own = session.has_own_picture()
    row = st.container(horizontal=True)
    with row:
        render_download(list(results.values()), file)
    if results:
        share.render_maker(
            tuple(results),
            page,
            describe_content(len(results), own_picture=is_own),
            session.current_picture()[0] if is_own else None,
            share.NOTE_BEFORE_LINK if is_own else "",
            row,
        )
    if note := xai_core.store_note():
        st.warning(note, icon=":material/save:")


def render_download(maps: Sequence[xai_core.Attribution], file: str) -> None:
    """Render the button that saves the raw values of the maps."""
    st.download_button(
        "Save raw values (NPZ)",
        data=lambda: npz_bytes(maps),
        file_name=file,
        mime="application/octet-stream",
        disabled=not maps,
        icon=":material/download:",
        on_click="ignore",
    )


def _delete_picture(ids: Sequence[str], owner: str) -> None:
    deleted = [xai_core.forget_picture(result, owner) for result in ids]
    st.session_state["picture_deleted"] = any(deleted)


def render_old_deletion(ids: Sequence[str]) -> None:
    """Render the button by which an old private link deletes the stored picture, and its outcome."""
    deleted, is_stored = (
        st.session_state.pop("picture_deleted", None),
        any(xai_core.find_picture(result) is not None for result in ids),
    )
    if deleted and is_stored:
        st.success(
            "Your picture is deleted here. Another link to these maps, made before or by somebody else, still keeps it."
        )
    elif deleted:
        st.success("Your picture is deleted from this computer. The maps are still here.", icon=":material/delete:")
    elif deleted is not None:
        st.error(
            "This private link does not belong to the picture kept here, so nothing was deleted.",
            icon=":material/key_off:",
        )
    owner = url_state.result_query().get("owner", "")
    if owner and is_stored:
        st.button(
            "Delete this picture",
            key="delete_picture",
            icon=":material/delete:",
            on_click=_delete_picture,
            args=(tuple(ids), owner),
        )
