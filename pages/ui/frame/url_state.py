"""The link: all choices of a visitor in the address by stable names, `?sample=chelsea&method=lime&lime_samples=1000`.

A reload, a copied link, Back and Forward give the same view; defaults are left out. Streamlit's own
`bind="query-params"` writes the words on the page instead (`sample=Cat`), so that a new title would break old links,
and `st.switch_page` refuses to leave a page while a bound setting is in the address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.frame import kept_uploads
from pages.ui.frame.link_problems import LinkProblem, PartlyUnknown
from xai_core import UnknownName, XaiError

T = TypeVar("T")
# Names that belong to the viewer, which keeps them in the address itself, in the browser.
VIEWER_PREFIX = "view_"
RESULT_PAGE = "result"
# Names that belong to the result page, which reads them from its address; links to other pages leave them out.
SHARE = "s"
# A short link, and the ids and the owner's key of links made before short ones.
RESULT_NAMES = (SHARE, "result", "owner")
# What a view is about: a link that is kept names it even where it is the default, which may change.
_SUBJECTS = ("model", "sample", "set", "table")


@dataclass
class _Setting:
    """One name of the link. It may have several widgets, such as one for each model; `key` is the one drawn last."""

    key: str
    default: object
    write: Callable[[Any], str]
    values: dict[str, object] = field(default_factory=dict)
    """Values by widget: Streamlit forgets those that a page does not draw, or holds those of a former page."""


@dataclass
class _Link:
    """State of a session's link.

    `unread`: values of the address that no widget has taken yet. `stale`: widgets to reset, for Back brought another
    address. `arriving`: True in the first run on a page, whose widgets lack the values of the page before.
    `returning`: True in the first run after Back or Forward. `held`: values of the widgets in the last whole run.
    `problems`: by name, what the address asked for in vain.
    """

    unread: dict[str, str]
    settings: dict[str, _Setting] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    page: str | None = None
    arriving: bool = True
    returning: bool = False
    held: dict[str, object] = field(default_factory=dict)
    problems: dict[str, LinkProblem] = field(default_factory=dict)


def _address() -> dict[str, str]:
    return {
        name: text
        for name, text in st.query_params.to_dict().items()
        if not name.startswith(VIEWER_PREFIX) and name not in (*RESULT_NAMES, kept_uploads.NAME)
    }


def result_query() -> dict[str, str]:
    """Return the part of the address about a stored result."""
    return {name: text for name, text in st.query_params.to_dict().items() if name in RESULT_NAMES}


def _link() -> _Link:
    link: _Link = st.session_state["link"]
    return link


def begin_run(page: str) -> None:
    """Begin a run; the address is read at a session's start and after Back and Forward only."""
    context, link = get_script_run_ctx(), st.session_state.setdefault("link", _Link(_address()))
    link.returning = context is not None and context.is_history_navigation
    if link.returning:
        link.unread, link.stale = _address(), {key for setting in link.settings.values() for key in setting.values}
    link.arriving, link.page = page != link.page, page
    # Said once: on the page that the link opens.
    if link.arriving or link.returning:
        link.problems.clear()
    link.held.clear()


def is_result_elsewhere() -> bool:
    """Return True where another page's address names a stored result; never after Back, which could not pass it."""
    return is_result_named() and _link().page != RESULT_PAGE


def is_result_named() -> bool:
    """Return True where the address names a stored result or a short link, but for Back, which could not pass it."""
    named = result_query()
    return ("result" in named or SHARE in named) and not _link().returning


def restore(
    name: str,
    default: T,
    read: Callable[[str], T],
    write: Callable[[T], str] = str,
    key: str = "",
    title: Callable[[T], str] | None = None,
) -> str:
    """Set a widget's value before it is drawn: from a new link, else its former one, else the default; return its key.

    `read` parses the link's text and raises an XaiError where it is not allowed, which gives the default, and a
    sentence above the page that has the error's reason and the `title` of what is shown instead. Pass `value_of` as
    the widget's own default, and set the value elsewhere by `set_value`.
    """
    link, state, key = _link(), st.session_state, key or name
    setting = link.settings.setdefault(name, _Setting(key, default, write))
    setting.key, setting.default, setting.write = key, default, write
    anew = link.arriving or key not in state
    # On arrival the remembered value counts, not what Streamlit has left of a former page.
    value = setting.values.get(key, state.get(key, default)) if anew else state[key]
    # After Back or Forward, what the address does not name falls to its default.
    if key in link.stale:
        link.stale.discard(key)
        value = default
    if name in link.unread:
        try:
            value = read(link.unread.pop(name))
        except XaiError as problem:
            value = problem.value if isinstance(problem, PartlyUnknown) else default
            link.problems[name] = LinkProblem(problem, key, value, (title or write)(value))
    if name in link.problems and not link.problems[name].holds(key, value):
        del link.problems[name]
    if anew or state[key] != value:
        state[key] = value
    setting.values[key] = value
    remember(key)
    return key


def set_value(key: str, value: object) -> None:
    """Set a widget's value if it differs.

    Streamlit sends every value that a run sets to the browser, even an equal one, which reverts what the visitor has
    just clicked; the next poll would then send the old value, and the click is lost.
    """
    if _link().arriving or key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    for setting in _link().settings.values():
        if key in setting.values:
            setting.values[key] = value
    remember(key)


def remember(key: str) -> None:
    """Remember a widget's current value for `rerun`."""
    _link().held[key] = st.session_state[key]


def rerun() -> NoReturn:
    """Run the whole page from a poll, with every choice as the last whole run had it.

    The values that the browser sends with a poll may be older than that run. A new choice starts a whole run itself.
    """
    for key, value in _link().held.items():
        if key in st.session_state and st.session_state[key] != value:
            st.session_state[key] = value
    st.rerun()


def option_reader(kind: str, options: Iterable[str]) -> Callable[[str], str]:
    """Return a reader for `restore` that allows these names only."""
    names = tuple(options)

    def read(text: str) -> str:
        if text not in names:
            raise UnknownName.of(kind, text, names)
        return text

    return read


def describe_problems() -> list[str]:
    """Return in sentences what the link asked for in vain, and what is shown instead."""
    state, problems = st.session_state, _link().problems.values()
    return [problem.describe() for problem in problems if problem.holds(problem.key, state.get(problem.key))]


def value_of(key: str) -> Any:
    """Return the value to pass to a widget as its own default too.

    When two runs follow each other closely the browser draws only the second and loses the values that the first has
    set: a widget without a default would fall to its lowest value.
    """
    return st.session_state[key]


def index_of(options: Iterable[object], key: str) -> int:
    """Return the position of `value_of` among the options of a selectbox."""
    return list(options).index(value_of(key))


def reset(name: str) -> None:
    """Callback: set all widgets of this name to its default."""
    _link().unread.pop(name, None)
    if setting := _link().settings.get(name):
        for key in setting.values:
            st.session_state[key] = setting.values[key] = setting.default


def query() -> dict[str, str]:
    """Return the current choices for st.switch_page and st.page_link; without them Back would lose the settings."""
    link = _link()
    values = {name: setting.values[setting.key] for name, setting in link.settings.items()}
    chosen = {name: value for name, value in values.items() if value != link.settings[name].default}
    # Names that no widget has taken yet stay in the link.
    return link.unread | {name: link.settings[name].write(value) for name, value in chosen.items()}


def shared_query() -> dict[str, str]:
    """Return the choices of this page alone for a link that is kept; call it when all widgets are drawn."""
    link = _link()
    drawn = {name: setting for name, setting in link.settings.items() if setting.key in link.held}
    values = {name: setting.values[setting.key] for name, setting in drawn.items()}
    return {
        name: drawn[name].write(value)
        for name, value in values.items()
        if value != drawn[name].default or name in _SUBJECTS
    }


def take(choices: Mapping[str, str]) -> None:
    """Take over the choices of a kept link, as if they were in the address; all others fall to their defaults."""
    link = _link()
    link.unread, link.stale = dict(choices), {key for setting in link.settings.values() for key in setting.values}


def go_to(page: str | StreamlitPage, choices: Mapping[str, str]) -> NoReturn:
    """Go to a page with these choices alone: an address is not read within a session, so they are taken over."""
    take(choices)
    st.switch_page(page, query_params=dict(choices))


def update_address() -> None:
    """Update the address; call it when all widgets are drawn, and before the viewer, which adds its own part."""
    query_params = query() | (result_query() if _link().page == RESULT_PAGE else {}) | kept_uploads.update()
    keep = {name: text for name, text in st.query_params.to_dict().items() if name == kept_uploads.NAME}
    if query_params != _address() | result_query() | keep:
        st.query_params.from_dict(query_params)
