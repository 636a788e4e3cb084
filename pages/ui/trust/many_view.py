"""Methods compared over the pictures of a set, with intervals."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

import xai_core
from pages.ui.frame.session import session_id
from pages.ui.image.picture import PageContext
from pages.ui.imageset import set_choice
from pages.ui.imageset.page_context import render_set_link
from pages.ui.trust import methods_view
from pages.ui.widgets import background, forms, show
from xai_core import trust
from xai_core.render import tables

_HELP = "It runs in the background and can be stopped. A result stays for everybody who asks for the same."
_HOW = (
    "Each method explains the model's first guess on every picture. Dots are means. The lines are 95 % intervals: so "
    "far the mean moves when the pictures are drawn again by chance. Pictures that are much alike, such as crops of "
    "one photograph, make the lines shorter than they should be."
)


def render(page: PageContext) -> None:
    """Render the comparison over the picture set in use."""
    st.subheader("Methods compared on many pictures")
    set_choice.restore()
    dataset = set_choice.current_set()
    if dataset is None:
        return
    methods = methods_view.render_choice(page.model)
    render_set_link(dataset)
    try:
        trust.check_count(dataset)
        passes = trust.count_comparison(page.model, methods, len(dataset))
    except xai_core.XaiError as problem:
        show.write_problem(problem)
        return
    count = min(len(dataset), trust.MAX_PICTURES)
    if not forms.render_toggle("many", f"Compare on {count} pictures; the model is asked {passes:,} times", _HELP):
        return
    result = background.follow(
        ("metrics of a set", dataset.id, page.model.name, page.model.weights_sha256, *methods),
        partial(trust.start_comparison, page.model, dataset, methods, session_id()),
        "Making and testing maps of every picture",
    )
    if result is not None:
        _render_result(result)


def _render_result(result: trust.PictureComparison) -> None:
    specs = {name: trust.METRICS.get(name) for name in result.metrics if result.count(name)}
    if not specs:
        show.write_problem("No picture of this set could be measured by every method. Choose other methods.")
        return
    metric = forms.render_segments("many_metric", "Show", {name: spec.title for name, spec in specs.items()}, "gain")
    spec = specs.get(metric) or next(iter(specs.values()))
    show.write_strong(trust.describe_comparison(result, spec.name))
    means, ends = result.summarize(spec.name)
    if means.size and means[0] == means[0]:
        order = sorted(range(len(means)), key=lambda place: -means[place])
        names = [xai_core.METHODS.get(result.methods[place]).technical for place in order]
        low, high = ends[order].T
        title = methods_view.title_metric(spec)
        drawing = tables.draw_intervals(names, means[order], low, high, title, shares=spec.form != "number")
        show.draw_figure(drawing, "many_intervals")
    show.write(f"{spec.question} {methods_view.ENDS[spec.direction]}")
    show.write(_HOW, quiet=True)
    show.write(trust.describe_anchors(result), quiet=True)
    _draw_means(result)


def _draw_means(result: trust.PictureComparison) -> None:
    """Draw the means of all metrics that enough pictures have a value of."""
    rows: dict[str, list[object]] = {"Method": [xai_core.METHODS.get(name).technical for name in result.methods]}
    columns = {}
    for name in result.metrics:
        spec, (means, _) = trust.METRICS.get(name), result.summarize(name)
        title = methods_view.title_metric(spec)
        rows[title] = means.tolist()
        columns[title] = methods_view.format_column(spec)
    st.dataframe(
        pd.DataFrame(rows).dropna(axis="columns", how="all"),
        hide_index=True,
        alt="Methods by metric, means over the pictures; click the head of a column to sort.",
        column_config=columns,
    )
