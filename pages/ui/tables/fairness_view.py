"""Fairness: scores and errors by group with their intervals, and proxies of the group."""

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
from xai_core.tabular import Estimate, Group, Groups, Proxies, group_scores, proxies

MAX_PROXIES = 3


def _draw_intervals(
    groups: Groups, title: str, technical: str, help_: str, key: str, measure: Callable[[Group], Estimate | None]
) -> None:
    rates = [rate for rate in map(measure, groups.groups) if rate is not None]
    if len(rates) < len(groups.groups):
        return
    st.markdown(f"**{title}** *({technical})*")
    values, low, high = (np.array([getattr(rate, end) for rate in rates]) for end in ("value", "low", "high"))
    names = [f"{group.name} ({rate.count:,})" for group, rate in zip(groups.groups, rates, strict=True)]
    show.draw_figure(
        figures.draw_intervals(names, values, low, high, title.lower(), shares=groups.outcome is not None), key
    )
    st.caption(help_)


def render_groups(page: PageContext, column: str) -> None:
    """Render counts, scores and error rates of each group, on held-out rows."""
    groups = background.compute(
        ("groups", page.model.id, column, page.outcome),
        lambda _job: group_scores(page.model, page.table, column, outcome=page.outcome),
        "Comparing the groups",
    )
    if groups is None:
        return
    show.write_strong(groups.sentence)
    show.write_list(groups.notes)
    left, right = st.columns(2, gap="large")
    if page.outcome is None:
        with left:
            _draw_intervals(
                groups,
                "Mean prediction",
                "score",
                "What the model says on average.",
                "score",
                lambda group: group.mean_score,
            )
        with right:
            words = "Above 0 the model says too much on average, below 0 too little."
            _draw_intervals(groups, "Mean error", "bias", words, "error", lambda group: group.error)
    else:
        label = escape_markdown(page.table.classes[page.outcome])
        with left:
            words = f"How often the model says “{label}”, of all rows of the group."
            _draw_intervals(
                groups, "Says this outcome", "positive rate", words, "positive", lambda group: group.positive
            )
            words = f"Of those who truly are not “{label}”, how many it says it of."
            _draw_intervals(
                groups, "Says it wrongly", "false positive rate", words, "fpr", lambda group: group.false_positive
            )
        with right:
            words = f"How often “{label}” is the truth. Groups may truly differ."
            _draw_intervals(groups, "True share", "base rate", words, "actual", lambda group: group.actual)
            words = f"Of those who truly are “{label}”, how many it misses."
            _draw_intervals(
                groups, "Misses it", "false negative rate", words, "fnr", lambda group: group.false_negative
            )
    st.caption(
        "In brackets: the rows behind a number. A line is the range in which the true value probably lies (95 "
        "% interval): "
        "where lines overlap, the difference may be chance."
    )


def _render_shap_table(page: PageContext, column: str, ranked: list[str]) -> None:
    """Render how much the column and its proxies move the predictions."""
    summary = importance_view.request_shap_summary(page)
    if summary is None:
        return
    columns = [column, *ranked]
    sizes = dict(zip(summary.features, np.abs(summary.values).mean(axis=0).tolist(), strict=True))
    order = sorted(sizes, key=lambda name: -sizes[name])
    frame = pd.DataFrame(
        [(name, figures.number(sizes[name]), f"{order.index(name) + 1} of {len(order)}") for name in columns],
        columns=["Column", f"Moves the {'prediction' if page.outcome is None else 'score'} by (mean |SHAP|)", "Place"],
    )
    st.dataframe(frame, hide_index=True, alt="How much the column and its proxies move the predictions.")


def render_proxies(page: PageContext, column: str) -> None:
    """Render the columns that predict the group, and the model's use of them."""
    result: Proxies | None = background.compute(
        ("proxies", page.table.sha256, column, page.model.seed),
        lambda _job: proxies(page.table, column, seed=page.model.seed),
        "Looking for columns that give the group away",
    )
    if result is None:
        return
    show.write(result.sentence)
    if not result.ranked:
        return
    left, right = st.columns(2, gap="large")
    names = [proxy.column for proxy in result.ranked]
    with left:
        strengths = np.array([proxy.association for proxy in result.ranked])
        show.draw_figure(
            figures.draw_bars(names, strengths, "0 % guessing, 100 % always right", max_bars=10, shares=True), "proxies"
        )
        _render_shap_table(page, column, names[:MAX_PROXIES])
    with right:
        feature = page_context.render_feature_choice("proxy", "What the model does with", page.table, names[0])
        effect = effects_view.request_dependence(page, feature)
        if effect is not None:
            show.draw_figure(
                figures.draw_effect(
                    effects_view.build_curve(page, effect, page.table.column(feature)), feature, page.words
                ),
                "proxy",
            )
