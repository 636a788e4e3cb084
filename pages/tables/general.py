"""The model in general: what each feature does, which count most, which work together, and the model itself where it can be read."""

from __future__ import annotations

import streamlit as st

from pages.ui.frame import url_state
from pages.ui.tables import effects_view, glass_box_view, importance_view, page_context
from pages.ui.widgets import background

VIEWS = {
    "one": ("One feature", effects_view.one),
    "two": ("Two features", effects_view.two),
    "counts": ("What counts most", importance_view.what_counts),
    "together": ("What works together", importance_view.together),
    "itself": ("The model itself", glass_box_view.draw),
}

st.title("The model in general")
page_context.keep()
subject = page_context.head()
key = url_state.keep("view", "one", url_state.one_of("view", VIEWS))
names = [name for name in VIEWS if name != "itself" or subject.model.glass_box]
if st.session_state[key] not in names:
    url_state.put(key, names[0])
view = st.segmented_control(
    "Look at", names, default=url_state.shown(key), key=key, format_func=lambda name: VIEWS[name][0], required=True
)
if not subject.model.glass_box:
    st.caption(
        "This model cannot be read as it is. A decision tree, a linear model or an explainable boosting machine can."
    )
VIEWS[view or names[0]][1](subject)
background.end()
