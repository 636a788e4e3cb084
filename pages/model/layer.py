"""One layer: its feature maps for the picture in use, one channel large, and the first filters."""

from __future__ import annotations

import streamlit as st

from pages.ui.image import layers, picture
from pages.ui.model import layer_view, navigation
from pages.ui.widgets import background, show

st.title("What a layer sees")
navigation.begin_page()
page = picture.render_head()
layer = layers.render_choice(page.model)
if layer is None:
    show.write_problem(
        f"No layer of {page.model.title} has maps: its steps do not keep where things are in the picture. Choose "
        "another model in the sidebar."
    )
    background.finish()
layer_view.render_layer_note(page.model, layer)
left, right = st.columns([3, 2], gap="large")
with left:
    channel = layer_view.render_maps(page, layer)
    if channel is not None:
        layer_view.render_hiding_test(page, layer)
with right:
    if channel is not None:
        layer_view.render_channel(page, layer, channel)
st.subheader("The first filters")
layer_view.render_filters(page.model)
background.end()
