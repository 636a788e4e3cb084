"""Trust: can this map be trusted? It is tested by hiding what it points at, and its method by random weights."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.image import classes, layers, methods, panels, picture
from pages.ui.trust import badge, many_view, map_view, method_view, methods_view
from pages.ui.widgets import background, forms, show

VIEWS = {"map": "This map", "method": "Its method", "all": "All methods", "many": "Many pictures"}

show.write_style()
st.title("Can this map be trusted?")
page = picture.render_head()
background.begin()
shown, settings = st.columns([2, 3], gap="large")
with settings:
    spec = methods.render_choice(page.model)
    layer = layers.render_choice(page.model) if spec.uses_layer else None
    params = forms.restore_params(spec.params, page.model.side, spec.name)
    # A method without chance gives the same map by every seed.
    seed = forms.render_seed() if spec.random else 0
    st.caption("Other settings of the method are those chosen on the Explain page.")
    # Beside the map, so that the choice is seen before the map is read to its end.
    view = forms.render_segments("test", "Test", VIEWS, "map")
with shown:
    st.subheader(classes.format_question(page.model, page.target))
    try:
        request = panels.MapRequest(
            spec.name, xai_core.plan(page.model, page.image, spec.name, page.target, layer, params, seed)
        )
    except xai_core.XaiError as problem:
        request = panels.MapRequest(spec.name, refusal=str(problem))
    results = panels.render_maps([request], page.model_input, "trust")
if view == "all":
    methods_view.render_table(page)
elif view == "many":
    many_view.render(page)
elif request.planned is not None:
    if view == "method":
        method_view.render_method(page, request.planned)
    elif results:
        map_view.render(page, request.planned, results[request.name])
badge.refresh(list(results.values()))
background.end()
