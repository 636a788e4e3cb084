"""The selected pictures: a grid of them, what they are, what the model confuses among them, and where it looks on average."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.imageset import clickable_tables, selection, thumbnail_grid
from pages.ui.imageset.page_context import NO_LABEL, Head, name_of, pictures_words
from pages.ui.imageset.thumbnail_grid import MOST, Tile
from pages.ui.widgets import background, show
from xai_core import imageset
from xai_core.imageset import Group, ImageSet
from xai_core.render import overlay, text_alternative

WIDEST = 300


def title(found: selection.Selection) -> str:
    """How many pictures are selected, and what they have in common."""
    return f"{pictures_words(len(found.rows))}{f': {found.words}' if found.words else ''}"


def _turn(rows: int, start: int) -> None:
    """Which of the pictures are shown, and the way to the others."""
    if rows <= MOST:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Previous",
            key="set_before",
            disabled=start == 0,
            on_click=selection.turn,
            args=(start - MOST,),
            icon=":material/chevron_left:",
        )
        st.button(
            "Next",
            key="set_next",
            disabled=start + MOST >= rows,
            on_click=selection.turn,
            args=(start + MOST,),
            icon=":material/chevron_right:",
        )
        st.caption(f"{start + 1:,} to {min(start + MOST, rows):,} of {rows:,}", width="content")


def pictures(of: ImageSet, rows: tuple[int, ...] | range, words: str, head: Head | None = None) -> None:
    """The thumbnails of these rows, a page at a time."""
    start = min(selection.place(), (len(rows) - 1) // MOST * MOST) if rows else 0
    tiles = [
        Tile(row, head.words(row) if head else name_of(of, row) or of.names[row]) for row in rows[start : start + MOST]
    ]

    def take(row: int) -> None:
        selection.look_at(of, row)

    thumbnail_grid.grid(of, tiles, "set_grid", words, take, current=selection.looked_at(of))
    _turn(len(rows), start)


def _mark(rows: np.ndarray) -> str:
    """A short name of these rows: a table of other pictures is another table, in which nothing is clicked yet."""
    return hashlib.sha256(np.asarray(rows, dtype=np.int64).tobytes()).hexdigest()[:24]


def _narrow(of: Head, rows: Iterable[int], words: str) -> None:
    selection.take(of.pictures, rows, words)


def _labels(of: Head, rows: np.ndarray, group: Group) -> None:
    """How many of each label, or of each answer where nothing is labelled; a click on one selects those."""
    labelled = any(name for name, _ in group.labels)
    counted = group.labels if labelled else group.predicted
    title = "Label" if labelled else "The model says"
    said = [(count, show.label(name or NO_LABEL)) for name, count in counted]
    frame = pd.DataFrame(said, columns=["Pictures", title])  # long names run out of the table: the number comes first

    def take(place: int, _column: str) -> None:
        name, read = counted[place][0], rows[of.run.valid[rows]].tolist()
        of_it = [row for row in read if (of.label(row) if labelled else of.says(row)) == name]
        _narrow(of, of_it, f"{title}: {name or NO_LABEL}")

    st.markdown("**What is among them** *(class counts)*")
    bars = {"Pictures": clickable_tables.bar("Pictures", int(frame["Pictures"].max()), width=110)}
    clickable_tables.clickable(
        frame, f"group_labels_{_mark(rows)}", take, "How many pictures of each kind.", columns=bars, most=6
    )


def _confusions(of: Head, rows: np.ndarray, group: Group) -> None:
    if not group.confusions:
        return
    found = group.confusions
    said = [(each.count, show.label(each.truth_name), show.label(each.predicted_name)) for each in found]
    frame = pd.DataFrame(said, columns=["Pictures", "It is", "It says"])

    def take(place: int, _column: str) -> None:
        pair = found[place]
        of_it = rows[imageset.confusion_rows(of.truth[rows], of.run.predictions[rows], pair.truth, pair.predicted)]
        _narrow(of, of_it.tolist(), f"{pair.truth_name}, but {of.model.title} says {pair.predicted_name}{of.after}")

    st.markdown("**What is mixed up** *(typical confusions)*")
    narrow = {"Pictures": st.column_config.NumberColumn("Pictures", width=64)}
    clickable_tables.clickable(
        frame,
        f"group_confusions_{_mark(rows)}",
        take,
        "The mistakes among these pictures, the commonest first.",
        columns=narrow,
        most=6,
    )


def _sentence(group: Group) -> str:
    right = (
        f" It is right for {show.percent(group.accuracy)} of those whose label it knows."
        if math.isfinite(group.accuracy)
        else ""
    )
    unread = f" {pictures_words(group.failed)} could not be read." if group.failed else ""
    return f"On average the model is {show.percent(group.confidence)} sure of its answer.{right}{unread}"


def _mean_map(of: Head, rows: tuple[int, ...]) -> None:
    """Where the model looks on average, on the mean of the pictures; made only when somebody asks."""
    st.markdown("**Where it looks on average** *(mean attribution)*")
    key = (of.run.id, _mark(np.array(rows)))
    if st.session_state.get("mean_map_of") != key:
        if not st.button("Average their maps (Grad-CAM)", key="mean_map", icon=":material/layers:"):
            return
        st.session_state["mean_map_of"] = key
    mean = background.compute(
        ("mean map", *key),
        lambda job: imageset.mean_attribution(of.pictures, of.model, rows, job=job),
        "Explaining these pictures",
        cost=1000,
    )
    if mean is None:
        return
    used, seen = pictures_words(len(mean.used)), text_alternative(mean.heat)
    st.image(
        overlay(mean.ground.convert("RGB"), mean.heat, signed=False), width=WIDEST, alt=f"Mean map of {used}. {seen}"
    )
    sample = (
        f", evenly spread over all {mean.chosen:,}" if mean.chosen > len(mean.used) + mean.flat + mean.unread else ""
    )
    without = " The change of the pictures is left out here." if of.after else ""
    show.say(
        f"The mean of the maps of {used}{sample}, each as strong as the others, on the mean of the pictures. {seen}{without}",
        quiet=True,
    )


def draw(of: Head) -> None:
    """The selection of this set, or how to make one."""
    found = selection.chosen(of.pictures)
    st.subheader("The selected pictures")
    if found is None or not found.rows:
        words = "Nothing is selected." if found is None else f"There is no such picture ({found.words})."
        show.say(
            f"{words} Click or enclose points, or click a cell or a bar: the same pictures then show here, and on the other pages.",
            quiet=True,
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="content"):
            show.strong(title(found))
        st.button("Clear", key="set_clear", on_click=selection.clear, icon=":material/close:")
    pictures(of.pictures, found.rows, "The selected pictures", of)
    rows = np.array(found.rows)
    group = imageset.describe_group(of.pictures, of.run, rows, of.truth, of.model.labels)
    if group.count:
        show.say(f"{_sentence(group)}{f' So it is{of.after}.' if of.after else ''}", quiet=True)
        left, right = st.columns(2)
        with left:
            _labels(of, rows, group)
        with right:
            _confusions(of, rows, group)
        _mean_map(of, found.rows)
