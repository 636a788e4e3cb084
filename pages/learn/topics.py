"""Topics of explanation: a card each with an example and a button that shows it live; the glossary leads to them."""

from __future__ import annotations

from typing import Literal

import streamlit as st

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.widgets import method_examples
from xai_core.teaching import GROUPS, Topic, get_topic, glossary, topics

# Two examples stand side by side on a phone.
EXAMPLE_PX = 160

# Nothing is computed here: what another page has started stops.
xai_core.jobs.leave(session.session_id(), pool="attributions")


def _open_topic(name: str) -> None:
    st.session_state["topic"] = name


def _render_list(chosen: str) -> None:
    for group in GROUPS:
        st.markdown(f"**{group}**")
        with st.container(horizontal=True, gap="xsmall"):
            for topic in topics().values():
                if topic.group == group:
                    looks: Literal["primary", "secondary"] = "primary" if topic.name == chosen else "secondary"
                    st.button(topic.title, f"topic_{topic.name}", type=looks, on_click=_open_topic, args=(topic.name,))


def _render_card(topic: Topic) -> None:
    st.caption(topic.group)
    st.subheader(topic.title)
    st.markdown(topic.text)
    if st.button(topic.action, icon=":material/play_arrow:", type="primary"):
        url_state.go_to(f"pages/{topic.page}.py", url_state.query() | dict(topic.settings))
    with st.container(horizontal=True, gap="small"):
        for method in topic.pictures:
            with st.container(width=EXAMPLE_PX):
                method_examples.draw_example(method, EXAMPLE_PX)
                st.caption(f"{xai_core.METHODS.get(method).technical} on a cup of coffee")


def _render_steps(names: list[str], place: int) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for step, label in ((-1, "Previous topic"), (1, "Next topic")):
            there = place + step
            known = 0 <= there < len(names)
            st.button(label, disabled=not known, on_click=_open_topic, args=(names[there],) if known else None)


def _render_glossary() -> None:
    st.subheader("Glossary")
    st.markdown("Each word opens the topic that explains it.")
    with st.container(horizontal=True, gap="xsmall"):
        for term, name in glossary().items():
            st.button(term, f"term_{term}", type="tertiary", on_click=_open_topic, args=(name,))


st.title("Topics")
st.markdown(
    "What an explanation is, which kinds there are, what they are good for and where they mislead. Each card has "
    "a button that shows its point on your own picture or table."
)
names = list(topics())
url_state.restore("topic", names[0], lambda name: get_topic(name).name)
card, overview = st.columns([3, 2], gap="large")
with card:
    name = st.selectbox(
        "Topic", names, url_state.index_of(names, "topic"), format_func=lambda name: topics()[name].title, key="topic"
    )
    _render_card(topics()[name])
    _render_steps(names, names.index(name))
with overview:
    _render_list(name)
_render_glossary()
