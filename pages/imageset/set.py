"""The picture set: one that comes along or an own one, and what is in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.image import layers
from pages.ui.imageset import clickable_tables, page_context, picture_detail, selected_pictures, selection, set_choice
from pages.ui.imageset.page_context import count_pictures
from pages.ui.widgets import background, models, show
from pages.ui.widgets.words import format_label
from xai_core.imageset import ImageSet

NEXT = {
    "pages/imageset/map.py": ("See the map", ":material/bubble_chart:"),
    "pages/imageset/extremes.py": ("Best and worst", ":material/swap_vert:"),
    "pages/imageset/set_scores.py": ("How good is the model?", ":material/leaderboard:"),
}


def _overview(of: ImageSet) -> None:
    unlabelled = int((of.labels < 0).sum())
    with st.container(horizontal=True):
        for title, value in (
            ("Pictures", len(of)),
            ("Labels *(classes)*", len(of.classes)),
            ("Could not be read", of.unread),
        ):
            with st.container(width=180):
                st.metric(title, f"{value:,}")
    notes = list(of.notes)
    if of.classes and unlabelled:
        notes.append(f"Pictures without a label: {unlabelled:,}.")
    if of.has_masks:
        notes.append(f"Pictures with a mask that says which pixels are the object: {int(of.masked.sum()):,}.")
    show.write_list((*notes, f"From: {of.origin}."))


def _skipped(of: ImageSet) -> None:
    if of.skipped:
        with st.expander(f"Files that could not be read ({of.unread:,})", icon=":material/broken_image:"):
            frame = pd.DataFrame([map(format_label, pair) for pair in of.skipped], columns=["File", "Why"])
            st.dataframe(frame, hide_index=True, alt="Files that could not be read, each with the reason.")
            if of.unread > len(of.skipped):
                show.write(f"The first {len(of.skipped):,} are listed.", quiet=True)


def _classes(of: ImageSet) -> None:
    """How many pictures each label has; a click on one selects them."""
    if not of.classes:
        show.write(
            "These pictures have no labels: nobody has said what they show. A model can still say what it sees.",
            quiet=True,
        )
        return
    counts = np.bincount(of.labels[of.labels >= 0], minlength=len(of.classes))
    frame = pd.DataFrame({"Label": [format_label(name) for name in of.classes], "Pictures": counts})

    def take(place: int, _column: str) -> None:
        selection.select(of, np.flatnonzero(of.labels == place).tolist(), f"Label: {of.classes[place]}")

    bars = {"Pictures": clickable_tables.bar_column("Pictures", int(counts.max()))}
    clickable_tables.draw_table(
        frame, f"classes_{of.id}", take, "The labels of this set and how many pictures have them.", columns=bars
    )


def _pictures(of: ImageSet) -> None:
    found = selection.current_selection(of)
    if found is None:
        show.write_strong(f"All {count_pictures(len(of))}" if len(of) > 1 else "The only picture")
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="content"):
                show.write_strong(selected_pictures.format_title(found))
            st.button("Show all", key="set_clear", on_click=selection.clear, icon=":material/close:")
    selected_pictures.render_grid(of, found.rows if found else range(len(of)), "The pictures of the set")


def _ways_on() -> None:
    with st.container(horizontal=True):
        for page, (title, icon) in NEXT.items():
            if st.button(title, type="primary" if "map" in page else "secondary", icon=icon):
                st.switch_page(page, query_params=url_state.query())


st.title("A set of pictures")
st.markdown(
    "One picture tells you about one answer. A whole set shows what the model knows, what it mixes up, and how often it is right."
)
page_context.begin_page()
set_choice.render_choice()
of = set_choice.current_set()
if of is None:
    background.finish()
_overview(of)
_ways_on()
_skipped(of)
left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader("What is in it")
    _classes(of)
    _pictures(of)
with right:
    model = models.current_model()
    picture_detail.render(of, model, layers.restore_layer(model))
background.end()
