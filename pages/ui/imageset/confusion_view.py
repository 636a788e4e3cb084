"""The confusion matrix of a run over a set, as wide as its place; a click on a cell selects its pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.imageset import clickable_tables, selected_pictures, selection
from pages.ui.imageset.page_context import PageContext, count_pictures
from pages.ui.imageset.selected_pictures import Start
from pages.ui.widgets import show
from pages.ui.widgets.words import format_label
from xai_core import imageset
from xai_core.imageset import SetScores

MAX_CLASSES = 40
MAX_STRETCHED = 12


def _shade_cells(frame: pd.DataFrame) -> object:
    """Return the table with each cell as dark as its share of the row; right answers in another colour."""

    def colours(row: pd.Series) -> list[str]:
        total = max(float(row.iloc[1:].sum()), 1.0)
        hue = {row.iloc[0]: "47, 138, 155"}
        return [
            "",
            *(
                f"background-color: rgba({hue.get(name, '224, 102, 47')}, {0.75 * row[name] / total:.2f})"
                for name in row.index[1:]
            ),
        ]

    return frame.style.apply(colours, axis=1)


def render(page: PageContext, scores: SetScores) -> None:
    """Render the confusion matrix, truth down; a click on a cell selects its pictures."""
    st.markdown("**What does it mix up?** *(confusion matrix)*")
    busiest = np.argsort(-scores.confusion.sum(axis=0) - scores.confusion.sum(axis=1), kind="stable")[:MAX_CLASSES]
    order = np.sort(busiest)
    classes = [scores.classes[place] for place in order]
    names = _number_repeats([format_label(score.name) for score in classes])
    frame = pd.DataFrame(scores.confusion[np.ix_(order, order)], columns=names)
    truth = scores.confusion[order].sum(axis=1) > 0
    frame.insert(0, "It is ↓ · it says →", names)
    frame = frame[truth].reset_index(drop=True)
    actual = [score for score, there in zip(classes, truth, strict=True) if there]

    def take(place: int, column: str) -> None:
        if column in names:
            a, b = actual[place], classes[names.index(column)]
            rows = imageset.confusion_rows(page.truth, page.run.predictions, a.index, b.index)
            selection.select(
                page.pictures, rows.tolist(), f"It is {a.name}, {page.speaker.title} says {b.name}{page.after}"
            )

    # Few columns share the whole width; many are as narrow as their names.
    columns = (
        {name: st.column_config.NumberColumn(name, width=min(22 + 8 * len(name), 130)) for name in names}
        if len(names) > MAX_STRETCHED
        else {}
    )
    clickable_tables.draw_table(
        frame,
        f"confusion_{page.run.id}",
        take,
        scores.sentences["confusion"],
        columns=columns,
        most=14,
        style=_shade_cells,
    )
    left_out = (
        f" The {MAX_CLASSES} commonest of {len(scores.classes)} classes are shown."
        if len(scores.classes) > MAX_CLASSES
        else ""
    )
    show.write(
        f"{scores.sentences['confusion']} Click a cell to see its pictures, or the head of a column to sort "
        f"by it.{left_out}",
        quiet=True,
    )


def _number_repeats(names: list[str]) -> list[str]:
    """Return the names with a number where they repeat; column names must differ."""
    scores: list[str] = []
    for name in names:
        scores.append(name if name not in scores else f"{name} ({len(scores)})")
    return scores


def choose_start(page: PageContext, scores: SetScores) -> Start:
    """Return the pictures of the commonest confusion; those of a small set, or none, where nothing is mixed up."""
    wrong = scores.confusion * (1 - np.eye(len(scores.classes), dtype=np.int64))
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    if not wrong[row, column]:
        return selected_pictures.spread_rows(len(page.pictures))
    a, b = scores.classes[row], scores.classes[column]
    rows = imageset.confusion_rows(page.truth, page.run.predictions, a.index, b.index)
    return Start(
        tuple(rows.tolist()),
        f"what it mixes up most: {count_pictures(len(rows))} of {a.name} that it calls {b.name}{page.after}",
    )
