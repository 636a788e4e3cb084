"""The model of the table: kind, settings, training progress, and scores on held-out rows."""

from __future__ import annotations

import streamlit as st

from pages.ui.frame import url_state
from pages.ui.tables import leaderboard_view, model_choice, page_context, scores_view
from pages.ui.widgets import background, show

GENERAL, ROW = "pages/tables/general.py", "pages/tables/row.py"

st.title("A model for this table")
page_context.begin_page()
table = page_context.require_table()
show.write(
    f"It learns to predict “{table.target_name}” from three quarters of the rows of “{table.title}”. The other "
    f"quarter is the exam."
)
board = st.container()
settings, shown = st.container(key="answer_right").columns([2, 3], gap="large")
with settings:
    chosen = model_choice.render_choice()
    leaderboard_view.render_button(table, chosen.seed)
    with st.expander("Use your own model", icon=":material/upload_file:", expanded=model_choice.has_own_model()):
        model_choice.render_uploader(table)
with board:
    leaderboard_view.render(table, chosen.seed)
with shown:
    model = model_choice.current_model(table, chosen)
    if model is not None:
        st.subheader(model.title)
        scores_view.render(model)
        with st.container(horizontal=True):
            if st.button("How does it decide in general?", type="primary", icon=":material/public:"):
                st.switch_page(GENERAL, query_params=url_state.query())
            if st.button("Why did it say that of one row?", icon=":material/table_rows:"):
                st.switch_page(ROW, query_params=url_state.query())
background.end()
