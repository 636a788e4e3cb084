"""The frame of every page: page config, navigation and the shared sidebar. Cheap code only: it runs at every click."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui.frame import kept_uploads, render_slots, session, unknown_address, url_state
from pages.ui.widgets import share, show, sidebar, topic_links

STYLE = Path(__file__).with_name("assets") / "page.css"
PAGES = {
    "": [st.Page("pages/start/home.py", title="Start", icon=":material/home:", default=True)],
    "Pictures": [
        st.Page("pages/image/compare.py", title="Compare", icon=":material/grid_view:"),
        st.Page("pages/image/explain.py", title="Explain", icon=":material/search:"),
        st.Page("pages/image/hide.py", title="Hide and see", icon=":material/brush:"),
        st.Page("pages/image/trust.py", title="Trust", icon=":material/verified_user:"),
        st.Page("pages/image/shake.py", title="Shake it", icon=":material/vibration:"),
        st.Page("pages/image/flip.py", title="Flip it", icon=":material/switch_access_shortcut:"),
    ],
    "Inside the model": [
        st.Page("pages/model/network.py", title="Network", icon=":material/account_tree:"),
        st.Page("pages/model/layer.py", title="Layer", icon=":material/layers:"),
        st.Page("pages/model/answer.py", title="What adds up", icon=":material/functions:"),
        st.Page("pages/model/unit.py", title="Unit", icon=":material/center_focus_strong:"),
        st.Page("pages/model/concept.py", title="Ideas", icon=":material/lightbulb:"),
        st.Page("pages/model/concepts.py", title="Concepts of units", icon=":material/category:"),
        st.Page("pages/model/class_page.py", title="Class", icon=":material/label:"),
        st.Page("pages/model/attack.py", title="Fool the model", icon=":material/bolt:"),
    ],
    "Picture sets": [
        st.Page("pages/imageset/set.py", title="Picture set", icon=":material/photo_library:"),
        st.Page("pages/imageset/map.py", title="Map", icon=":material/bubble_chart:"),
        st.Page("pages/imageset/extremes.py", title="Best and worst", icon=":material/swap_vert:"),
        st.Page("pages/imageset/set_scores.py", title="Set scores", icon=":material/leaderboard:"),
    ],
    "Tables": [
        st.Page("pages/tables/data.py", title="Table", icon=":material/table:"),
        st.Page("pages/tables/model.py", title="Table model", icon=":material/model_training:"),
        st.Page("pages/tables/general.py", title="In general", icon=":material/public:"),
        st.Page("pages/tables/row.py", title="One row", icon=":material/table_rows:"),
        st.Page("pages/tables/fairness.py", title="Fairness", icon=":material/balance:"),
    ],
    "Learn": [
        st.Page("pages/learn/methods.py", title="Methods", icon=":material/list_alt:"),
        st.Page("pages/learn/topics.py", title="Topics", icon=":material/menu_book:"),
        st.Page("pages/learn/cheater.py", title="Catch the cheater", icon=":material/policy:"),
        st.Page("pages/learn/objects.py", title="One object decides", icon=":material/category:"),
        st.Page("pages/learn/teach.py", title="Teach your own classes", icon=":material/school:"),
        st.Page("pages/learn/train.py", title="Train it live", icon=":material/model_training:"),
        st.Page("pages/learn/status.py", title="Server activity", icon=":material/speed:"),
    ],
}
COMPARE = PAGES["Pictures"][0]
# Pages about one picture have the choice of it, and those that ask a picture model the choice of that.
# Of the pages to learn from only Methods has: labs have networks and pictures of their own.
WITH_PICTURE = [*PAGES[""], *PAGES["Pictures"], *PAGES["Inside the model"], *PAGES["Learn"][:1]]
WITH_MODEL = [*WITH_PICTURE, *PAGES["Picture sets"]]
# Pages that a short link can open with their choices; the first two about pictures make links to their maps.
VIEWS = [*PAGES["Pictures"][2:], *PAGES["Inside the model"], *PAGES["Picture sets"], *PAGES["Tables"]]
BY_ADDRESS = {page.url_path: page for page in VIEWS}
RESULT = st.Page("pages/image/result.py", title="Saved result", icon=":material/link:", url_path=url_state.RESULT_PAGE)

# The icon goes first: a page's own one would be fetched from Google as the tab's icon.
st.set_page_config(page_icon="assets/icon.png", layout="wide")
# The sidebar draws it, with the settings in every link; a kept result is reached by its own link only.
unknown_address.read()
page = st.navigation(PAGES | {"Kept": [RESULT]}, position="hidden")
url_state.begin_run(page.url_path)
kept_uploads.restore()
if url_state.is_result_named():
    share.follow(BY_ADDRESS, PAGES[""][0], WITH_PICTURE)
if url_state.is_result_elsewhere():
    st.switch_page(RESULT, query_params=url_state.query() | url_state.result_query())
if session.take_upload() and page in PAGES[""]:
    st.switch_page(COMPARE, query_params=url_state.query())
kept_uploads.write_address()
st.set_page_config(page_title=f"{page.title} · Whybox")
st.html(STYLE)
with render_slots.acquire_slot():
    with st.sidebar:
        sidebar.render(PAGES, picture=page in WITH_PICTURE, model=page in WITH_MODEL)
    with (problems := st.container(key="address_problems")):
        if problem := unknown_address.take_problem():
            st.warning(problem, icon=":material/explore_off:")
        if problem := kept_uploads.problem():
            st.warning(problem, icon=":material/upload_file:")
            st.button("Go on with the samples", key="close_keep_problem", on_click=kept_uploads.close_problem)
        show.write_link_problems(problems, known := url_state.describe_problems())
    try:
        page.run()
    finally:
        # A page that waits for its work ends early, but not before it has read its link.
        show.write_link_problems(problems, [text for text in url_state.describe_problems() if text not in known])
    topic_links.render(page.url_path)
    if page in VIEWS:
        share.render_view(page.url_path, with_picture=page in WITH_PICTURE)
    url_state.update_address()
