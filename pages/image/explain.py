"""One method at a time, with all its settings."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui import forms, panels, picture
from xai_core.report import npz_bytes

st.title("One method, every setting")
model, image, seen, target = picture.head()

shown, settings = st.columns([3, 2], gap="large")
with settings:
    name = st.selectbox(
        "Method", list(xai_core.METHODS), format_func=lambda n: f"{xai_core.METHODS.get(n).title} ({n})", key="method", bind="query-params"
    )
    spec = xai_core.METHODS.get(name)
    st.markdown(f"**{spec.question}**")
    layer = None
    if spec.uses_layer and model.recommended_layer:
        layers = {each.name: each for each in model.layers() if each.alias_of is None}
        best = list(layers).index(model.recommended_layer.name)

        def _words(layer_name: str) -> str:
            rows, columns = layers[layer_name].grid
            mark = ", recommended" if layers[layer_name].recommended else ""
            return f"{layer_name} · {layers[layer_name].kind} · {rows}×{columns}{mark}"

        help_ = "Later layers know more and see coarser."
        layer = st.selectbox("Layer", list(layers), best, _words, key=f"layer_{model.name}", help=help_, bind="query-params")
    params = forms.draw(spec.params, model.side, spec.name)
    seed = forms.seed() if spec.random else 0
    with st.expander("About this method", icon=":material/help:"):
        st.markdown(f"{spec.sentence}\n\n**What it cannot tell.** {spec.caution}\n\n**Source.** {spec.paper}")
with shown:
    st.subheader(f"Why “{model.labels[target]}”?")
    try:
        ask = panels.Ask(name, xai_core.plan(model, image, name, target, layer, params, seed))
    except xai_core.XaiError as problem:
        ask = panels.Ask(name, refusal=str(problem))
    found = panels.watch([ask], seen, "explain")
    st.download_button(
        "Save raw values (NPZ)",
        data=lambda: npz_bytes(found),
        file_name=f"whybox-{name}.npz",
        mime="application/octet-stream",
        disabled=not found,
        icon=":material/download:",
        on_click="ignore",
    )
