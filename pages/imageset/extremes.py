"""Best and worst: top and bottom pictures of a class or a channel, and the most confident mistakes."""

from __future__ import annotations

import streamlit as st

from pages.ui.imageset import extremes_view, page_context, picture_detail, selected_pictures, thumbnail_grid
from pages.ui.widgets import background, forms

VIEWS = {
    "class": ("A class", extremes_view.render_class),
    "channel": ("A channel inside", extremes_view.render_channel),
    "mistakes": ("Mistakes", extremes_view.render_mistakes),
}

st.title("Best and worst pictures")
st.markdown(
    "Which pictures does the model like best, and least? They show what an answer, or a small part of the "
    "model, reacts to."
)
page_context.begin_page()
page = page_context.render_head()
left, right = st.columns([3, 2], gap="large")
with left:
    view = forms.render_segments("extremes", "Look at", {name: title for name, (title, _) in VIEWS.items()}, "class")
    VIEWS[view][1](page)
    is_small = len(page.pictures) <= thumbnail_grid.MAX_TILES
    selected_pictures.render(page, selected_pictures.spread_rows(len(page.pictures)) if is_small else None)
with right:
    picture_detail.render(page.pictures, page.model, page.layer, page)
background.end()
