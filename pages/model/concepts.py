"""The concepts that the units of a layer match: how it is found out, the detectors, and one unit's pictures."""

from __future__ import annotations

import streamlit as st

from pages.ui.image import layers
from pages.ui.model import dissection_view, navigation, probe_choice, unit_search_view
from pages.ui.widgets import background, models, show

st.title("Concepts that units match")
navigation.begin_page()
show.write(
    "A unit is one of the many small pattern finders of a layer. Does it answer to something that has a name, such as "
    "stripes, red or a ring? This test compares all units of a layer with many concepts at once (network dissection)."
)
dissection_view.restore_concept()
model = models.current_model()
layer = layers.render_choice(model)
if layer is None:
    show.write_problem(f"No layer of {model.title} has maps, so its units have no place in a picture to compare.")
    background.finish()
probe = probe_choice.render()
if probe is None:
    background.finish()
dissection_view.render_steps(model, layer, probe)
result = dissection_view.request(model, layer, probe)
if result is not None:
    dissection_view.render_detectors(model, result)
    dissection_view.render_unit_pictures(model, result, probe)
unit_search_view.render(model, probe, has_choice=result is not None)
st.subheader("Questions")
dissection_view.render_questions()
background.end()
