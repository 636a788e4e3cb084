"""The picture set: one that comes along or an own one, and what is in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.image import layers
from pages.ui.imageset import (
    class_choice,
    clickable_tables,
    page_context,
    picture_detail,
    selected_pictures,
    selection,
    set_choice,
)
from pages.ui.widgets import background, models, show
from pages.ui.widgets.words import format_label
from xai_core.imageset import ImageSet


def _render_overview(dataset: ImageSet) -> None:
    unlabelled = int((dataset.labels < 0).sum())
    with st.container(horizontal=True):
        for title, value in (
            ("Pictures", len(dataset)),
            ("Labels *(classes)*", len(dataset.classes)),
            ("Could not be read", dataset.unread),
        ):
            with st.container(width=180):
                st.metric(title, f"{value:,}")
    notes = list(dataset.notes)
    if dataset.classes and unlabelled:
        notes.append(f"Pictures without a label: {unlabelled:,}.")
    if dataset.has_masks:
        notes.append(f"Pictures with a mask that marks the object: {int(dataset.mask_flags.sum()):,}.")
    show.write_list((*notes, f"From: {dataset.origin}."))


def _render_unreadable(dataset: ImageSet) -> None:
    if dataset.skipped_files:
        with st.expander(f"Files that could not be read ({dataset.unread:,})", icon=":material/broken_image:"):
            frame = pd.DataFrame([map(format_label, pair) for pair in dataset.skipped_files], columns=["File", "Why"])
            st.dataframe(frame, hide_index=True, alt="Files that could not be read, each with the reason.")
            if dataset.unread > len(dataset.skipped_files):
                show.write(f"The first {len(dataset.skipped_files):,} are listed.", quiet=True)


def _render_classes(dataset: ImageSet) -> None:
    """Render the number of pictures of each label; a click selects them."""
    if not dataset.classes:
        show.write(
            "These pictures have no labels: nobody has said what they show. A model can still say what it sees.",
            quiet=True,
        )
        return
    counts = np.bincount(dataset.labels[dataset.labels >= 0], minlength=len(dataset.classes))
    frame = pd.DataFrame({"Label": [format_label(name) for name in dataset.classes], "Pictures": counts})

    def take(place: int, _column: str) -> None:
        selection.select(dataset, np.flatnonzero(dataset.labels == place).tolist(), f"Label: {dataset.classes[place]}")

    bars = {"Pictures": clickable_tables.bar_column("Pictures", int(counts.max()))}
    clickable_tables.draw_table(
        frame, f"classes_{dataset.id}", take, "The labels of this set and how many pictures have them.", columns=bars
    )


def _render_pictures(dataset: ImageSet) -> None:
    selected = selection.current_selection(dataset)
    if selected is None:
        show.write_strong(
            f"All {page_context.count_pictures(len(dataset))}" if len(dataset) > 1 else "The only picture"
        )
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="content"):
                show.write_strong(selected_pictures.format_title(selected))
            st.button("Show all", key="set_clear", on_click=selection.clear, icon=":material/close:")
    selected_pictures.render_grid(
        dataset, selected.rows if selected else range(len(dataset)), "The pictures of the set"
    )


st.title("A set of pictures")
st.markdown(
    "One picture tells you about one answer. A whole set shows what the model knows, what it mixes up, and "
    "how often it is right."
)
page_context.begin_page()
set_choice.render_choice()
dataset = set_choice.current_set()
if dataset is None:
    background.finish()
_render_overview(dataset)
page_context.render_next_buttons()
_render_unreadable(dataset)
left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader("Contents")
    _render_classes(dataset)
    _render_pictures(dataset)
with right:
    model = models.current_model()
    class_choice.restore(dataset, model)
    picture_detail.render(dataset, model, layers.restore_layer(model))
background.end()
