"""One unit: the natural pictures that excite it first, then the picture in use and pictures made for it."""

from __future__ import annotations

import streamlit as st

from pages.ui.frame import session
from pages.ui.image import framing
from pages.ui.model import navigation, unit_concept_view, unit_view, visualization_view
from pages.ui.model.ideas import unit_facts_view
from pages.ui.widgets import background, models, show

st.title("What one unit likes to see")
navigation.begin_page()
model = models.current_model()
unit = unit_view.render_choice(model)
if unit is None:
    background.finish()
show.write(unit_view.describe(model, unit))
unit_view.render_layer_link(model, unit)
left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader("Pictures that excite it most")
    page = unit_view.render_natural(model, unit)
with right:
    st.subheader("In your picture")
    original, title = session.current_picture()
    unit_view.render_own_picture(model, unit, framing.frame(model, original), title)
    if page is not None and unit.kind != "layer":
        unit_view.render_detail(model, page)
visualization_view.render(model, unit, page)
unit_concept_view.render(model, unit)
if page is not None:
    unit_facts_view.render(page, unit)
st.subheader("Questions")
unit_view.render_questions()
background.end()
