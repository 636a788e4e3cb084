"""Choice of a method with a note on those that do not fit the model."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.frame import link_readers, url_state


def render_choice(model: xai_core.Classifier) -> xai_core.MethodSpec:
    """Render the choice among the methods that fit this model; the others are listed below it with the reason."""
    reasons = {spec.name: reason for spec in xai_core.METHODS.specs() if (reason := spec.refusal(model))}
    key = link_readers.restore_entry("method", "grad_cam", xai_core.METHODS)
    names = [name for name in xai_core.METHODS if name not in reasons or name == st.session_state[key]]
    start = url_state.index_of(names, key)
    name = st.selectbox("Method", names, start, format_func=lambda name: xai_core.METHODS.get(name).full_title, key=key)
    if reasons:
        with st.expander(f"Not available for this model ({len(reasons)})"):
            for refused, reason in reasons.items():
                st.caption(f"**{xai_core.METHODS.get(refused).full_title}**: {reason}")
    return xai_core.METHODS.get(name)
