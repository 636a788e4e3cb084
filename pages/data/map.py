"""The map: every picture a point, near those that are alike to the model; click or enclose points to see what they are."""

from __future__ import annotations

import streamlit as st

from pages.ui import work
from pages.ui.data import chosen, detail, head, maps, points

st.title("The map of what the model knows")
st.markdown("Every point is a picture. Points lie near each other when their pictures are similar: for the model, or pixel by pixel.")
head.keep()
subject = head.head()
wish = maps.settings()
left, right = st.columns([3, 2], gap="large")
with left:
    found = maps.made(subject, wish)
    if found is not None:
        points.draw(subject, found, wish)
    chosen.draw(subject)
    maps.how(subject, wish)
with right:
    detail.draw(subject.pictures, subject.model, subject.layer, subject.run)
work.end()
