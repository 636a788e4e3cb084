"""Choice of the layer: the recommended one unless the visitor chooses, kept for each model."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.frame import url_state


def format_place(model: xai_core.Classifier, name: str) -> str:
    """Return "late · 7 × 7 places"."""
    layer = model.layer(name)
    rows, columns = layer.grid
    return f"{model.stage(layer)} · {rows} × {columns} places"


def format_layer(model: xai_core.Classifier, name: str) -> str:
    """Return "late · 7 × 7 places, recommended · blocks.15", or with its kind: "… places · conv2 (Conv2d)"."""
    layer = model.layer(name)
    # The one that is chosen for most visitors is short, so that it is read to its end.
    ending = f", recommended · {name}" if layer.recommended else f" · {name} ({layer.kind})"
    return f"{format_place(model, name)}{ending}"


def restore(model: xai_core.Classifier) -> str:
    """Restore the choice, also on pages that do not show it, and return its widget key; the model must have a layer."""

    def read(name: str) -> str:
        layer = model.layer(name)
        return layer.alias_of or layer.name

    best = model.recommended_layer

    def title(name: str) -> str:
        return format_layer(model, name) if name else "no layer"

    return url_state.restore("layer", best.name if best else "", read, key=f"layer_{model.name}", title=title)


def render_choice(model: xai_core.Classifier) -> str | None:
    """Render the choice; None for a model without a layer."""
    if model.recommended_layer is None:
        return None
    key = restore(model)
    names = [layer.name for layer in model.offered_layers]
    if (chosen := str(st.session_state[key])) not in names:
        # An old link may name a layer of padding.
        names.append(chosen)
    return st.selectbox(
        "Layer",
        names,
        url_state.index_of(names, key),
        format_func=lambda name: format_layer(model, name),
        key=key,
        help="Later layers know more but see less detail. The size is the number of places the layer tells apart.",
    )


def restore_layer(model: xai_core.Classifier) -> str | None:
    """Return the value of `render_choice` without rendering it."""
    return None if model.recommended_layer is None else str(st.session_state[restore(model)])
