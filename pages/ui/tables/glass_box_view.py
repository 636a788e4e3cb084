"""Models that need no explanation, shown as they are: weights, a tree, curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from pages.ui.tables.page_context import PageContext
from pages.ui.widgets import background, show
from xai_core.render import tables as figures
from xai_core.tabular import Curve, Pair, Shapes, Table, Tree, Weights, glass_box

MAX_DRAWN_DEPTH, MAX_LISTED_DEPTH = 4, 6
MAX_CURVES, MAX_PAIRS = 6, 2


def _outcome_index(page: PageContext, outcomes: Sequence[str]) -> int:
    """Return the index of the outcome to show: the page's, else the only one."""
    outcome = page.table.target_name if page.outcome is None else page.table.classes[page.outcome]
    return outcomes.index(outcome) if outcome in outcomes else len(outcomes) - 1


def _format_unit(unit: str, outcome: str) -> str:
    return f"{unit} of {outcome}" if unit == "log-odds" else unit


def render_weights(page: PageContext, weights: Weights) -> None:
    """Render the weight of each column as a bar."""
    place = _outcome_index(page, weights.outcomes)
    st.markdown("**What every feature adds** *(weights)*")
    show.draw_figure(
        figures.draw_signed_bars(
            weights.names, weights.values[place], _format_unit(weights.unit, weights.outcomes[place]), max_bars=20
        ),
        "weights",
    )
    show.write(weights.note, quiet=True)
    with st.expander("In words"):
        show.write_list(weights.sentence(column, place) for column in weights.order(place))


def _build_boxes(page: PageContext, tree: Tree) -> list[figures.Box]:
    """Return the nodes of the first levels as boxes of the figure."""
    nodes = [node for node in tree.nodes if node.depth <= MAX_DRAWN_DEPTH]
    places = {node.index: place for place, node in enumerate(nodes)}
    values = np.array([node.values[0] if page.outcome is None else node.values[page.outcome] for node in nodes])
    shares = (values - values.min()) / (np.ptp(values) or 1.0) if page.outcome is None else values
    return [
        figures.Box(
            node.x,
            node.depth,
            node.question or node.answer,
            node.sentence,
            -1 if node.parent is None else places[node.parent],
            float(share),
        )
        for node, share in zip(nodes, shares, strict=True)
    ]


def _format_branch(tree: Tree, index: int, reply: str = "") -> str:
    """Return a node and its subtree as an item of a nested HTML list."""
    node = tree.nodes[index]
    start = f"<em>{show.escape_html(reply)}</em> → " if reply else ""
    if node.left is None or node.right is None:
        return f"<li>{start}<strong>{show.escape_html(node.answer)}</strong> <small>{node.rows:,} rows</small></li>"
    if node.depth >= MAX_LISTED_DEPTH:
        return f"<li>{start}{show.escape_html(node.question)} …</li>"
    below = _format_branch(tree, node.left, node.left_words) + _format_branch(tree, node.right, node.right_words)
    return f"<li>{start}{show.escape_html(node.question)}<ul>{below}</ul></li>"


def render_tree(page: PageContext, tree: Tree) -> None:
    """Render the tree as a figure and as a nested list."""
    st.markdown("**The questions it asks, from the top down** *(decision tree)*")
    show.draw_figure(figures.draw_tree(_build_boxes(page, tree), show.is_dark()), "tree")
    show.write(
        f"Left means yes and right means no; for “is it this word?” it is the other way round. Brighter boxes: more "
        f"of {page.words}.",
        quiet=True,
    )
    if tree.depth > MAX_DRAWN_DEPTH:
        show.write(f"The first {MAX_DRAWN_DEPTH} of {tree.depth} questions in a row are drawn.", quiet=True)
    st.markdown("**The same as text**")
    st.html(f'<ul class="said quiet">{_format_branch(tree, 0)}</ul>')


def _number_format(table: Table, feature: str) -> Callable[[float], str]:
    """Return the words for a feature's numbers: dates and years as such."""
    column = table.column(feature)
    return column.show if column.kind == "date" or column.holds_years else figures.number


def _draw_curve(table: Table, curve: Curve, place: int, unit: str, key: str) -> None:
    values, errors = curve.values[:, place], curve.errors[:, place]
    low, high = values - 2 * errors, values + 2 * errors
    if curve.axis.names:
        show.draw_figure(
            figures.draw_category_steps(curve.axis.feature, curve.axis.names, values, low, high, unit), key
        )
    else:
        form = _number_format(table, curve.axis.feature)
        show.draw_figure(figures.draw_steps(curve.axis.feature, curve.axis.edges, values, low, high, unit, form), key)


def _name_bins(table: Table, pair: Pair) -> tuple[list[str], list[str]]:
    axes = (pair.first, pair.second)
    first, second = (
        list(a.names)
        or [_number_format(table, a.feature)((x + y) / 2) for x, y in zip(a.edges[:-1], a.edges[1:], strict=True)]
        for a in axes
    )
    return first, second


def render_shapes(page: PageContext, shapes: Shapes) -> None:
    """Render the shape functions, the most important first, then those of pairs."""
    place = _outcome_index(page, shapes.outcomes)
    unit = _format_unit(shapes.unit, shapes.outcomes[place])
    st.markdown("**The curves it adds up** *(explainable boosting machine)*")
    show.write(
        f"For every row it starts at {figures.number(float(shapes.intercept[place]))} and adds one number from "
        f"every curve.",
        quiet=True,
    )
    curves = sorted(shapes.curves, key=lambda curve: -curve.importance)
    many = st.toggle(f"Show all {len(curves)} curves", key="all_curves") if len(curves) > MAX_CURVES else True
    columns = st.columns(2, gap="large")
    for number, curve in enumerate(curves if many else curves[:MAX_CURVES]):
        with columns[number % 2]:
            _draw_curve(page.table, curve, place, unit, f"curve_{number}")
    pairs = sorted(shapes.pairs, key=lambda pair: -pair.importance)[:MAX_PAIRS]
    for number, (pair, column) in enumerate(zip(pairs, st.columns(2, gap="large"), strict=False)):
        with column:
            st.markdown("**What pairs add**")
            names = (pair.first.feature, pair.second.feature)
            show.draw_figure(
                figures.draw_pair_heatmap(names, *_name_bins(page.table, pair), pair.values[:, :, place], unit),
                f"pair_{number}",
            )


def render(page: PageContext) -> None:
    """Render a glass-box model as it is."""
    glass = background.compute(("glass", page.model.id), lambda _job: glass_box(page.model), "Reading the model")
    if isinstance(glass, Weights):
        render_weights(page, glass)
    elif isinstance(glass, Tree):
        render_tree(page, glass)
    elif glass is not None:
        render_shapes(page, glass)
