"""The frame of every page: page config, navigation and the shared sidebar. Cheap code only: it runs at every click."""

from __future__ import annotations

import streamlit as st

from pages.ui import sidebar

st.set_page_config(page_title="Whybox", page_icon="assets/icon.png", layout="wide")

page = st.navigation(
    {
        "": [st.Page("pages/start/home.py", title="Start", icon=":material/home:", default=True)],
        "Pictures": [
            st.Page("pages/image/compare.py", title="Compare", icon=":material/grid_view:"),
            st.Page("pages/image/explain.py", title="Explain", icon=":material/search:"),
        ],
    }
)
with st.sidebar:
    sidebar.draw()
page.run()
