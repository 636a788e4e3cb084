"""One row: prediction, explanations, what-if form and counterfactuals."""

from __future__ import annotations

import streamlit as st

from pages.ui.tables import counterfactual_view, page_context, row_choice, row_view
from pages.ui.widgets import background
from pages.ui.widgets.words import escape_markdown

st.title("One row")
page_context.begin_page()
page = page_context.render_head(for_row=True)
number = row_choice.render_choice(page)
page = page_context.explain_answer(page, page.table.take([number]))
st.subheader("What if …?")
with st.expander("Change its values", icon=":material/edit:", expanded=False):
    row, changed = row_choice.render_form(page.table, number)
left, right = st.container(key="wide_columns").columns([2, 3], gap="large")
with left:
    prediction = row_view.render_prediction(page, row, page.table.take([number]), changed)
with right:
    row_view.render_curve(page, row, prediction)
explained = page.words if page.outcome is None else f"probability of “{page.table.classes[page.outcome]}”"
st.subheader(f"Why? What moved the {escape_markdown(explained)}")
row_view.render_explanations(page, row)
st.subheader("What would have to be different?")
counterfactual_view.render(page, number, row, prediction)
background.end()
