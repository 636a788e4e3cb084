"""One class: the channels, ideas and parts that its score is made of, over pictures of the class."""

from __future__ import annotations

import streamlit as st

from pages.ui.image import picture
from pages.ui.model import navigation
from pages.ui.model.ideas import class_view, idea_request, idea_view
from pages.ui.widgets import background, show
from pages.ui.widgets.words import escape_markdown

st.title("What a class is made of")
navigation.begin_page()
page = picture.render_head()
st.subheader(f"“{escape_markdown(class_view.name_class(page))}”")
show.write("What raises its score in general, over all pictures of the class in the picture set in use.")
dataset, rows = idea_request.find_examples(page)
st.subheader("Its strongest channels")
class_view.render_channels(page, dataset, rows)
st.subheader("Ideas that matter for it")
trial = idea_request.render_choice(page, dataset, rows)
if trial is not None:
    idea_view.render_scores(page, trial)
st.subheader("Its parts")
class_view.render_parts(page, dataset, rows)
background.end()
