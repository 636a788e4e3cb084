"""Importance and interactions of features over all rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.tables import page_context
from pages.ui.tables.page_context import PageContext
from pages.ui.widgets import background, show
from pages.ui.widgets.words import format_label
from xai_core import Job
from xai_core.formatting import percent
from xai_core.render import tables as figures
from xai_core.tabular import (
    SCORE_FUNCTIONS,
    Importance,
    ShapSummary,
    Table,
    interaction_strength,
    permutation_importance,
    shap_summary,
)

# Only the table's first features are tried in pairs; more take long.
MAX_FEATURES = 30
AUTOMATIC = ""


def request_importance(page: PageContext, score: str) -> Importance | None:
    """Return the importance by a score, "" for the one that suits the rows; None while it is computed."""
    return background.compute(
        ("importance", page.model.id, page.model.seed, score),
        lambda job: permutation_importance(page.model, score=score or None, seed=page.model.seed, job=job),
        "Shuffling one column after the other",
        cost=50.0,
    )


def request_shap_summary(page: PageContext) -> ShapSummary | None:
    return background.compute(
        ("shap", page.model.id, page.outcome),
        lambda job: shap_summary(page.model, outcome=page.outcome, job=job),
        "Sharing out the predictions of 200 rows",
        cost=50.0,
    )


def encode_cells(table: Table, data: Any) -> npt.NDArray[np.float64]:
    """Return cells as numbers to colour by, (n, F); categories in rising or natural order."""
    encoded = np.full((len(data), len(table.columns)), np.nan)
    for place, column in enumerate(table.columns):
        names = {name: k for k, name in enumerate(column.sort_labels(column.categories))}
        cells = data[column.name]
        encoded[:, place] = cells.map(names).astype(float) if column.kind == "category" else cells.to_numpy(dtype=float)
    return encoded


def _render_score_choice(table: Table) -> str:
    """Render the choice of the score that is lost; "" stands for the one that suits the rows."""
    titles = {AUTOMATIC: "Choose for me"} | {
        score.name: score.title for score in SCORE_FUNCTIONS.values() if score.task == table.task
    }
    key = url_state.restore(
        "score",
        AUTOMATIC,
        url_state.option_reader("score", titles),
        key=f"score_of_{table.sha256[:12]}",
        title=titles.__getitem__,
    )
    start = url_state.index_of(titles, key)
    return str(st.selectbox("How to measure “worse”", list(titles), start, titles.__getitem__, key=key))


def _render_importance(page: PageContext, score: str) -> None:
    importance = request_importance(page, score)
    if importance is None:
        return
    shares = "accuracy" in importance.metric
    show.draw_figure(
        figures.draw_error_bars(
            importance.features, importance.mean, importance.std, importance.loss_words, shares=shares
        ),
        "importance",
    )
    write = percent if shares else figures.number
    values = f"The model reaches {write(importance.score)}; guessing would reach {write(importance.guess)}."
    show.write(f"{importance.meaning} {values}")
    show.write(
        f"Each column was shuffled ten times in {len(importance.rows):,} held-out rows; the thin line is the spread.",
        quiet=True,
    )
    show.write_list(importance.notes)
    first = importance.features[importance.order[0]]
    st.button(
        f"See what “{format_label(first)}” does",
        key="first_feature",
        on_click=page_context.use_feature,
        args=(page.table, first, "one"),
        icon=":material/show_chart:",
    )


def render_importance(page: PageContext) -> None:
    """Render permutation importance beside the SHAP summary."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Without it, how much worse?** *(permutation importance)*")
        figure = st.container()
        score = _render_score_choice(page.table)
        with figure:
            _render_importance(page, score)
    with right:
        st.markdown("**Which way does it push?** *(SHAP summary)*")
        summary = request_shap_summary(page)
        if summary is not None:
            show.draw_figure(
                figures.draw_swarm(
                    summary.features, summary.values, encode_cells(page.table, summary.data), summary.outcome
                ),
                "shap",
            )
            show.write(
                "Each dot is a row. To the right, the feature raised the prediction; to the left, it lowered it. "
                "Bright dots are high values; words are in alphabetical order.",
                quiet=True,
            )
            show.write_list(summary.notes)


def render_interactions(page: PageContext) -> None:
    """Render the interaction strength (H-statistic) of each feature."""
    names = page.table.features[:MAX_FEATURES]

    def make(job: Job[list[float]]) -> list[float]:
        job.expect(len(names))
        values = []
        for name in names:
            values.append(interaction_strength(page.model, name, seed=page.model.seed, outcome=page.outcome))
            job.tick(1)
        return values

    strengths = background.compute(
        ("together", page.model.id, page.outcome), make, "Trying features together", cost=100.0
    )
    if strengths is None:
        return
    order = np.argsort(-np.array(strengths), kind="stable")
    title = "share of its effect that depends on others"
    show.draw_figure(
        figures.draw_bars([names[k] for k in order], np.array(strengths)[order], title, max_bars=MAX_FEATURES),
        "together",
    )
    show.write(
        "0: this feature does the same whatever the others are. Near 1: what it does depends on them, "
        "so its average curve alone misleads. (H-statistic of Friedman and Popescu, over 100 rows.)",
        quiet=True,
    )
    if len(page.table.features) > len(names):
        show.write(f"Only the first {len(names)} of {len(page.table.features)} features were tried.", quiet=True)
