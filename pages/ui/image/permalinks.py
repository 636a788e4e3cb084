"""Links to finished maps: made below them, read by the result page. An own picture is stored only on request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.image.matrix import MAX_MAPS
from xai_core.report import npz_bytes

_ID = re.compile(r"[0-9a-f]{64}")
NOTE_BEFORE_LINK = (
    "Your picture is only in the memory of this computer so far. **Make a link** keeps it there on the disk, "
    "together with the link, until "
    "you delete it. Everybody who has the link sees the picture. You get a second, private link to delete it."
    " The address bar does not show it to others: its part “keep=…” is yours alone and works in this browser only."
)


def read_result_ids() -> tuple[list[str], str]:
    """Return the result ids of the address, or the sentence that says what is wrong with it."""
    ids = list(
        dict.fromkeys(
            part for part in map(str.strip, url_state.result_query().get("result", "").lower().split(",")) if part
        )
    )
    if not ids:
        return [], "This address names no result. A link to a saved result ends with “?result=” and a long number."
    if len(ids) > MAX_MAPS:
        return (
            [],
            f"One link shows at most {MAX_MAPS} maps, and this one asks for {len(ids)}. Make a link to fewer of them.",
        )
    if not all(map(_ID.fullmatch, ids)):
        return [], "This link is not complete: part of it was cut off or changed. Copy the whole of it once more."
    return ids, ""


def build_url(ids: Sequence[str], owner: str = "") -> str:
    """Return the URL of these results; with `owner` the private one."""
    here = (st.context.url or "").rpartition("/")[0]
    query = {"result": ",".join(ids)} | ({"owner": owner} if owner else {})
    return f"{here}/{url_state.RESULT_PAGE}?{urlencode(query, safe=',')}"


@st.cache_data(show_spinner=False, max_entries=64)
def _hash_sample(sample: str) -> str:
    try:
        return xai_core.image_sha256(xai_core.SAMPLES.get(sample).load())
    # The sample's package is not installed.
    except xai_core.XaiError:
        return ""


def find_picture(result_id: str, result: xai_core.Attribution) -> Image.Image | None:
    """Return the picture of a result if it was stored or is a sample, else None."""
    picture = xai_core.find_picture(result_id)
    if picture is not None:
        return picture
    sample = next((name for name in xai_core.SAMPLES if _hash_sample(name) == result.image_sha256), None)
    return session.load_sample(sample) if sample else None


def _links() -> dict[str, str]:
    """Return the links of this session: the owner key by result ids, empty where no picture was stored."""
    links: dict[str, str] = st.session_state.setdefault("links", {})
    return links


def _select_own(results: Mapping[str, xai_core.Attribution]) -> list[str]:
    """Return the ids of the results that show the explained picture, where it is not simply a sample."""
    if not session.has_unnamed_picture():
        return []
    fingerprint = xai_core.image_sha256(session.explained_picture())
    return [result_id for result_id, result in results.items() if result.image_sha256 == fingerprint]


def _render_links(ids: Sequence[str], owner: str) -> None:
    st.markdown(f"**The link to {'this map' if len(ids) == 1 else f'these {len(ids)} maps'}**")
    st.code(build_url(ids), language=None, wrap_lines=True)
    if owner:
        st.markdown(
            "**Your private link**, to delete the picture. Keep it to yourself and keep it well: nobody can "
            "make it again."
        )
        st.code(build_url(ids, owner), language=None, wrap_lines=True)


def render_buttons(results: Mapping[str, xai_core.Attribution], file: str) -> None:
    """Render the buttons below finished maps, by result id: save their numbers, make a link to them."""
    with st.container(horizontal=True):
        render_download(list(results.values()), file)
        pressed = st.button("Make a link", key="make_link", disabled=not results, icon=":material/link:")
    own, link = _select_own(results), ",".join(results)
    if pressed and link not in _links():
        try:
            _links()[link] = xai_core.keep_picture(own, session.explained_picture()) if own else ""
        except xai_core.XaiError as problem:
            st.error(str(problem), icon=":material/link_off:")
    if link in _links() and results:
        _render_links(list(results), _links()[link])
    elif own and session.has_own_picture():
        st.caption(NOTE_BEFORE_LINK)
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
    if any(deleted):
        for link in [link for link, key in _links().items() if key == owner]:
            del _links()[link]
    st.session_state["picture_deleted"] = any(deleted)


def render_delete(ids: Sequence[str]) -> None:
    """Render the button of the private link that deletes the stored picture, and its outcome."""
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
