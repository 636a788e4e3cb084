"""One row: what the model says of it, why, what if, and what would have to be different for another answer."""

from __future__ import annotations

import streamlit as st

from pages.ui import work
from pages.ui.tables import head, local, recourse, rows

st.title("One row")
head.keep()
subject = head.head()
number = rows.pick(subject)
st.subheader("What if …?")
with st.expander("Change its values", icon=":material/edit:", expanded=len(subject.table.columns) <= 12):
    row, changed = rows.form(subject.table, number)
left, right = st.columns([2, 3], gap="large")
with left:
    said = local.prediction(subject, row, subject.table.take([number]), changed)
with right:
    local.on_the_curve(subject, row, said)
st.subheader(f"Why? What moved the {'probability' if subject.outcome is not None else 'prediction'}")
local.explanations(subject, row)
st.subheader("What would have to be different?")
recourse.draw(subject, number, row, said)
work.end()
