"""One method at a time, with all its settings."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.image import classes, layers, panels, permalinks, picture
from pages.ui.widgets import forms

st.title("One method, every setting")
page = picture.render_head()
model = page.model


def _render_method_choice() -> xai_core.MethodSpec:
    """Render the choice among the methods that fit this model; the others are listed below it with the reason."""
    reasons = {spec.name: reason for spec in xai_core.METHODS.specs() if (reason := spec.refusal(model))}
    key = url_state.restore("method", "grad_cam", lambda name: xai_core.METHODS.get(name).name)
    names = [name for name in xai_core.METHODS if name not in reasons or name == st.session_state[key]]
    start = url_state.index_of(names, key)
    name = st.selectbox("Method", names, start, format_func=lambda name: xai_core.METHODS.get(name).full_title, key=key)
    if reasons:
        with st.expander(f"Not available for this model ({len(reasons)})"):
            for refused, reason in reasons.items():
                st.caption(f"**{xai_core.METHODS.get(refused).full_title}**: {reason}")
    return xai_core.METHODS.get(name)


shown, settings = st.columns([3, 2], gap="large")
with settings:
    spec = _render_method_choice()
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
