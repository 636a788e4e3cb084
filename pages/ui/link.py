"""The link: everything a visitor chose, in the address bar by its stable name: `?sample=chelsea&class=tabby&method=lime&lime_samples=1000`.

A reload, a copied link, Back and Forward give the same view; what has its default is left out. Streamlit's own `bind="query-params"`
writes the words on the page instead (`sample=Cat`), so that rewording a title would break the links people have handed out, and
`st.switch_page` refuses to leave a page while a bound setting is in the address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from xai_core import XaiError

T = TypeVar("T")
LOOKS = "view_"
"""Names that belong to the viewer, which keeps them in the address itself, in the browser."""


@dataclass
class _Setting:
    """A widget whose value travels in the link."""

    key: str
    default: object
    write: Callable[[Any], str]


@dataclass
class _Link:
    """`unread`: what the address said that no widget has taken yet. `stale`: widgets to be set anew, since Back brought another address."""

    unread: dict[str, str]
    settings: dict[str, _Setting] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)


def _address() -> dict[str, str]:
    return {name: text for name, text in st.query_params.to_dict().items() if not name.startswith(LOOKS)}


def _link() -> _Link:
    link: _Link = st.session_state["link"]
    return link


def begin() -> None:
    """First thing in every run. The address is only read when it is new: when a visitor comes, and after Back and Forward."""
    context = get_script_run_ctx()
    if "link" not in st.session_state:
        st.session_state["link"] = _Link(_address())
    elif context is not None and context.is_history_navigation:
        link = _link()
        link.unread, link.stale = _address(), {setting.key for setting in link.settings.values()}


def keep(name: str, default: T, read: Callable[[str], T], write: Callable[[T], str] = str, key: str = "") -> str:
    """Give a widget its value before it is drawn: from a new link, else as it was, else the default. Returns the widget's key.

    `read` raises an XaiError for what is not allowed, which then falls back to the default. The widget itself states no default.
    """
    link, key = _link(), key or name
    link.settings[name] = _Setting(key, default, write)
    if key in link.stale:
        link.stale.discard(key)
        st.session_state[key] = default
    if name in link.unread:
        try:
            st.session_state[key] = read(link.unread.pop(name))
        except XaiError:
            st.session_state[key] = default
    st.session_state.setdefault(key, default)
    return key


def forget(name: str) -> None:
    """Drop what the address said about a setting that no widget has taken yet."""
    _link().unread.pop(name, None)


def query() -> dict[str, str]:
    """What the link says now, for st.switch_page and st.page_link: without it Back would lead to a page without settings."""
    link, state = _link(), st.session_state
    chosen = {name: (setting, state[setting.key]) for name, setting in link.settings.items() if setting.key in state}
    return link.unread | {name: setting.write(value) for name, (setting, value) in chosen.items() if value != setting.default}


def write() -> None:
    """Bring the address up to date: when all widgets are drawn, and before the viewer, which then adds its own part again."""
    if (wanted := query()) != _address():
        st.query_params.from_dict(wanted)
