"""The link: everything a visitor chose, in the address bar by its stable name: `?sample=chelsea&class=tabby&method=lime&lime_samples=1000`.

A reload, a copied link, Back and Forward give the same view; what has its default is left out. Streamlit's own `bind="query-params"`
writes the words on the page instead (`sample=Cat`), so that rewording a title would break the links people have handed out, and
`st.switch_page` refuses to leave a page while a bound setting is in the address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from xai_core import UnknownName, XaiError

T = TypeVar("T")
VIEWER_PREFIX = "view_"
"""Names that belong to the viewer, which keeps them in the address itself, in the browser."""
RESULT_PAGE = "result"
RESULT_NAMES = ("result", "owner")
"""Names that belong to the page of kept results, which reads them from its address. No link to another page carries them."""


@dataclass
class _Setting:
    """What travels under one name. It may have several widgets, one for each model say; `key` is the one drawn last."""

    key: str
    default: object
    write: Callable[[Any], str]
    values: dict[str, object] = field(default_factory=dict)
    """By widget: Streamlit forgets the value of one that a page does not draw, or remembers what was set on a page before."""


@dataclass
class _Link:
    """`unread`: what the address said that no widget has taken yet. `stale`: widgets to be set anew, since Back brought another address.

    `arriving`: in the first run on a page, whose widgets do not know the values of those of the same key on the page before.
    `returning`: in the first run behind Back or Forward. `held`: the values of widgets in the last whole run.
    """

    unread: dict[str, str]
    settings: dict[str, _Setting] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    page: str | None = None
    arriving: bool = True
    returning: bool = False
    held: dict[str, object] = field(default_factory=dict)


def _address() -> dict[str, str]:
    return {
        name: text
        for name, text in st.query_params.to_dict().items()
        if not name.startswith(VIEWER_PREFIX) and name not in RESULT_NAMES
    }


def result_query() -> dict[str, str]:
    """What the address says about a kept result."""
    return {name: text for name, text in st.query_params.to_dict().items() if name in RESULT_NAMES}


def _link() -> _Link:
    link: _Link = st.session_state["link"]
    return link


def begin_run(page: str) -> None:
    """First thing in every run of a page. The address is only read when it is new: when a visitor comes, and after Back and Forward."""
    context, link = get_script_run_ctx(), st.session_state.setdefault("link", _Link(_address()))
    link.returning = context is not None and context.is_history_navigation
    if link.returning:
        link.unread, link.stale = _address(), {key for setting in link.settings.values() for key in setting.values}
    link.arriving, link.page = page != link.page, page
    link.held.clear()


def is_result_elsewhere() -> bool:
    """Whether a kept result is asked for under the address of another page. Not behind Back, which would never get past it."""
    return "result" in result_query() and _link().page != RESULT_PAGE and not _link().returning


def restore(name: str, default: T, read: Callable[[str], T], write: Callable[[T], str] = str, key: str = "") -> str:
    """Give a widget its value before it is drawn: from a new link, else as it was, else the default. Returns the widget's key.

    `read` raises an XaiError for what is not allowed, which then falls back to the default. The widget's default is `shown`. Whoever sets
    the value elsewhere does it by `put`.
    """
    link, state, key = _link(), st.session_state, key or name
    setting = link.settings.setdefault(name, _Setting(key, default, write))
    setting.key, setting.default, setting.write = key, default, write
    anew = link.arriving or key not in state
    value = setting.values.get(key, state.get(key, default)) if anew else state[key]
    if key in link.stale:
        link.stale.discard(key)
        value = default
    if name in link.unread:
        try:
            value = read(link.unread.pop(name))
        except XaiError:
            value = default
    if anew or state[key] != value:
        state[key] = value
    setting.values[key] = value
    remember(key)
    return key


def set_value(key: str, value: object) -> None:
    """Give a widget this value, where it has another.

    Streamlit tells the browser of every value that a run sets, the same one too, and the browser then takes back what the visitor has just
    clicked. If a look at a running job goes out next, it says the old value again and the click is lost.
    """
    if _link().arriving or key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    for setting in _link().settings.values():
        if key in setting.values:
            setting.values[key] = value
    remember(key)


def remember(key: str) -> None:
    """Remember for `rerun` what this widget says now."""
    _link().held[key] = st.session_state[key]


def rerun() -> NoReturn:
    """From a look at running work: draw the whole page anew, with every choice as the last whole run had it.

    What the browser sends with a look may be older than that run: the chip that was clicked has filled in the search, say, but the browser
    had not heard of it yet. A choice that is really new comes with a whole run of its own.
    """
    for key, value in _link().held.items():
        if key in st.session_state and st.session_state[key] != value:
            st.session_state[key] = value
    st.rerun()


def option_reader(kind: str, options: Iterable[str]) -> Callable[[str], str]:
    """A reader for `keep` that takes one of these names and nothing else."""
    names = tuple(options)

    def read(text: str) -> str:
        if text not in names:
            raise UnknownName.of(kind, text, names)
        return text

    return read


def value_of(key: str) -> Any:
    """The value to give a widget as its own default too.

    When two runs follow each other closely the browser draws only the second, and with it loses what the first has set: a widget without
    a default would stand at its lowest value, and say so at its next change.
    """
    return st.session_state[key]


def index_of(options: Iterable[object], key: str) -> int:
    """Where `shown` stands among the options of a selectbox."""
    return list(options).index(value_of(key))


def reset(name: str) -> None:
    """For callbacks: this setting has its default again, in all its widgets."""
    _link().unread.pop(name, None)
    if setting := _link().settings.get(name):
        for key in setting.values:
            st.session_state[key] = setting.values[key] = setting.default


def query() -> dict[str, str]:
    """What the link says now, for st.switch_page and st.page_link: without it Back would lead to a page without settings."""
    link = _link()
    values = {name: setting.values[setting.key] for name, setting in link.settings.items()}
    chosen = {name: value for name, value in values.items() if value != link.settings[name].default}
    return link.unread | {name: link.settings[name].write(value) for name, value in chosen.items()}


def update_address() -> None:
    """Bring the address up to date: when all widgets are drawn, and before the viewer, which then adds its own part again."""
    query_params = query() | (result_query() if _link().page == RESULT_PAGE else {})
    if query_params != _address() | result_query():
        st.query_params.from_dict(query_params)
