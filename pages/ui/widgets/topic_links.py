"""Ways from a page to the topics whose words stand on it."""

from __future__ import annotations

import streamlit as st

from pages.ui.frame import url_state
from xai_core.teaching import page_topics

TOPICS_PAGE = "pages/learn/topics.py"


def render(page: str) -> None:
    """Render a line with a button for each topic of the page with this address; nothing for a page without topics."""
    known = page_topics(page)
    if not known:
        return
    st.space("small")
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="topic_links"):
        st.caption("Words on this page", width="content")
        for topic in known:
            if st.button(topic.terms[0], f"word_{topic.name}", type="tertiary"):
                url_state.go_to(TOPICS_PAGE, url_state.query() | {"topic": topic.name})
