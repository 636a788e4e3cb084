"""The map: each picture a point near those that are similar to the model; points can be clicked and enclosed."""

from __future__ import annotations

import streamlit as st

from pages.ui.imageset import page_context
from pages.ui.imageset.map import beside, map_settings, map_view
from pages.ui.widgets import background

st.title("The map of what the model knows")
st.markdown(
    "Every point is a picture. Points lie near each other when their pictures are similar: for the model, or "
    "pixel by pixel."
)
page_context.begin_page()
page = page_context.render_head()
settings = map_settings.render_settings()
left, right = st.columns([3, 2], gap="large")
with left:
    projection = map_settings.request_map(page, settings)
    if projection is not None:
        map_view.render(page, projection, settings)
        map_settings.write_settings(settings)
    map_settings.render_reading_help(page, settings)
with right:
    beside.render(page)
background.end()
