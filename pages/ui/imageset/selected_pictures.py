"""The selected pictures: a grid, their labels, typical confusions, and their mean map."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.imageset import clickable_tables, selection, thumbnail_grid
from pages.ui.imageset.page_context import NO_LABEL, PageContext, count_pictures, label_of
from pages.ui.imageset.thumbnail_grid import MAX_TILES, Tile
from pages.ui.widgets import background, show
from pages.ui.widgets.words import format_label
from xai_core import imageset
from xai_core.formatting import percent
from xai_core.imageset import Group, ImageSet
from xai_core.render import overlay, text_alternative

MAX_WIDTH = 300


def format_title(selected: selection.Selection) -> str:
    """Return the number of selected pictures and what they have in common."""
    return f"{count_pictures(len(selected.rows))}{f': {selected.words}' if selected.words else ''}"


def _render_page_buttons(rows: int, start: int) -> None:
    """Render the buttons to the previous and the next pictures."""
    if rows <= MAX_TILES:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Previous",
            key="set_before",
            disabled=start == 0,
            on_click=selection.scroll_to,
            args=(start - MAX_TILES,),
            icon=":material/chevron_left:",
        )
        st.button(
            "Next",
            key="set_next",
            disabled=start + MAX_TILES >= rows,
            on_click=selection.scroll_to,
            args=(start + MAX_TILES,),
            icon=":material/chevron_right:",
        )
        st.caption(f"{start + 1:,} to {min(start + MAX_TILES, rows):,} of {rows:,}", width="content")


def render_grid(dataset: ImageSet, rows: tuple[int, ...] | range, words: str, page: PageContext | None = None) -> None:
    """Render the thumbnails of these rows, MAX_TILES at a time."""
    start = min(selection.first_index(), (len(rows) - 1) // MAX_TILES * MAX_TILES) if rows else 0
    tiles = [
        Tile(row, page.words(row) if page else label_of(dataset, row) or dataset.names[row])
        for row in rows[start : start + MAX_TILES]
    ]

    def take(row: int) -> None:
        selection.open_picture(dataset, row)

    thumbnail_grid.render_grid(dataset, tiles, "set_grid", words, take, current=selection.current_row(dataset))
    _render_page_buttons(len(rows), start)


def _hash_rows(rows: np.ndarray) -> str:
    """Return a short hash of these rows; a table of other pictures is another widget, with nothing clicked."""
    return hashlib.sha256(np.asarray(rows, dtype=np.int64).tobytes()).hexdigest()[:24]


def _select(page: PageContext, rows: Iterable[int], words: str) -> None:
    selection.select(page.pictures, rows, words)


def _render_labels(page: PageContext, rows: np.ndarray, group: Group) -> None:
    """Render the count of each label, or of each prediction where nothing is labelled; a click selects those."""
    labelled = any(name for name, _ in group.labels)
    counted = group.labels if labelled else group.predicted
    title = "Label" if labelled else "The model says"
    cells = [(count, format_label(name or NO_LABEL)) for name, count in counted]
    frame = pd.DataFrame(cells, columns=["Pictures", title])  # long names run out of the table: the number comes first

    def take(place: int, _column: str) -> None:
        name, read = counted[place][0], rows[page.run.valid[rows]].tolist()
        of_it = [row for row in read if (page.label(row) if labelled else page.says(row)) == name]
        _select(page, of_it, f"{title}: {name or NO_LABEL}")

    st.markdown("**What they are** *(class counts)*")
    bars = {"Pictures": clickable_tables.bar_column("Pictures", int(frame["Pictures"].max()), width=110)}
    clickable_tables.draw_table(
        frame, f"group_labels_{_hash_rows(rows)}", take, "How many pictures of each kind.", columns=bars, most=6
    )


def _render_confusions(page: PageContext, rows: np.ndarray, group: Group) -> None:
    if not group.confusions:
        return
    confusions = group.confusions
    cells = [
        (confusion.count, format_label(confusion.truth_name), format_label(confusion.predicted_name))
        for confusion in confusions
    ]
    frame = pd.DataFrame(cells, columns=["Pictures", "It is", "It says"])

    def take(place: int, _column: str) -> None:
        pair = confusions[place]
        of_it = rows[imageset.confusion_rows(page.truth[rows], page.run.predictions[rows], pair.truth, pair.predicted)]
        _select(
            page, of_it.tolist(), f"{pair.truth_name}, but {page.speaker.title} says {pair.predicted_name}{page.after}"
        )

    st.markdown("**Typical mix-ups** *(confusions)*")
    narrow = {"Pictures": st.column_config.NumberColumn("Pictures", width=64)}
    clickable_tables.draw_table(
        frame,
        f"group_confusions_{_hash_rows(rows)}",
        take,
        "The mistakes among these pictures, the commonest first.",
        columns=narrow,
        most=6,
    )


def _describe_group(group: Group) -> str:
    right = (
        f" It is right for {percent(group.accuracy)} of those whose label it knows."
        if math.isfinite(group.accuracy)
        else ""
    )
    unread = f" {count_pictures(group.failed)} could not be read." if group.failed else ""
    return f"On average the model is {percent(group.confidence)} sure of its answer.{right}{unread}"


def _render_mean_map(page: PageContext, rows: tuple[int, ...]) -> None:
    """Render the mean map over the mean of the pictures, once the visitor asks for it."""
    st.markdown("**Where it looks on average** *(mean attribution)*")
    key = (page.run.id, _hash_rows(np.array(rows)))
    if st.session_state.get("mean_map_of") != key:
        if not st.button("Average their maps (Grad-CAM)", key="mean_map", icon=":material/layers:"):
            return
        st.session_state["mean_map_of"] = key
    mean = background.compute(
        ("mean map", *key),
        lambda job: imageset.mean_attribution(page.pictures, page.model, rows, job=job),
        "Explaining these pictures",
        cost=1000,
    )
    if mean is None:
        return
    used, seen = count_pictures(len(mean.rows)), text_alternative(mean.heatmap)
    picture = overlay(mean.background.convert("RGB"), mean.heatmap, signed=False)
    st.image(picture, width=MAX_WIDTH, alt=f"Mean map of {used}. {seen}")
    is_sample = mean.selected > len(mean.rows) + mean.empty + mean.unread
    sample = f", evenly spread over all {mean.selected:,}" if is_sample else ""
    without = " The change made to the pictures is not applied here." if page.after else ""
    show.write(
        f"The mean of the maps of {used}{sample}, each as strong as the others, on the mean of the pictures. "
        f"{seen}{without}",
        quiet=True,
    )


class Start(NamedTuple):
    """Pictures shown while nothing is selected, and what they are, to end a sentence with."""

    rows: tuple[int, ...]
    words: str


def spread_rows(count: int) -> Start:
    """Return all of a set of `count` pictures if they are few, else some spread evenly over it.

    >>> spread_rows(3)
    Start(rows=(0, 1, 2), words='all 3 pictures')
    """
    if count <= MAX_TILES:
        return Start(tuple(range(count)), f"all {count_pictures(count)}" if count > 1 else "the only picture")
    rows = np.linspace(0, count - 1, MAX_TILES).round().astype(int)
    return Start(tuple(rows.tolist()), f"{MAX_TILES} of {count_pictures(count)}, spread evenly over the set")


def _render_start(page: PageContext, start: Start | None, words: str) -> None:
    """Render what is shown while nothing is selected, with a hint on how to select."""
    shown = f"{words.removesuffix('.')}, so here you see {start.words}." if start else words
    show.write(
        f"{shown} Click or enclose points, or click a cell or a bar: the same pictures then show here, and "
        f"on the other pages.",
        quiet=True,
    )
    if start:
        render_grid(page.pictures, start.rows, f"The pictures: {start.words}", page)


def render(page: PageContext, start: Start | None = None) -> None:
    """Render the selection of this set, or `start` with a hint on how to make one."""
    selected = selection.current_selection(page.pictures)
    st.subheader("The selected pictures" if selected is not None or start is None else "The pictures")
    if selected is None or not selected.rows:
        words = "Nothing is selected." if selected is None else f"There is no such picture ({selected.words})."
        _render_start(page, start, words)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="content"):
            show.write_strong(format_title(selected))
        st.button("Clear", key="set_clear", on_click=selection.clear, icon=":material/close:")
    render_grid(page.pictures, selected.rows, "The selected pictures", page)
    rows = np.array(selected.rows)
    group = imageset.describe_group(page.pictures, page.run, rows, page.truth, page.speaker.labels)
    if group.count:
        show.write(f"{_describe_group(group)}{f' So it is{page.after}.' if page.after else ''}", quiet=True)
        left, right = st.columns(2)
        with left:
            _render_labels(page, rows, group)
        with right:
            _render_confusions(page, rows, group)
        _render_mean_map(page, selected.rows)
