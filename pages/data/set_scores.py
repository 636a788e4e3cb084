"""Scores: how often the model is right on the set, which classes it mixes up, whether it means what it says, and what changes do to it."""

from __future__ import annotations

import streamlit as st

from pages.ui import work
from pages.ui.data import chosen, detail, head, scores

st.title("How good is the model on these pictures?")
head.keep()
subject = head.head()
judged = scores.numbers(subject)
left, right = st.columns([3, 2], gap="large")
with left:
    if judged is not None:
        subject = judged.of  # what is clicked is about the pictures as they were judged
        scores.closer(judged)
    chosen.draw(subject)
with right:
    detail.draw(subject.pictures, subject.model, subject.layer, subject.run)
work.end()
