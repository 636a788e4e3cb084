"""A look at fairness: scores and errors by group with their intervals, and what gives the group away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.tables import effects_view, importance_view, page_context
from pages.ui.tables.page_context import PageContext
from pages.ui.widgets import background, show
from pages.ui.widgets.words import escape_markdown
from xai_core.render import tables as figures
from xai_core.tabular.evaluation.fairness import Estimate, Group, Groups, Proxies, group_scores, proxies

MAX_PROXIES = 3


def _draw_intervals(
    found: Groups, title: str, technical: str, help_: str, key: str, of: Callable[[Group], Estimate | None]
) -> None:
    measured = [each for each in map(of, found.groups) if each is not None]
    if len(measured) < len(found.groups):
        return
    st.markdown(f"**{title}** *({technical})*")
    values, low, high = (np.array([getattr(each, end) for each in measured]) for end in ("value", "low", "high"))
    names = [f"{group.name} ({each.count:,})" for group, each in zip(found.groups, measured, strict=True)]
    show.draw_figure(
        figures.draw_intervals(names, values, low, high, title.lower(), shares=found.outcome is not None), key
    )
    st.caption(help_)


def render_groups(of: PageContext, column: str) -> None:
    """Counts, scores and error rates of each group, on held-out rows."""
    found = background.compute(
        ("groups", of.model.id, column, of.outcome),
        lambda _job: group_scores(of.model, of.table, column, outcome=of.outcome),
        "Comparing the groups",
    )
    if found is None:
        return
    show.write_strong(found.sentence)
    show.write_list(found.notes)
    left, right = st.columns(2, gap="large")
    if of.outcome is None:
        with left:
            _draw_intervals(
                found,
                "Mean prediction",
                "score",
                "What the model says on average.",
                "score",
                lambda group: group.mean_score,
            )
        with right:
            words = "Above 0 the model says too much on average, below 0 too little."
            _draw_intervals(found, "Mean error", "bias", words, "error", lambda group: group.error)
    else:
        label = escape_markdown(of.table.classes[of.outcome])
        with left:
            words = f"How often the model says “{label}”, of all rows of the group."
            _draw_intervals(
                found, "Says this outcome", "positive rate", words, "positive", lambda group: group.positive
            )
            words = f"Of those who truly are not “{label}”, how many it says it of."
            _draw_intervals(
                found, "Says it wrongly", "false positive rate", words, "fpr", lambda group: group.false_positive
            )
        with right:
            words = f"How often “{label}” is the truth. Groups may truly differ."
            _draw_intervals(found, "True share", "base rate", words, "actual", lambda group: group.actual)
            words = f"Of those who truly are “{label}”, how many it misses."
            _draw_intervals(found, "Misses it", "false negative rate", words, "fnr", lambda group: group.false_negative)
    st.caption(
        "In brackets: the rows behind a number. A line is the range in which the true value probably lies (95 % interval): "
        "where lines overlap, the difference may be chance."
    )


def _render_shap_table(of: PageContext, column: str, ranked: list[str]) -> None:
    """How much the column itself and its proxies move the predictions."""
    found = importance_view.request_shap_summary(of)
    if found is None:
        return
    wanted = [column, *ranked]
    sizes = dict(zip(found.features, np.abs(found.values).mean(axis=0).tolist(), strict=True))
    order = sorted(sizes, key=lambda name: -sizes[name])
    frame = pd.DataFrame(
        [(name, f"{sizes[name]:.3g}", f"{order.index(name) + 1} of {len(order)}") for name in wanted],
        columns=["Column", f"Moves the {'prediction' if of.outcome is None else 'score'} by (mean |SHAP|)", "Place"],
    )
    st.dataframe(frame, hide_index=True, alt="How much the column and its proxies move the predictions.")


def render_proxies(of: PageContext, column: str) -> None:
    """The other columns that tell which group a row belongs to, and what the model does with them."""
    found: Proxies | None = background.compute(
        ("proxies", of.table.sha256, column, of.model.seed),
        lambda _job: proxies(of.table, column, seed=of.model.seed),
        "Looking for columns that give the group away",
    )
    if found is None:
        return
    show.write(found.sentence)
    if not found.ranked:
        return
    left, right = st.columns(2, gap="large")
    names = [each.column for each in found.ranked]
    with left:
        strengths = np.array([each.association for each in found.ranked])
        show.draw_figure(figures.draw_bars(names, strengths, "0 guessing, 1 always right", max_bars=10), "proxies")
        _render_shap_table(of, column, names[:MAX_PROXIES])
    with right:
        feature = page_context.render_feature_choice("proxy", "What the model does with", of.table, names[0])
        effect = effects_view.request_dependence(of, feature)
        if effect is not None:
            show.draw_figure(
                figures.draw_effect(effects_view.build_curve(effect, of.table.column(feature)), feature, of.words),
                "proxy",
            )
