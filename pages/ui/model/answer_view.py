"""The sum behind the answer: contributions of the last layer's channels, bars that sum to the score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.image.picture import PageContext
from pages.ui.model import navigation, reading
from pages.ui.widgets import background, picture_grid, show
from xai_core import Job, inside
from xai_core.arrays import Float64
from xai_core.formatting import number
from xai_core.inside import HeadContributions
from xai_core.render import overlay, scale_of, tables

MAX_BARS, MAX_TILES, TILE_PX = 12, 8, 100
UNIT = "logits"


def draw_sum(
    names: Sequence[str],
    values: Float64,
    bias: float,
    key: str,
    take: Callable[[int], None] | None = None,
    max_bars: int = MAX_BARS,
) -> None:
    """Draw steps from the bias to the score; `take` gets the position in `values` of the step that is clicked."""
    drawing = tables.draw_waterfall(
        names,
        values,
        bias,
        UNIT,
        max_bars,
        ends=("Start (bias)", "Score (logit)"),
        end_words=("the start that every picture has", "the score"),
    )
    strongest = np.argsort(-np.abs(values), kind="stable")[:max_bars]

    def take_bar(bar: int) -> None:
        if take is not None and 1 <= bar <= len(strongest):
            take(int(strongest[bar - 1]))

    show.draw_figure(drawing, key, take_bar if take is not None else None)


def _request(page: PageContext) -> HeadContributions | None:
    return background.compute(
        ("head", *reading.picture_key(page.model, page.image), page.target),
        lambda job: inside.head_contributions(page.model, page.image, page.target, job),
        "Taking the score apart",
        again=False,
    )


def _draw_maps(page: PageContext, layer: str, channels: Sequence[int], job: Job[Any]) -> list[tuple[int, str, bool]]:
    maps = inside.activations(page.model, page.image, layer, job).values
    scale = scale_of(maps[list(channels)])
    return [
        (
            channel,
            *picture_grid.encode_picture(
                overlay(page.model_input, maps[channel], scale=scale), picture_grid.PIXEL_RATIO * TILE_PX
            ),
        )
        for channel in channels
    ]


def _render_tiles(page: PageContext, result: HeadContributions, layer: str, sign: int) -> None:
    """Render where the channels with the largest contributions of one sign responded."""
    order = np.argsort(-sign * result.values, kind="stable")[:MAX_TILES]
    channels = [int(channel) for channel in order if sign * result.values[channel] > 0]
    if not channels:
        return
    drawn = background.compute(
        ("head maps", *reading.picture_key(page.model, page.image), layer, tuple(channels)),
        partial(_draw_maps, page, layer, channels),
        "Drawing where they responded",
    )
    if drawn is None:
        return
    items = [
        picture_grid.Item(
            channel,
            source,
            f"Channel {channel} added {tables.signed_number(float(result.values[channel]))} {UNIT}",
            f"{channel} · {tables.signed_number(float(result.values[channel]))}",
            tiny,
        )
        for channel, source, tiny in drawn
    ]
    title = "Added most" if sign > 0 else "Took away most"
    st.markdown(f"**{title}, and where in the picture**")
    picture_grid.render_items(
        items, f"head_tiles_{sign}", title, lambda channel: navigation.open_unit(f"channel:{layer}:{channel}"), TILE_PX
    )


def render(page: PageContext) -> None:
    """Render the sum for the class or pair asked about."""
    result = _request(page)
    if result is None:
        return
    layer, count = result.layer, len(result.values)
    pair = isinstance(result.target, tuple)
    score = "the difference of the two scores" if pair else "the score"
    what = "channel" if layer else "feature"
    show.write(
        f"The last step of {page.model.title} is a plain sum: each of {count:,} {what}s is multiplied by one learnt "
        f"weight and added up. So nothing here is estimated: the bars add up to {score}, {number(result.logit)}."
        + (" A bar to the right speaks for the first class, one to the left for the second." if pair else "")
    )
    names = [f"{what} {number}" for number in range(count)]
    take = None if layer is None else lambda channel: navigation.open_unit(f"channel:{layer}:{channel}")
    draw_sum(names, result.values, result.bias, "head_sum", take)
    positive, negative = result.values[result.values > 0].sum(), result.values[result.values < 0].sum()
    show.write(
        f"All that was added: {tables.signed_number(float(positive))}. All that was taken away: "
        f"{tables.signed_number(float(negative))}. Start: {tables.signed_number(result.bias)}. Together "
        f"{number(result.logit)}, exact to {number(max(result.error, 1e-6))}.",
        quiet=True,
    )
    if layer is None:
        show.write(
            "These features are not maps of a layer, so they have no place in the picture and no page of their own.",
            quiet=True,
        )
        return
    show.write("Click a bar or a picture to see which pictures excite that channel.", quiet=True)
    _render_tiles(page, result, layer, 1)
    _render_tiles(page, result, layer, -1)
