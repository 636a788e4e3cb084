"""The first page: what this is, four ways in, and links to what else there is."""

from __future__ import annotations

import streamlit as st
from PIL import ImageOps

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.widgets import show, sidebar

MAX_SAMPLES = 6
THUMBNAIL_SIZE = (240, 240)
COMPARE, EXPLAIN, TABLE, SET = (
    "pages/image/compare.py",
    "pages/image/explain.py",
    "pages/tables/data.py",
    "pages/imageset/set.py",
)
# What else there is, each by the question that a visitor has.
MORE = (
    ("pages/image/hide.py", "What if a part were hidden?", ":material/brush:"),
    ("pages/image/trust.py", "Can I trust a map?", ":material/verified_user:"),
    ("pages/model/network.py", "What is inside the model?", ":material/account_tree:"),
    ("pages/learn/cheater.py", "Which network cheats?", ":material/policy:"),
)


@st.cache_data(show_spinner=False, max_entries=MAX_SAMPLES)
def _load_thumbnail(name: str) -> bytes:
    return show.encode_picture(ImageOps.fit(session.load_sample(name), THUMBNAIL_SIZE), THUMBNAIL_SIZE[0])


# Nothing runs here: what another page has started stops.
xai_core.jobs.leave(session.session_id(), pool="attributions")
st.title("Why did the model say that?")
st.markdown(
    "A computer model looks at a photo and says *espresso*. Whybox shows **what it looked at**: four "
    "different methods, side by side, "
    "each with a sentence on how to read it and a check that says whether you can trust it."
)

st.subheader("1. Pick a picture")
st.markdown("One click, and the four explanations appear.")
photos = [sample for sample in xai_core.SAMPLES.specs() if sample.kind == "photo"][:MAX_SAMPLES]
row = st.container(key="samples")
for sample in photos:
    with row.container(gap="xsmall", key=f"card_{sample.name}"):
        st.image(_load_thumbnail(sample.name), alt=f"Sample: {sample.title}", width="stretch")
        if st.button(
            sample.title, key=f"try_{sample.name}", on_click=session.choose_sample, args=(sample.name,), width="stretch"
        ):
            st.switch_page(COMPARE, query_params=url_state.query())

with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown("Or look deeper: one method at a time, with every setting and every layer.", width="content")
    if st.button("Open Explain"):
        st.switch_page(EXPLAIN, query_params=url_state.query())

own, sets, tables = st.container(key="wide_columns").columns(3, gap="large")
with own:
    st.subheader("2. Your photo")
    st.markdown("It stays on the computer that runs Whybox.")
    sidebar.render_uploader("home")
    if (
        not session.picture_error("home")
        and session.has_own_picture()
        and st.button("Explain my photo", type="primary", width="stretch")
    ):
        st.switch_page(COMPARE, query_params=url_state.query())
with sets:
    st.subheader("3. A whole set")
    st.markdown(
        "Hundreds of pictures at once: a map of what the model knows, its best and worst pictures, its mistakes."
    )
    if st.button("Open Picture set", icon=":material/photo_library:", width="stretch"):
        st.switch_page(SET, query_params=url_state.query())
with tables:
    st.subheader("4. A table")
    st.markdown(
        "Loans, flowers, wines, or your own CSV or Excel file: train a model on its rows and see how it decides, in "
        "general and for one row."
    )
    if st.button("Open Table", icon=":material/table:", width="stretch"):
        st.switch_page(TABLE, query_params=url_state.query())

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="more_ways"):
    st.markdown("**Or play and test**", width="content")
    for address, label, icon in MORE:
        st.page_link(address, label=label, icon=icon, query_params=url_state.query())

st.caption(
    "An explanation is a clue, not a proof: it tells what this model reacted to, not what is true about the world. "
    "Do not use it alone for decisions about people."
)
