"""What counts most over all rows, and which features work together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from pages.ui.tables.page_context import PageContext
from pages.ui.widgets import background, show
from xai_core import Job
from xai_core.render import tables as figures
from xai_core.tabular import Table
from xai_core.tabular.inspection.h_statistic import interaction_strength
from xai_core.tabular.inspection.permutation_importance import Importance, permutation_importance
from xai_core.tabular.inspection.shap_summary import ShapSummary, shap_summary

MAX_FEATURES = 30
"""More take long to be tried in pairs with all others; the table's first ones are."""


def request_importance(of: PageContext) -> Importance | None:
    return background.compute(
        ("importance", of.model.id, of.model.seed),
        lambda job: permutation_importance(of.model, seed=of.model.seed, job=job),
        "Shuffling one column after the other",
        cost=50.0,
    )


def request_shap_summary(of: PageContext) -> ShapSummary | None:
    return background.compute(
        ("shap", of.model.id, of.outcome),
        lambda job: shap_summary(of.model, outcome=of.outcome, job=job),
        "Sharing out the predictions of 200 rows",
        cost=50.0,
    )


def encode_cells(table: Table, data: Any) -> npt.NDArray[np.float64]:
    """Cells as numbers to colour by, (n, F): categories by the place of their name in the alphabet."""
    found = np.full((len(data), len(table.columns)), np.nan)
    for place, column in enumerate(table.columns):
        names = {name: k for k, name in enumerate(sorted(column.categories))}
        cells = data[column.name]
        found[:, place] = cells.map(names).astype(float) if column.kind == "category" else cells.to_numpy(dtype=float)
    return found


def render_importance(of: PageContext) -> None:
    """Permutation importance beside the SHAP summary."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Without it, how much worse?** *(permutation importance)*")
        found = request_importance(of)
        if found is not None:
            unit = f"loss of {found.metric}"
            show.draw_figure(figures.draw_error_bars(found.features, found.mean, found.std, unit), "importance")
            show.write(
                f"Each column was shuffled ten times in {len(found.rows):,} held-out rows; the thin line is the spread.",
                quiet=True,
            )
            show.write_list(found.notes)
    with right:
        st.markdown("**Which way does it push?** *(SHAP summary)*")
        shares = request_shap_summary(of)
        if shares is not None:
            show.draw_figure(
                figures.draw_swarm(shares.features, shares.values, encode_cells(of.table, shares.data), shares.outcome),
                "shap",
            )
            show.write(
                "A dot is a row. Right: it raised the prediction; left: it lowered it. Bright: a high value; words go by the alphabet.",
                quiet=True,
            )
            show.write_list(shares.notes)


def render_interactions(of: PageContext) -> None:
    """How much each feature's effect depends on the others."""
    names = of.table.features[:MAX_FEATURES]

    def make(job: Job[list[float]]) -> list[float]:
        job.expect(len(names))
        found = []
        for name in names:
            found.append(interaction_strength(of.model, name, seed=of.model.seed, outcome=of.outcome))
            job.tick(1)
        return found

    strengths = background.compute(("together", of.model.id, of.outcome), make, "Trying features together", cost=100.0)
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
    if len(of.table.features) > len(names):
        show.write(f"Tried were the first {len(names)} of {len(of.table.features)} features.", quiet=True)
