"""Choice of the layer: the recommended one unless the visitor chooses, kept for each model."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.frame import url_state


def restore(model: xai_core.Classifier) -> str:
    """Restore the choice, also on pages that do not show it, and return its widget key; the model must have a layer."""

    def read(name: str) -> str:
        layer = model.layer(name)
        return layer.alias_of or layer.name

    best = model.recommended_layer
    return url_state.restore("layer", best.name if best else "", read, key=f"layer_{model.name}")


def render_choice(model: xai_core.Classifier) -> str | None:
    """Render the choice; None for a model without a layer."""
    layers = {layer.name: layer for layer in model.layers() if layer.alias_of is None}
    if model.recommended_layer is None:
        return None

    def words(name: str) -> str:
        rows, columns = layers[name].grid
        return f"{name} · {layers[name].kind} · {rows}×{columns}{', recommended' if layers[name].recommended else ''}"

    key = restore(model)
    help_ = "Later layers know more but see less detail."
    return st.selectbox("Layer", list(layers), url_state.index_of(layers, key), format_func=words, key=key, help=help_)


def restore_layer(model: xai_core.Classifier) -> str | None:
    """Return the value of `render_choice` without rendering it."""
    return None if model.recommended_layer is None else str(st.session_state[restore(model)])
