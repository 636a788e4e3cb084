"""Scores of a model on a set, also after a change of the pictures: classes, confusions, calibration; clickable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.imageset import clickable_tables, confusion_view, page_context, selection, set_choice
from pages.ui.imageset.page_context import SEVERITIES, PageContext
from pages.ui.widgets import background, forms, show
from pages.ui.widgets.words import format_label
from xai_core import imageset
from xai_core.formatting import percent, score
from xai_core.imageset import CORRUPTIONS, ModelOutputs, SetScores
from xai_core.render import tables as figures

TITLES: Mapping[str, tuple[str, str]] = {
    "accuracy": ("Right answers", "accuracy"),
    "top5": ("Right among its first five", "top-5"),
    "precision": ("Right when it says so", "precision"),
    "recall": ("Share it finds", "recall"),
    "f1": ("Both combined", "F1"),
    "auc": ("Ranks well", "ROC AUC"),
}
# Shown in percent.
_SHARES = ("accuracy", "top5", "precision", "recall", "f1")


def _render_change() -> str:
    """Render the choice of a change of the pictures; return name and strength ("blur:2"), or an empty text."""
    left, right = st.columns([2, 1])
    with left:
        names = ["", *CORRUPTIONS]
        titles = {name: CORRUPTIONS.get(name).title if name else "As they are" for name in names}
        key = url_state.restore("change", "", url_state.option_reader("change", names), title=titles.__getitem__)
        name = str(st.selectbox("Pictures", names, url_state.index_of(names, key), titles.__getitem__, key=key))
        if name:
            st.caption(CORRUPTIONS.get(name).about)
    if not name or len(CORRUPTIONS.get(name).levels) < 2:
        return name
    with right:
        key = url_state.restore(
            "strength",
            2,
            lambda text: int(url_state.option_reader("strength", map(str, SEVERITIES))(text)),
            title=SEVERITIES.__getitem__,
        )
        strength = st.selectbox(
            "Changed", list(SEVERITIES), url_state.index_of(SEVERITIES, key), SEVERITIES.__getitem__, key=key
        )
    return f"{name}:{strength}"


def _request_scores(page: PageContext, run: ModelOutputs) -> SetScores | None:
    return background.compute(
        ("scores", run.id, page.truth_id),
        lambda job: imageset.score_set(run, page.truth, page.speaker.labels, job),
        "Counting right answers",
    )


def _format_score(value: float, name: str) -> str:
    return percent(value) if name in _SHARES else score(value)


def _format_difference(now: float, before: float, name: str) -> str | None:
    """Return the difference to the score without the change, with a sign for st.metric."""
    if not (math.isfinite(now) and math.isfinite(before)):
        return None
    gap = now - before
    return f"{100 * gap:+.1f} points" if name in _SHARES else f"{gap:+.2f}"


def _render_scores(scores: SetScores, plain: SetScores | None) -> None:
    """Render all scores in one row, with their difference to the unchanged pictures, and their meaning below."""
    with st.container(horizontal=True):
        for name, (title, technical) in TITLES.items():
            value = getattr(scores, name)
            gap = None if plain is None else _format_difference(value, getattr(plain, name), name)
            with st.container(width=245):
                same = gap is not None and not float(gap.partition(" ")[0])
                shown = {"delta": "no change", "delta_color": "off", "delta_arrow": "off"} if same else {"delta": gap}
                st.metric(f"{title} *({technical})*", _format_score(value, name), **shown)
    show.write(scores.sentences["accuracy"])
    with st.expander("What these numbers mean", icon=":material/help:"):
        show.write_list(scores.sentences[name] for name in TITLES)


def _render_classes(page: PageContext, scores: SetScores) -> None:
    """Render the scores of each class; a click selects its pictures."""
    st.markdown("**Class by class** *(one against the rest)*")
    classes = [entry for entry in scores.classes if entry.count] or list(scores.classes)
    frame = pd.DataFrame(
        {
            "Class": [format_label(entry.name) for entry in classes],
            "Pictures": [entry.count for entry in classes],
            "Precision": [entry.precision for entry in classes],
            "Recall": [entry.recall for entry in classes],
            "F1": [entry.f1 for entry in classes],
            "ROC AUC": [entry.auc for entry in classes],
        }
    )

    def take(place: int, _column: str) -> None:
        chosen = classes[place]
        rows = np.flatnonzero((page.truth == chosen.index) & page.run.valid)
        selection.select(page.pictures, rows.tolist(), f"It is: {chosen.name}")

    columns = {name: clickable_tables.bar_column(name, 1.0, "percent", 96) for name in ("Precision", "Recall", "F1")}
    columns["ROC AUC"] = st.column_config.NumberColumn("ROC AUC", format="%.2f", width=72)
    columns["Pictures"] = st.column_config.NumberColumn("Pictures", width=64)
    clickable_tables.draw_table(
        frame,
        f"class_scores_{page.run.id}",
        take,
        "The scores of every class. A click selects its pictures.",
        columns=columns,
    )


def _render_calibration(page: PageContext, scores: SetScores) -> None:
    st.markdown("**Does 70 % mean 70 %?** *(calibration)*")
    bins = scores.calibration
    frame = pd.DataFrame({"It says": bins.confidence, "It is right": bins.accuracy, "Pictures": bins.counts})
    show.draw_figure(figures.draw_calibration(bins.confidence, bins.accuracy, bins.counts), "set_calibration")
    show.write(scores.sentences["calibration"], quiet=True)

    def take(place: int, _column: str) -> None:
        number = int(bins.bins[place])
        rows = imageset.calibration_rows(page.run, page.truth, number)
        selection.select(
            page.pictures,
            rows.tolist(),
            f"{page.speaker.title} is {10 * number} to {10 * number + 10} % sure{page.after}",
        )

    columns = {name: clickable_tables.bar_column(name, 1.0, "percent") for name in ("It says", "It is right")}
    clickable_tables.draw_table(
        frame, f"bins_{page.run.id}", take, "How often the model is right, by how sure it is.", columns=columns
    )


VIEWS = {
    "confusion": ("What it mixes up", confusion_view.render),
    "classes": ("By class", _render_classes),
    "calibration": ("Sure and right?", _render_calibration),
}


class ScoredRun(NamedTuple):
    """A run over all pictures, changed or not, with its scores."""

    page: PageContext
    scores: SetScores


def render_scores(page: PageContext) -> ScoredRun | None:
    """Render all scores on the set, after the chosen change of the pictures; None while, or where, there are none."""
    if not (page.truth >= 0).any():
        advice = (
            "Choose another set or model, match the labels above, or have them learnt from the pictures."
            if page.pictures.classes
            else "Choose another set, or put your pictures into folders named after what they show."
        )
        show.write_problem(
            f"None of these pictures has a label that the model knows, so its right answers cannot be counted. {advice}"
        )
        return None
    change = _render_change()
    run = page_context.request_run(page.pictures, page.model, page.layer, change) if change else page.run
    if run is not None and change:
        run = page.request_answers(run)
    scores = None if run is None else _request_scores(page, run)
    if run is None or scores is None:
        return None
    _render_scores(scores, _request_scores(page, page.run) if change else None)
    if set_choice.recommended_model(page.pictures):  # it came along: what has to be known of it
        show.write_list(page.pictures.notes)
    left_out = (
        f" {scores.left_out:,} have no label that the model knows, or could not be read." if scores.left_out else ""
    )
    show.write(f"Counted over {scores.count:,} pictures.{left_out}", quiet=True)
    return ScoredRun(replace(page, run=run), scores)


def render_view(scored: ScoredRun) -> None:
    """Render one view of the scores; its cells can be clicked."""
    view = forms.render_segments("scores", "Look at", {name: title for name, (title, _) in VIEWS.items()}, "confusion")
    VIEWS[view][1](*scored)
