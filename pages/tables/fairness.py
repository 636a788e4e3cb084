"""A look at fairness: does the model treat groups alike, and which columns give the group away?"""

from __future__ import annotations

import streamlit as st

from pages.ui import work
from pages.ui.tables import groups, head

st.title("A look at fairness")
st.markdown("Does the model treat groups of rows alike? These numbers can show a difference. Whether it is unfair, people have to judge.")
head.keep()
subject = head.head()
words = [column.name for column in subject.table.columns if column.kind in ("category", "boolean")]
start = subject.table.protected or next(iter(words), subject.table.features[0])
column = head.feature("group", "Compare the groups of", subject.table, start)
groups.by_group(subject, column)
st.subheader("What gives the group away?")
st.caption("Leaving a column out does not hide it: a model can guess it from others (proxies).")
groups.stand_ins(subject, column)
work.end()
