"""A layer's feature maps for the picture in use, one channel over the picture, the test by hiding, first filters."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

import xai_core
from pages.ui.image.picture import PageContext
from pages.ui.imageset import clickable_tables
from pages.ui.model import navigation, reading
from pages.ui.widgets import background, forms, picture_grid, show
from xai_core import Job, inside
from xai_core.formatting import number, percent
from xai_core.inside import Activations, ChannelEffects, Filters
from xai_core.render import draw_feature_map, draw_filter, overlay, scale_of, tables as figures

MAPS_A_PAGE, MAP_PX, PICTURE_PX = 48, 76, 440
TESTED = 10
ORDERS = {"strength": "Strongest first", "effect": "Most effect first", "number": "By number"}
_BINS = 24


def _request(page: PageContext, layer: str) -> tuple[Activations | None, ChannelEffects | None]:
    """Return the feature maps and the effects on the class asked about; None while they are computed."""
    return (
        reading.request_activations(page.model, page.image, layer),
        reading.request_effects(page.model, page.image, layer, page.target),
    )


def _order_channels(order: str, maps: Activations, effects: ChannelEffects) -> list[int]:
    numbers = np.arange(len(maps.values), dtype=np.float32)
    keys = {"strength": -maps.strength, "effect": -effects.values, "number": numbers}
    return [int(channel) for channel in np.argsort(keys[order], kind="stable")]


def _render_page_choice(count: int) -> int:
    """Render the choice of a page of maps where there are several; return its first place."""
    starts = list(range(0, count, MAPS_A_PAGE))
    if len(starts) == 1:
        return 0
    start: int = st.selectbox(
        "Which of them",
        starts,
        format_func=lambda start: f"{start + 1} to {min(start + MAPS_A_PAGE, count)} of {count:,}",
        key="maps_from",
    )
    return start


def render_maps(page: PageContext, layer: str) -> int | None:
    """Render the grid of feature maps; return the channel that is looked at, None while there is nothing."""
    maps, effects = _request(page, layer)
    if maps is None or effects is None:
        return None
    order = forms.render_segments("maps_order", "Sorted", ORDERS, "strength")
    left, right = st.columns(2, vertical_alignment="bottom")
    with right:
        start = _render_page_choice(len(maps.values))
    with left:
        own_scale = forms.render_toggle(
            "maps_own_scale",
            "Each map in its own colours",
            "Off: all maps share one scale, so that weak maps look pale. On: each map uses the full colours.",
        )
    shared = None if own_scale else scale_of(maps.values)
    channels = _order_channels(order, maps, effects)
    shown = channels[start : start + MAPS_A_PAGE]
    current = _current_channel(page.model, layer, channels[0])
    items = []
    for channel in shown:
        strength, effect = number(float(maps.strength[channel])), number(float(effects.values[channel]))
        source, _ = picture_grid.encode_picture(draw_feature_map(maps.values[channel], shared), 2 * MAP_PX)
        words = f"Channel {channel}: at most {strength}, effect on the class {effect}"
        caption = f"{channel} · {effect if order == 'effect' else strength}"
        items.append(picture_grid.Item(channel, source, words, caption, is_tiny=True))
    picture_grid.render_items(
        items,
        "feature_maps",
        f"Feature maps of {layer}",
        lambda channel: navigation.use_unit(f"channel:{layer}:{channel}"),
        MAP_PX,
        current,
    )
    what = "its estimated effect on the class, in logits" if order == "effect" else "its largest value"
    show.write(
        f"Each square is one channel's map of your picture, with its number and {what}. Orange is above zero, blue "
        f"below. {'Each map has its own scale.' if own_scale else 'All maps share one scale.'} Click a map.",
        quiet=True,
    )
    return current


def _current_channel(model: xai_core.Classifier, layer: str, default: int) -> int:
    """Return the open unit's channel if it is one of this layer, else the default."""
    try:
        unit = inside.parse_unit(model, st.session_state[navigation.restore_unit()])
    except xai_core.XaiError:
        return default
    return unit.index if unit.layer == layer and unit.index is not None else default


def render_channel(page: PageContext, layer: str, channel: int) -> None:
    """Render one channel's map over the picture, the histogram of its values, and the way to its page."""
    maps, effects = _request(page, layer)
    if maps is None or effects is None:
        return
    values = maps.values[channel]
    st.subheader(f"Channel {channel}")
    st.image(
        overlay(page.model_input, values),
        alt=f"Channel {channel} of {layer} over the picture, strongest where it is orange",
        width=PICTURE_PX,
    )
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    show.write(
        f"Largest value {number(float(values.max()))}, in row {row + 1} of {values.shape[0]} and column {column + 1} "
        f"of {values.shape[1]}. Above zero at {percent(float((values > 0).mean()))} of its places."
    )
    show.write(
        f"Estimated effect on the class: {figures.signed_number(float(effects.values[channel]))} logits "
        "(gradient times activation).",
        quiet=True,
    )
    st.button(
        "Open this unit",
        on_click=navigation.open_unit,
        args=(f"channel:{layer}:{channel}",),
        type="primary",
        icon=":material/center_focus_strong:",
        help="Which pictures excite this channel most?",
    )
    counts, edges = np.histogram(values, bins=_BINS)
    show.draw_figure(
        figures.draw_histogram(f"Activation of channel {channel}", edges, counts, "places"), "channel_histogram"
    )


def _test_top(page: PageContext, effects: ChannelEffects, job: Job[Any]) -> inside.HidingTest:
    top = np.argsort(-effects.values, kind="stable")[:TESTED]
    return inside.hide_channels(page.model, page.image, effects, top.tolist(), job)


def render_hiding_test(page: PageContext, layer: str) -> None:
    """Render, on request, the ten channels with most effect: as estimated, and measured by hiding each."""
    if not forms.render_toggle(
        "hide_test",
        "Test the ten with most effect by hiding them",
        "The estimate assumes that a small change tells about a large one. Setting a channel to zero measures it.",
    ):
        return
    _, effects = _request(page, layer)
    if effects is None:
        return
    result = background.compute(
        ("hiding", *reading.picture_key(page.model, page.image), layer, page.target),
        partial(_test_top, page, effects),
        "Hiding ten channels, one at a time",
        cost=TESTED + 1,
    )
    if result is None:
        return
    order = np.argsort(-result.measured, kind="stable")
    frame = pd.DataFrame(
        {
            "Channel": result.channels[order],
            "Estimated": result.estimated[order],
            "Measured by hiding": result.measured[order],
        }
    )
    clickable_tables.draw_table(
        frame,
        "hiding_table",
        lambda place, _column: navigation.use_unit(f"channel:{layer}:{int(frame['Channel'][place])}"),
        "Channels with their estimated and measured effect on the logit",
        columns={name: st.column_config.NumberColumn(name, format="%.3g") for name in frame.columns[1:]},
    )
    alike = round(result.agreement * len(result.channels))
    show.write(
        f"Hiding {alike} of the {len(result.channels)} moves the score of the class in the direction that was "
        "estimated. The measured value is how far the logit falls when the channel is set to zero everywhere."
    )


def render_filters(model: xai_core.Classifier) -> None:
    """Render the filters of the first convolution and the answer to whether they look like edges."""
    filters = background.compute(
        ("filters", model.name, model.weights_sha256),
        lambda _job: inside.first_filters(model),
        "Reading the first filters",
        write_failure=lambda problem: show.write(problem, quiet=True),
    )
    if filters is None:
        return
    size = " × ".join(map(str, filters.values.shape[2:]))
    words = {True: "edge or stripe", False: "other"}
    items = []
    for place, values in enumerate(filters.values):
        source, tiny = picture_grid.encode_picture(draw_filter(values), MAP_PX)
        kind = f"{words[bool(filters.edges[place])]}{', in colour' if filters.colours[place] else ''}"
        items.append(picture_grid.Item(place, source, f"Filter {place}: {kind}", str(place), tiny))
    picture_grid.render_items(
        items,
        "first_filters",
        f"Filters of {filters.layer}",
        lambda place: navigation.open_unit(f"channel:{filters.layer}:{place}"),
        MAP_PX,
    )
    show.write(
        f"The {len(items)} filters of the first layer ({filters.layer}), each {size} pixels: what it looks for in "
        "every small patch of the picture. Grey is zero. Click one to see which pictures excite it.",
        quiet=True,
    )
    with st.expander("Do filters of early layers look like edges?", icon=":material/help:"):
        show.write(_describe_filters(filters))


def _describe_filters(filters: Filters) -> str:
    count, edges, colours = len(filters.values), int(filters.edges.sum()), int(filters.colours.sum())
    chance = percent(filters.random_edges)
    colour = f" {colours} compare colours rather than light and dark." if filters.values.shape[1] > 1 else ""
    verdict = (
        f"Here {edges} of {count} change along one direction only, as an edge or a stripe does.{colour} Of filters "
        f"filled with random numbers, {chance} pass the same test"
    )
    if filters.random_edges > 0.1:
        return f"{verdict}, so filters of this size are too small for the test to prove much."
    more = edges / count > filters.random_edges + 0.05
    return f"{verdict}, so {'learning made them so' if more else 'this says little'}. The rest are blobs and mixtures."


def describe_stage(model: xai_core.Classifier, layer: str) -> str:
    """Return where in the network a layer is: "early, near the picture"."""
    places = {"early": "near the picture", "middle": "half way to the answer", "late": "near the answer"}
    stage = model.stage(model.layer(layer))
    return f"{stage}, {places[stage]}"


def render_layer_note(model: xai_core.Classifier, layer: str) -> None:
    """Write what the layer is."""
    record = model.layer(layer)
    rows, columns = record.grid
    token = (
        " It works on patches of the picture (tokens); their numbers are laid out here as maps."
        if record.layout == "tokens"
        else ""
    )
    show.write(
        f"{record.channels:,} channels (feature maps) of {rows} × {columns} places, {describe_stage(model, layer)}. "
        f"Each channel looks for one thing at every place of the picture.{token}",
        quiet=True,
    )
