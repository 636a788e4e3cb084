"""The network as a map: its blocks, its layers in a table, and what rising depths answer to."""

from __future__ import annotations

import streamlit as st

from pages.ui.frame import session
from pages.ui.image import framing, layers
from pages.ui.model import navigation, reading
from pages.ui.model.network import blocks_view, stages_view
from pages.ui.widgets import background, models, show
from pages.ui.widgets.words import escape_markdown

st.title("The network as a map")
navigation.begin_page()
model = models.current_model()
if model.recommended_layer is not None:
    layers.restore(model)
side, kind = model.side, "grey" if model.preprocessing.channels == 1 else "colour"
show.write(
    f"A {kind} picture of {side} × {side} pixels goes in, {len(model.labels):,} numbers come out, one for each class. "
    f"Between them lie the steps of {model.title}. This is all of them."
)
blocks = reading.request_blocks(model)
if blocks is None:
    background.finish()
blocks_view.render_map(model, blocks)
original, title = session.current_picture()
image = framing.frame(model, original)
st.subheader("From edges to objects")
st.caption(f"With this model's own maps of your picture: {escape_markdown(title)}")
stages_view.render_stages(model, image, blocks)
st.subheader("All layers")
blocks_view.render_table(model, blocks)
background.end()
