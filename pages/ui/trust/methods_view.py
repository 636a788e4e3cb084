"""Methods side by side by every metric, for this picture."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

import xai_core
from pages.ui.frame import link_readers, url_state
from pages.ui.frame.session import session_id
from pages.ui.image.picture import PageContext
from pages.ui.widgets import background, show
from xai_core import trust
from xai_core.formatting import join_words, percent

ENDS = {"more": "More is better.", "less": "Less is better.", "none": "Neither end is better."}
_ARROWS = {"more": " ↑", "less": " ↓", "none": ""}


def title_metric(metric: trust.MetricSpec) -> str:
    """Return the head of a metric's column: its title, and which end is better."""
    return metric.title + _ARROWS[metric.direction]


def format_column(metric: trust.MetricSpec) -> Any:
    """Return how a column of numbers is drawn."""
    return st.column_config.NumberColumn(
        help=f"{metric.question} {ENDS[metric.direction]}", format="%.2f" if metric.form == "number" else "percent"
    )


def render_choice(model: xai_core.Classifier) -> list[str]:
    """Render the choice of methods to compare, kept in the link; return the usual ones where nothing is chosen."""
    specs = {spec.name: spec for spec in xai_core.METHODS.specs() if spec.refusal(model) is None}
    usual = [name for name, spec in specs.items() if spec.usual]

    nothing: list[str] = []
    key = url_state.restore(
        "metric_methods",
        nothing,
        link_readers.names_reader("method", specs),
        ",".join,
        title=lambda names: ", ".join(specs[name].full_title for name in names or usual),
    )
    # Another model may refuse what was chosen.
    url_state.set_value(key, [name for name in st.session_state[key] if name in specs])
    chosen = st.multiselect(
        "Methods",
        list(specs),
        url_state.value_of(key),
        format_func=lambda name: specs[name].full_title,
        key=key,
        placeholder=f"Chosen for you: {', '.join(specs[name].technical for name in usual)}",
    )
    return [name for name in specs if name in (chosen or usual)]


def render_table(page: PageContext) -> None:
    """Render the table of metrics over methods for this picture."""
    st.subheader("Methods compared on this picture")
    names = render_choice(page.model)
    plans = [xai_core.plan(page.model, page.image, name, page.target) for name in names]
    result = background.follow(
        ("metrics", *[planned.id for planned in plans]),
        partial(trust.start_measuring, plans, session_id()),
        "Making and testing a map by each method",
    )
    if result is None:
        return
    _draw_values(result)
    show.write(
        "↑ more is better, ↓ less is better, no arrow: neither is better. Click the head of a column to sort.",
        quiet=True,
    )
    _render_anchors(page, result)
    show.write(
        "Such numbers often contradict each other, and one picture proves little about a method: look for a method "
        "that does well in several columns and on several pictures. Gain is the most reliable one."
    )
    _render_reasons(result)
    with st.expander("What do the columns mean?", icon=":material/help:"):
        for metric in trust.METRICS.specs():
            show.write(f"{metric.title} ({metric.technical}): {metric.question} {ENDS[metric.direction]}")
            show.write(f"Extra work for a map: {metric.cost}. Source: {metric.source}.", quiet=True)


def _draw_values(result: trust.MetricTable) -> None:
    rows: list[dict[str, object]] = []
    for name, values in result.values.items():
        cells = {
            title_metric(metric): _format_cell(metric, values.get(metric.name)) for metric in trust.METRICS.specs()
        }
        rows.append({"Method": xai_core.METHODS.get(name).technical} | cells)
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")
    columns: dict[str, Any] = {"Method": st.column_config.TextColumn(pinned=True)}
    for metric in trust.METRICS.specs():
        if metric.form != "yes or no":
            columns[title_metric(metric)] = format_column(metric)
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        alt="Methods by metric; click the head of a column to sort.",
        column_config=columns,
    )


def _format_cell(metric: trust.MetricSpec, value: float | None) -> object:
    if metric.form == "yes or no" and value is not None:
        return "yes" if value else "no"
    return value


def _render_anchors(page: PageContext, result: trust.MetricTable) -> None:
    """Render what a map without any merit would get beside the known object."""
    mask = trust.find_object_mask(page.model, page.image)
    if mask is None:
        return
    middle = "hits it too, so a hit says little here" if trust.center_hits(mask) else "misses it"
    show.write(
        f"The marked object covers {percent(float(mask.mean()))} of the picture, so evidence spread evenly would have "
        f"{percent(float(mask.mean()))} on it. Pointing at the middle of the picture {middle}.",
        quiet=True,
    )


def _render_reasons(result: trust.MetricTable) -> None:
    """Render why cells are empty, each reason once with the methods that it holds for."""
    reasons: dict[str, list[str]] = {}
    for method, entries in result.reasons.items():
        for metric, reason in entries.items():
            words = f"{trust.METRICS.get(metric).title}: {reason}"
            reasons.setdefault(words, []).append(xai_core.METHODS.get(method).technical)
    if not reasons:
        return
    with st.expander("Why are some cells empty?"):
        for words, names in reasons.items():
            show.write(words if len(names) == len(result.values) else f"{join_words(names)}. {words}", quiet=True)
