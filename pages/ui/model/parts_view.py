"""Parts of the last maps, found in the pictures of the set, and what each adds to the answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

import xai_core
from pages.ui.image.picture import PageContext
from pages.ui.imageset import page_context
from pages.ui.model import answer_view, navigation, reading
from pages.ui.widgets import background, forms, picture_grid, show
from xai_core import InvalidImage, Job, inside
from xai_core.formatting import number, percent
from xai_core.imageset import ImageSet
from xai_core.inside import PART_COUNT, PartContributions, Parts
from xai_core.render import overlay, scale_of, tables

TILE_PX, MAX_CROPS = 100, 6
# Below this likeness to the same search with another seed, a part is called unstable.
MIN_STABILITY = 0.9
# Set, class of the pictures or None for all, number of parts and seed.
_Search = tuple[str, int | None, int, int]


@dataclass(frozen=True)
class _Example:
    """A picture of the set in which a part is strong: its row, a data URL and the place on it."""

    row: int
    source: str
    is_tiny: bool
    box: picture_grid.Box


def _draw_maps(page: PageContext, result: PartContributions, _job: Job[Any]) -> list[tuple[str, bool]]:
    scale = scale_of(result.maps)
    return [
        picture_grid.encode_picture(overlay(page.model_input, values, scale=scale), picture_grid.PIXEL_RATIO * TILE_PX)
        for values in result.maps
    ]


def _draw_examples(
    model: xai_core.Classifier, dataset: ImageSet, parts: Parts, part: int, job: Job[Any]
) -> list[_Example]:
    (rows, columns), examples = parts.grid, []
    job.expect(MAX_CROPS)
    for picture, (row, column) in zip(parts.top[part].tolist(), parts.places[part].tolist(), strict=True):
        job.tick(1)
        try:
            seen: Image.Image = model.preprocessing.model_input(dataset.open(picture))
        # Damaged since: left out.
        except InvalidImage:
            continue
        left, top = max(column - 0.5, 0) / columns, max(row - 0.5, 0) / rows
        box = (left, top, min((column + 1.5) / columns, 1.0), min((row + 1.5) / rows, 1.0))
        examples.append(_Example(picture, *picture_grid.encode_picture(seen, 2 * TILE_PX), box))
    return examples[:MAX_CROPS]


def render(page: PageContext) -> None:
    """Render, on request, the parts of the answer."""
    show.write(
        "A single channel rarely has a meaning of its own. Parts are patterns of channels that appear together "
        "(non-negative matrix factorization, NMF): found in the pictures of a set, without labels. Since the last step "
        "is a sum, what each part adds is exact too."
    )
    if not forms.render_toggle("parts_on", "Find the parts", "Takes some seconds the first time."):
        return
    dataset = page_context.require_set()
    page_context.render_set_link(dataset, "Found in")
    navigation.render_set_hint(page.model, dataset.name)
    settings = forms.render_params([PART_COUNT], page.model.side, "part")
    first = page.target[0] if isinstance(page.target, tuple) else page.target
    label = page.model.labels[first]
    options = {"all": "All of the set", "class": f"Only those that it calls “{label}”"}
    chosen = forms.render_segments("part_pictures", "Pictures to find them in", options, "all")
    only_class = first if chosen == "class" else None
    seed, count = forms.render_seed(), int(settings[PART_COUNT.name])
    parts = background.compute(
        ("parts", dataset.id, only_class, page.model.name, page.model.weights_sha256, count, seed),
        lambda job: inside.find_parts(page.model, dataset, count, seed, job, only_class),
        f"Finding {count} parts in the pictures",
        cost=240,
        again=False,
    )
    if parts is None:
        return
    result = background.compute(
        ("part sum", dataset.id, only_class, count, seed, *reading.picture_key(page.model, page.image), page.target),
        lambda job: inside.explain_parts(page.model, page.image, parts, page.target, job),
        "Adding up the parts",
        again=False,
    )
    if result is None:
        return
    _write_quality(parts)
    names = [*(f"part {place + 1}" for place in range(count)), "the rest (residual)"]
    values = np.append(result.values, result.residual)
    answer_view.draw_sum(names, values, result.bias, "part_sum", _open_part, max_bars=len(names))
    show.write(
        f"The parts, the rest and the start add up to {number(result.logit)}, exactly. The rest that no part holds is "
        f"{tables.signed_number(result.residual)} logits. Click a part.",
        quiet=True,
    )
    search = (dataset.id, only_class, count, seed)
    current = _render_tiles(page, search, parts, result)
    _render_examples(page, dataset, search, parts, current)


def _write_quality(parts: Parts) -> None:
    stable = int((parts.stability >= MIN_STABILITY).sum())
    count = len(parts.stability)
    show.write(
        f"From {parts.pictures:,} pictures. The {count} parts hold {percent(parts.explained)} of what the last maps "
        f"contain. {stable} of {count} are found again with another seed (at least {percent(MIN_STABILITY)} alike); "
        "the others depend on chance, so do not build on them."
    )


def _open_part(place: int) -> None:
    st.session_state["open_part"] = place


def _render_tiles(page: PageContext, search: _Search, parts: Parts, result: PartContributions) -> int:
    """Render where each part is in the picture, the largest contribution first; return the one that is looked at."""
    order = [int(part) for part in np.argsort(-np.abs(result.values), kind="stable")]
    chosen = st.session_state.get("open_part")
    current = chosen if isinstance(chosen, int) and chosen < len(order) else order[0]
    key = (*search, *reading.picture_key(page.model, page.image))
    drawn = background.compute(("part maps", *key), partial(_draw_maps, page, result), "Drawing the parts")
    if drawn is not None:
        items = []
        for part in order:
            added, alike = tables.signed_number(float(result.values[part])), percent(float(parts.stability[part]))
            words = f"Part {part + 1} added {added} logits; {alike} alike with another seed"
            items.append(picture_grid.Item(part, drawn[part][0], words, f"part {part + 1} · {added}", drawn[part][1]))
        st.markdown("**Where each part is in your picture**")
        picture_grid.render_items(items, "part_tiles", "Parts over the picture", _open_part, TILE_PX, current)
    return current


def _render_examples(page: PageContext, dataset: ImageSet, search: _Search, parts: Parts, part: int) -> None:
    examples = background.compute(
        ("part examples", *search, page.model.name, part),
        partial(_draw_examples, page.model, dataset, parts, part),
        "Fetching its strongest pictures",
        cost=MAX_CROPS,
    )
    if examples is None:
        return
    alike = float(parts.stability[part])
    st.markdown(f"**Part {part + 1}: where it is strongest in the set**")
    items = [
        picture_grid.Item(
            example.row, example.source, page_context.label_of(dataset, example.row), "", example.is_tiny, example.box
        )
        for example in examples
    ]
    picture_grid.render_items(items, "part_examples", f"Pictures of part {part + 1}", lambda _row: None, TILE_PX)
    caution = "" if alike >= MIN_STABILITY else " It depends on chance."
    show.write(
        f"Found again with another seed: {percent(alike)} alike.{caution} Its name is up to you: look at what the "
        "frames have in common, and whether they have it without exception.",
        quiet=True,
    )
