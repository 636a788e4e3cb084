"""One method at a time, with all its settings."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.image import classes, layers, methods, panels, permalinks, picture
from pages.ui.widgets import forms

st.title("One method, every setting")
page = picture.render_head()
model = page.model
shown, settings = st.columns([3, 2], gap="large")
with settings:
    spec = methods.render_choice(model)
    st.markdown(f"**{spec.question}**")
    layer = layers.render_choice(model) if spec.uses_layer else None
    params = forms.render_params(spec.params, model.side, spec.name)
    seed = forms.render_seed() if spec.random else 0
    with st.expander("About this method", icon=":material/help:"):
        st.markdown(xai_core.method_card(spec.name))
with shown:
    st.subheader(classes.format_question(model, page.target))
    try:
        request = panels.MapRequest(
            spec.name, xai_core.plan(model, page.image, spec.name, page.target, layer, params, seed)
        )
    except xai_core.XaiError as problem:
        request = panels.MapRequest(spec.name, refusal=str(problem))
    results = panels.render_maps([request], page.model_input, "explain")
    permalinks.render_buttons(
        {request.planned.id: results[request.name]} if request.planned and results else {},
        f"whybox-{spec.name}.npz",
        "explain",
    )
