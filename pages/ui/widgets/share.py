"""Short links: made below maps and views, told in a sentence, shown with a QR code, deleted by their own button."""

from __future__ import annotations

import io
import ipaddress
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from urllib.parse import urlsplit

import segno
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage

import xai_core
from pages.ui.frame import browser_cookie, session, url_state
from xai_core import imageset, tabular

NAME = url_state.SHARE
QR_PX = 220
OPEN_TO = "Anyone who has it can open it and go on from there"
UNTIL = "it works until you delete it, which only this browser can do"
ONLY_HERE = (
    "This address works on this computer only. For a class, open Whybox by this computer's name or number in the "
    "network, and make the link there."
)
OWN_TABLE = (
    "A link cannot show your own table or model to others: they are only in memory, for you alone. With a built-in "
    "table and a model trained here, a link can be made."
)
NOTE_BEFORE_LINK = (
    "Your picture is only in the memory of this computer so far. **Make a link** keeps the whole of it on the disk of "
    "this computer until you delete the link, and everybody who has the link sees it. The address bar does not show "
    "it to others: its part “keep=…” is yours alone and works in this browser only."
)
PICTURE_TITLE = "Picture of the link"
PICTURE_GONE = "The picture of this link is no longer kept on this computer, so a sample stands in for it."
DELETED = "The link is deleted. Whoever opens it now is told so."
_MONTHS = "January February March April May June July August September October November December".split()


def build_url(code: str) -> str:
    """Return the address of a short link."""
    here = (st.context.url or "").rpartition("/")[0]
    return f"{here}/?{NAME}={code}"


@st.cache_data(show_spinner=False, max_entries=64)
def draw_qr_code(url: str) -> bytes:
    """Return a QR code as PNG, black on white with its margin."""
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(out, kind="png", scale=10, border=4)
    return out.getvalue()


def is_only_here(url: str) -> bool:
    """Return whether no other computer can open this address."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def format_day(seconds: float) -> str:
    """Return the day of a Unix time: "30 November 2026"."""
    day = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def owner() -> str:
    """Return the secret that owns the links made here: the browser's, or this session's where it has no cookie."""
    own: str = st.session_state.setdefault("link_owner", secrets.token_urlsafe(32))
    return browser_cookie.browser_secret() or own


def _codes() -> dict[str, str]:
    """Return the links of this session: the code by what the link holds."""
    codes: dict[str, str] = st.session_state.setdefault("links", {})
    return codes


def find() -> xai_core.Share | None:
    """Return what the short link in the address leads to; None without one, or for one that is not known."""
    code = url_state.result_query().get(NAME, "")
    return xai_core.find_share(code) if code else None


def follow(pages: Mapping[str, StreamlitPage], start: StreamlitPage, with_picture: Collection[StreamlitPage]) -> None:
    """Go on to the page of a short link that holds no maps, with its choices and, on a page about one, its picture."""
    share = find()
    if share is not None and not share.is_deleted and not share.results:
        if pages.get(share.page) in with_picture:
            _take_picture(share)
        if share.is_owned_by(owner()):
            _codes()[_describe_request((), share.page, share.query, share.has_picture)] = share.code
        url_state.go_to(pages.get(share.page, start), share.query)


def _take_picture(share: xai_core.Share) -> None:
    """Put the picture of a link in the place of the visitor's own."""
    picture = xai_core.find_shared_picture(share.code) if share.has_picture else None
    if picture is not None:
        session.use_picture(picture, PICTURE_TITLE)
    elif session.has_own_picture():
        session.forget_own_picture()
    if share.has_picture and picture is None:
        session.note_problem("sidebar", PICTURE_GONE)


def _describe_request(results: Sequence[str], page: str, query: Mapping[str, str], has_picture: bool) -> str:
    """Return the key of what a link holds."""
    return json.dumps([list(results), page, dict(query), has_picture], sort_keys=True)


def _delete(code: str) -> None:
    """Callback: delete a link for good."""
    st.session_state["link_deleted"] = xai_core.delete_share(code, owner())
    for key in [key for key, value in _codes().items() if value == code]:
        del _codes()[key]


def render_outcome() -> bool:
    """Render once what became of a deletion; return True where a link has just been deleted."""
    deleted = st.session_state.pop("link_deleted", None)
    if deleted:
        st.success(DELETED, icon=":material/delete:")
    elif deleted is not None:
        st.error("The link could not be deleted. Please try again in a minute.", icon=":material/error:")
    return bool(deleted)


def render_link(share: xai_core.Share, about: str, name: str = "link") -> None:
    """Render a link with its QR code, the sentence on what it holds, and for its owner the way to delete it.

    `name` tells two links of a page apart.
    """
    url = build_url(share.code)
    with st.container(border=True, horizontal=True, gap="medium", key=f"short_{name}"):
        st.image(draw_qr_code(url), width=QR_PX, alt="QR code of the link: a phone's camera opens it")
        with st.container(width="stretch", gap="small"):
            st.code(url, language=None, wrap_lines=True)
            is_owner = share.is_owned_by(owner())
            st.markdown(f"{about} {OPEN_TO}; {UNTIL if is_owner else 'it works until whoever made it deletes it'}.")
            if is_only_here(url):
                st.caption(ONLY_HERE)
            if is_owner:
                _render_deletion(share, name)


def _render_deletion(share: xai_core.Share, name: str) -> None:
    with st.popover("Delete this link", icon=":material/delete:"):
        picture = " Your picture is deleted from this computer with it." if share.has_picture else ""
        st.markdown(
            f"Nobody will be able to open the link any more, not even those who have it already.{picture} This cannot "
            "be undone."
        )
        st.button("Delete for good", key=f"delete_{name}", on_click=_delete, args=(share.code,), type="primary")


def render_maker(
    results: tuple[str, ...],
    page: str,
    about: str,
    picture: Image.Image | None = None,
    before: str = "",
    place: DeltaGenerator | None = None,
) -> None:
    """Render the button that makes a link to these results and this page's choices, then the link itself.

    `about` says what the link holds; `before` what happens when it is made; the button stands at `place`.
    """
    query = url_state.shared_query()
    key = _describe_request(results, page, query, picture is not None)
    pressed = (place or st).button("Make a link", key="make_link", icon=":material/link:")
    render_outcome()
    if pressed and key not in _codes():
        _make(key, results, page, query, picture)
    share = xai_core.find_share(_codes()[key]) if key in _codes() else None
    if share is not None and not share.is_deleted:
        render_link(share, about)
    elif before:
        st.caption(before)


def render_hand_over(
    picture: Image.Image, page: str, query: Mapping[str, str], words: str, about: str, place: DeltaGenerator
) -> None:
    """Render the button that keeps a picture and makes a link to it on a page, then the link itself."""
    key = json.dumps(["hand over", xai_core.image_sha256(picture), page, dict(query)])
    if place.button(words, key="hand_over", icon=":material/qr_code_2:") and key not in _codes():
        _make(key, (), page, query, picture)
    share = xai_core.find_share(_codes()[key]) if key in _codes() else None
    if share is not None and not share.is_deleted:
        render_link(share, about, "hand_over")


def _make(key: str, results: tuple[str, ...], page: str, query: Mapping[str, str], picture: Image.Image | None) -> None:
    try:
        _codes()[key] = xai_core.share(results, page, query, owner(), picture).code
    except xai_core.XaiError as problem:
        st.error(str(problem), icon=":material/link_off:")


def render_view(page: str, *, with_picture: bool) -> None:
    """Render the maker of links for a page with its choices; `with_picture`: it is about the picture in use."""
    query = url_state.shared_query()
    own_picture = session.current_picture()[0] if with_picture and session.has_own_picture() else None
    if "table" in query and (st.session_state.get("own_raw") or st.session_state.get("own_model")):
        st.caption(OWN_TABLE)
        return
    if "table" in query:
        about = f"The link opens this page with its choices and the built-in table “{_table_title(query['table'])}”."
    else:
        about = _describe_pictures(query.get("set", ""), with_picture, own_picture is not None)
    render_maker((), page, about, own_picture, "" if own_picture is None else NOTE_BEFORE_LINK)


def _describe_pictures(dataset: str, with_picture: bool, is_own: bool) -> str:
    """Return the sentence on what a link to a page about a picture or a picture set holds."""
    picture = f" and {'**your whole picture**' if is_own else 'the sample picture'}" if with_picture else ""
    if dataset and dataset not in imageset.IMAGE_SETS:
        return (
            f"The link opens this page with its choices{picture} **and all pictures of your own set**. Deleting the "
            "link does not delete the set."
        )
    return f"The link opens this page with its choices{picture or ' and its built-in picture set'}."


def _table_title(name: str) -> str:
    return tabular.TABLES.get(name).title
