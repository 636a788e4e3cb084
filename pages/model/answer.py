"""The sum behind the answer: the channels of the last layer, and parts found in a picture set."""

from __future__ import annotations

import streamlit as st

from pages.ui.image import classes, picture
from pages.ui.model import answer_view, navigation, parts_view
from pages.ui.widgets import background

st.title("What adds up to the answer")
navigation.begin_page()
page = picture.render_head()
st.subheader(classes.format_question(page.model, page.target))
answer_view.render(page)
st.subheader("Parts")
parts_view.render(page)
background.end()
