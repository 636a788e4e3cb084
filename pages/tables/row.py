"""One row: prediction, explanations, what-if form and counterfactuals."""

from __future__ import annotations

import streamlit as st

from pages.ui.tables import counterfactual_view, page_context, row_choice, row_view
from pages.ui.widgets import background

st.title("One row")
page_context.begin_page()
page = page_context.render_head()
number = row_choice.render_choice(page)
st.subheader("What if …?")
with st.expander("Change its values", icon=":material/edit:", expanded=False):
    row, changed = row_choice.render_form(page.table, number)
left, right = st.columns([2, 3], gap="large")
with left:
    prediction = row_view.render_prediction(page, row, page.table.take([number]), changed)
with right:
    row_view.render_curve(page, row, prediction)
st.subheader(f"Why? What moved the {'probability' if page.outcome is not None else 'prediction'}")
row_view.render_explanations(page, row)
st.subheader("What would have to be different?")
counterfactual_view.render(page, number, row, prediction)
background.end()
