"""Best and worst: the pictures at the top and at the bottom for a class or for one channel, and the most confident mistakes."""

from __future__ import annotations

import streamlit as st

from pages.ui import forms, work
from pages.ui.data import chosen, detail, extremes, head

VIEWS = {
    "class": ("A class", extremes.of_class),
    "channel": ("A channel inside", extremes.of_channel),
    "mistakes": ("Mistakes", extremes.mistakes),
}

st.title("Best and worst pictures")
st.markdown("Which pictures does the model like best, and least? They show what an answer, or a small part of the model, reacts to.")
head.keep()
subject = head.head()
left, right = st.columns([3, 2], gap="large")
with left:
    view = forms.segments("extremes", "Look at", {name: title for name, (title, _) in VIEWS.items()}, "class")
    VIEWS[view][1](subject)
    chosen.draw(subject)
with right:
    detail.draw(subject.pictures, subject.model, subject.layer, subject.run)
work.end()
