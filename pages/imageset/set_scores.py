"""Scores of a model on a set: accuracy, confusions, calibration, also after a change of the pictures."""

from __future__ import annotations

import streamlit as st

from pages.ui.imageset import confusion_view, page_context, picture_detail, scores_view, selected_pictures
from pages.ui.widgets import background

st.title("How good is the model on these pictures?")
page_context.begin_page()
page = page_context.render_head()
scored = scores_view.render_scores(page)
if scored is not None:
    # Clicks are about the pictures as they were judged, changed or not.
    page = scored.page
    scores_view.render_view(scored)
left, right = st.columns([3, 2], gap="large")
with left:
    selected_pictures.render(page, None if scored is None else confusion_view.choose_start(*scored))
with right:
    picture_detail.render(page.pictures, page.model, page.layer, page)
background.end()
