"""The model in general: effects, importance and interactions of features, and the model itself if it is readable."""

from __future__ import annotations

import streamlit as st

from pages.ui.frame import url_state
from pages.ui.tables import effects_view, glass_box_view, importance_view, page_context
from pages.ui.widgets import background

VIEWS = {
    "counts": ("What counts most", importance_view.render_importance),
    "one": ("One feature", effects_view.render_one_feature),
    "two": ("Two features", effects_view.render_two_features),
    "together": ("What works together", importance_view.render_interactions),
    "itself": ("The model itself", glass_box_view.render),
}

st.title("The model in general")
page_context.begin_page()
page = page_context.render_head(below_on_phones=True)
key = url_state.restore("view", "counts", url_state.option_reader("view", VIEWS), title=lambda name: VIEWS[name][0])
names = [name for name in VIEWS if name != "itself" or page.model.glass_box]
if st.session_state[key] not in names:
    url_state.set_value(key, names[0])
view = st.segmented_control(
    "Look at", names, default=url_state.value_of(key), key=key, format_func=lambda name: VIEWS[name][0], required=True
)
VIEWS[view or names[0]][1](page)
if not page.model.glass_box:
    st.caption(
        "This model cannot be read directly. A decision tree, a linear model or an explainable boosting machine can."
    )
background.end()
