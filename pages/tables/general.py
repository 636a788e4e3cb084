"""The model in general: what each feature does, which count most, which work together, and the model itself where it can be read."""

from __future__ import annotations

import streamlit as st

from pages.ui import link, work
from pages.ui.tables import effects, glass, head, importance

VIEWS = {
    "one": ("One feature", effects.one),
    "two": ("Two features", effects.two),
    "counts": ("What counts most", importance.what_counts),
    "together": ("What works together", importance.together),
    "itself": ("The model itself", glass.draw),
}

st.title("The model in general")
head.keep()
subject = head.head()
key = link.keep("view", "one", link.one_of("view", VIEWS))
names = [name for name in VIEWS if name != "itself" or subject.model.glass_box]
if st.session_state[key] not in names:
    link.put(key, names[0])
view = st.segmented_control("Look at", names, default=link.shown(key), key=key, format_func=lambda name: VIEWS[name][0], required=True)
if not subject.model.glass_box:
    st.caption("This model cannot be read as it is. A decision tree, a linear model or an explainable boosting machine can.")
VIEWS[view or names[0]][1](subject)
work.end()
