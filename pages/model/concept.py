"""Ideas inside the model: does a direction that pictures of an idea point to matter for a class?"""

from __future__ import annotations

import streamlit as st

from pages.ui.image import picture
from pages.ui.model import navigation
from pages.ui.model.ideas import idea_request, idea_view
from pages.ui.widgets import background, show
from pages.ui.widgets.words import escape_markdown

st.title("Does this idea matter?")
navigation.begin_page()
page = picture.render_head()
show.write(
    "A model has never heard of loops or stripes. But pictures of loops move the numbers inside it in a common "
    "direction. If the score of a class rises along that direction, the idea matters for the class "
    "(concept activation vectors, TCAV)."
)
trial = idea_request.render_choice(page, *idea_request.find_examples(page))
if trial is None:
    background.finish()
st.subheader(f"What matters for “{escape_markdown(trial.label)}”")
scores = idea_view.render_scores(page, trial)
if scores is not None:
    idea_view.render_layers(page, trial)
    idea_view.render_details(trial, scores)
background.end()
