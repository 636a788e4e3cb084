"""Facts about a channel: channels that say the same, what it adds to classes, how clear its pictures are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

import xai_core
from pages.ui.imageset import page_context
from pages.ui.imageset.page_context import PageContext
from pages.ui.model import navigation
from pages.ui.widgets import background, forms, picture_grid, show
from xai_core import InvalidImage, Job, imageset, inside
from xai_core.arrays import Int64
from xai_core.formatting import score
from xai_core.inside import Clarity, Unit
from xai_core.render import tables

TOP, CLASSES, CROP_PX = 12, 5, 100
# Shares of the picture's side: a smaller region is not to be recognized.
MIN_CROP = 0.3
_Crops = list[tuple[int, Image.Image]]


@dataclass(frozen=True, eq=False)
class _Judged:
    """Likeness of a channel's crops, and for each its row in the set and a data URL."""

    clarity: Clarity
    rows: tuple[int, ...]
    sources: tuple[tuple[str, bool], ...]


def render(page: PageContext, unit: Unit) -> None:
    """Render the facts about a channel; nothing for other units."""
    if unit.kind != "channel" or unit.index is None:
        return
    st.subheader("What it does in the model")
    _render_neighbours(page, unit.index)
    _render_effects(page, unit.index)
    st.subheader("How clear it is")
    _render_clarity(page, unit.index)


def _render_neighbours(page: PageContext, channel: int) -> None:
    neighbours = background.compute(
        ("neighbours", page.run.id, channel),
        lambda _job: inside.find_neighbours(page.run.mean[page.run.valid], channel),
        "Looking for channels that say the same",
        again=False,
        write_failure=show.write_problem,
    )
    if neighbours is None:
        return
    same = neighbours.redundant
    if same:
        more = "1 other channel" if len(same) == 1 else f"{len(same)} other channels"
        verb = "rises and falls" if len(same) == 1 else "rise and fall"
        show.write(
            f"It is redundant: {more} of this layer {verb} with it over this picture set (cosine above "
            f"{inside.REDUNDANT}). The most alike:"
        )
    else:
        show.write("No other channel of this layer says the same. The most alike in this picture set:")
    with st.container(horizontal=True):
        for neighbour, cosine in zip(neighbours.channels.tolist(), neighbours.cosines.tolist(), strict=True):
            st.button(
                f"Channel {neighbour} · {score(cosine)}",
                key=f"neighbour_{neighbour}",
                on_click=navigation.use_unit,
                args=(f"channel:{page.layer}:{neighbour}",),
            )


def _top_rows(page: PageContext, channel: int) -> list[int]:
    rows: list[int] = imageset.channel_extremes(page.run, channel, TOP, "maximum").top.tolist()
    return rows


def _open_rows(page: PageContext, rows: Sequence[int]) -> _Crops:
    """Return the pictures of rows as the model sees them, without damaged ones."""
    opened = []
    for row in rows:
        try:
            opened.append((row, page.model.preprocessing.model_input(page.pictures.open(row))))
        # Damaged since: left out.
        except InvalidImage:
            continue
    return opened


def _render_effects(page: PageContext, channel: int) -> None:
    def measure(job: Job[Any]) -> inside.ClassEffects:
        pictures = [picture for _, picture in _open_rows(page, _top_rows(page, channel))]
        return inside.class_effects(page.model, page.layer, channel, pictures, job)

    effects = background.compute(
        ("class effects", page.run.id, channel), measure, "Hiding it in its own pictures", cost=2 * TOP, again=False
    )
    if effects is None:
        return
    shown = np.concatenate([effects.strongest(sign, CLASSES) for sign in (1, -1)])
    if not len(shown):
        show.write("Hiding it in the pictures that excite it most changes no class: it adds nothing to the answer.")
        return
    names = [page.model.labels[row] for row in shown.tolist()]
    show.write(
        f"What it adds to the scores of classes: by how much they fall when the channel is hidden in the "
        f"{effects.pictures} pictures that excite it most. Only the largest are shown."
    )
    show.draw_figure(tables.draw_signed_bars(names, effects.values[shown], "logits"), "unit_classes")


def _crop(picture: Image.Image, box: imageset.Box) -> Image.Image:
    """Return the part of a picture inside a box, made at least MIN_CROP wide and high."""
    sides = []
    for low, high in ((box[0], box[2]), (box[1], box[3])):
        size = max(high - low, MIN_CROP)
        start = min(max((low + high - size) / 2, 0.0), 1 - size)
        sides.append((start, start + size))
    (left, right), (top, bottom) = sides
    width, height = picture.size
    return picture.crop((round(left * width), round(top * height), round(right * width), round(bottom * height)))


def _judge(page: PageContext, channel: int, job: Job[Any]) -> _Judged:
    """Return the channel's crops as another network sees them, beside the same parts of other pictures."""
    rows = _top_rows(page, channel)
    judge = xai_core.load_model(inside.choose_judge(page.model))
    opened, job_boxes = _open_rows(page, rows), []
    job.expect(len(rows) + 2 * TOP)
    for row, _ in opened:
        job_boxes.append(imageset.activated_region(page.run, row, channel, 0.5, page.pictures, page.model, job))
        job.tick(1)
    crops = [_crop(picture, box) for (_, picture), box in zip(opened, job_boxes, strict=True)]
    others = [
        _crop(picture, box)
        for (_, picture), box in zip(_open_rows(page, _draw_rows(page, rows)), job_boxes, strict=False)
    ]
    clarity = inside.measure_clarity(judge, crops, others, job)
    # Encoded in the job: a rerun of the page only draws them.
    sources = tuple(picture_grid.encode_picture(crop, picture_grid.PIXEL_RATIO * CROP_PX) for crop in crops)
    return _Judged(clarity, tuple(row for row, _ in opened), sources)


def _draw_rows(page: PageContext, without: Sequence[int]) -> list[int]:
    """Return rows of the set at random, always the same."""
    rows: Int64 = np.setdiff1d(np.flatnonzero(page.run.valid), without)
    drawn: list[int] = np.random.default_rng(0).permutation(rows)[:TOP].tolist()
    return drawn


def _render_clarity(page: PageContext, channel: int) -> None:
    if not forms.render_toggle(
        "unit_clarity", "Compare the parts that excite it", "Another model says how alike they are. Takes some seconds."
    ):
        return
    result = background.compute(
        ("clarity", page.run.id, channel),
        partial(_judge, page, channel),
        "Showing its pictures to another model",
        cost=3 * TOP,
        again=False,
    )
    if result is None:
        return
    clarity = result.clarity
    title = xai_core.MODELS.get(clarity.judge).title
    gap = clarity.value - clarity.chance
    verdict = "Clear" if gap > 0.15 else "A little clear" if gap > 0.05 else "Not clear"
    show.write(
        f"{verdict}: another model ({title}) compared the parts that excite this channel in pairs. They are alike "
        f"by {score(clarity.value)}, parts of random pictures of this set by {score(clarity.chance)} (mean cosine: 1 "
        "is the same, 0 has nothing in common)."
    )
    if len(clarity.groups) > 1:
        show.write("They fall into two separate groups, so this channel may have two meanings.")
    for place, group in enumerate(clarity.groups):
        name = f"Group {place + 1}" if len(clarity.groups) > 1 else "The parts that excite it"
        st.markdown(f"**{name}**")
        items = [
            picture_grid.Item(
                member,
                result.sources[member][0],
                page_context.label_of(page.pictures, result.rows[member]) or f"picture {result.rows[member] + 1}",
                "",
                result.sources[member][1],
            )
            for member in group
        ]
        picture_grid.render_items(items, f"unit_group_{place}", name, lambda _member: None, CROP_PX)
