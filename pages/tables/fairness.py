"""Fairness: does the model treat groups alike, and which columns give the group away?"""

from __future__ import annotations

import streamlit as st

from pages.ui.tables import fairness_view, page_context
from pages.ui.widgets import background

st.title("Fairness")
st.markdown(
    "Does the model treat groups of rows alike? These numbers can show a difference. Whether it is unfair, "
    "people have to judge."
)
page_context.begin_page()
page = page_context.render_head()
words = [column.name for column in page.table.columns if column.kind in ("category", "boolean")]
start = page.table.protected or next(iter(words), page.table.features[0])
column = page_context.render_feature_choice("group", "Compare the groups of", page.table, start)
fairness_view.render_groups(page, column)
st.subheader("What gives the group away?")
st.caption("Leaving a column out does not hide it: a model can guess it from others (proxies).")
fairness_view.render_proxies(page, column)
background.end()
