"""Parts of a picture hidden by hand, by a map or in a game, and the model asked again."""

from __future__ import annotations

import streamlit as st

from pages.ui.image import picture
from pages.ui.what_if import hide_view
from pages.ui.widgets import background, show

show.write_style()
st.title("Hide and see")
page = picture.render_head()
background.begin()
hide_view.prepare(page)
hide_view.render(page)
background.end()
