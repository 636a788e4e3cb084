"""Top and bottom pictures of a class or of one channel (with its region), and the most confident mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from pages.ui.frame import url_state
from pages.ui.image import classes
from pages.ui.imageset import selection, thumbnail_grid
from pages.ui.imageset.page_context import PageContext
from pages.ui.imageset.thumbnail_grid import Tile
from pages.ui.widgets import background, forms, show
from pages.ui.widgets.picture_grid import Box
from pages.ui.widgets.words import escape_markdown
from xai_core import InvalidImage, Job, imageset
from xai_core.formatting import number, percent
from xai_core.params import Int

MAX_PICTURES = 12
CHANNEL_CAUTION = (Path(__file__).resolve().parents[3] / "assets" / "imagesets" / "channels.md").read_text(
    encoding="utf-8"
)
BY_CLASS = {"probability": "Probability", "logit": "Score (logit)"}
BY_CHANNEL = {"maximum": "Strongest place (max)", "mean": "Whole picture (mean)"}


def _render_choice(name: str, title: str, options: Mapping[str, str]) -> str:
    first = next(iter(options))
    key = url_state.restore(name, first, url_state.option_reader("choice", options), title=options.__getitem__)
    return str(st.selectbox(title, list(options), url_state.index_of(options, key), options.__getitem__, key=key))


def _render_grid(
    page: PageContext, tiles: Sequence[Tile], title: str, key: str, side: int = thumbnail_grid.LARGE_PX
) -> None:
    """Render model inputs under a title, and a button that selects these pictures on all pages."""

    def take(row: int) -> None:
        selection.open_picture(page.pictures, row)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape_markdown(title)}**", width="content")
        rows = [tile.row for tile in tiles]
        st.button(
            "Select these",
            key=f"{key}_select",
            on_click=selection.select,
            args=(page.pictures, rows, title),
            icon=":material/select_all:",
        )
    cut = thumbnail_grid.Crop(f"seen by {page.model.name}", page.model.preprocessing.model_input)
    thumbnail_grid.render_grid(
        page.pictures, tiles, key, title, take, current=selection.current_row(page.pictures), side=side, cut=cut
    )


def _render_class_choice(page: PageContext) -> tuple[int, str]:
    """Render the choice of the class; return it, the one predicted most often by default, and a sentence on that."""
    good = page.run.predictions[page.run.valid]
    words = classes.number_repeats(page.speaker.labels)
    counts = np.bincount(good, minlength=len(words))
    most = int(counts.argmax())
    chosen = classes.render_search(page.speaker, "of", "Class", words, words[most])
    if chosen is not None or not counts[most]:
        return most if chosen is None else chosen, ""
    share = f"{counts[most]:,} of {len(good):,} pictures"
    return most, f"The model says “{words[most]}” most often here ({share}), so this class comes first."


def render_class(page: PageContext) -> None:
    """Render the pictures of the highest and of the lowest score of a class."""
    left, right = st.columns(2)
    with left:
        index, reason = _render_class_choice(page)
    with right:
        by = _render_choice("extremes_by", "Sorted by", BY_CLASS)
    render_class_extremes(page, index, by)
    show.write(reason, quiet=True)


def render_class_extremes(
    page: PageContext, index: int, by: str = "probability", side: int = thumbnail_grid.LARGE_PX
) -> None:
    """Render the pictures of the highest and of the lowest probability or logit of a class."""
    extremes = background.compute(
        ("class ends", page.run.id, index, by),
        lambda _job: imageset.class_extremes(
            page.run, index, MAX_PICTURES, "logit" if by == "logit" else "probability"
        ),
        "Sorting the pictures",
    )
    if extremes is None:
        return
    label = page.speaker.labels[index]
    for title, rows, key in (
        (f"Most like “{label}”", extremes.top, "class_top"),
        (f"Least like “{label}”", extremes.bottom, "class_bottom"),
    ):
        logits, chances = page.run.logits[rows, index], page.run.probabilities(rows)[:, index]
        captions = [
            percent(chance) if by == "probability" else number(float(logit))
            for chance, logit in zip(chances, logits, strict=True)
        ]
        tiles = [
            Tile(row, f"{page.words(row)}; for {label}: {text}", text)
            for row, text in zip(rows.tolist(), captions, strict=True)
        ]
        _render_grid(page, tiles, title, key, side)


def _write_ties(count: int, shown: npt.NDArray[np.floating[Any]]) -> None:
    """Write that other pictures have the same value as the last one shown."""
    if count:
        show.write(
            f"{count:,} more have the value of the last one, {number(float(shown[-1]))}: "
            "which of them are shown is arbitrary.",
            quiet=True,
        )


def _region_finder(page: PageContext, rows: Sequence[int], channel: int) -> Callable[[Job[Any]], dict[int, Box]]:
    """Return the job function that finds where the channel is most active in each picture."""

    def find(job: Job[Any]) -> dict[int, Box]:
        job.expect(len(rows))
        regions = {}
        for row in rows:
            try:
                regions[row] = imageset.activated_region(
                    page.run, row, channel, dataset=page.pictures, model=page.model, job=job
                )
            except InvalidImage:  # damaged since: shown without a mark
                continue
            job.tick(1)
        return regions

    return find


def _render_index(page: PageContext, name: str, title: str, last: int) -> int:
    """Render a whole number from 0 to `last`, kept in the link for each layer."""
    param = Int(name=name, title=title, help=f"From 0 to {last}.", default=0, low=0, high=last)
    key = url_state.restore(
        name,
        0,
        lambda text: int(param.check(text, 0)),
        key=f"{name}_of_{page.model.name}_{page.layer}",
        title=lambda value: f"{title} {value}",
    )
    return int(st.number_input(f"{title} (0 to {last})", 0, last, url_state.value_of(key), 1, key=key))


def _render_neuron_choice(page: PageContext) -> tuple[int, int] | None:
    """Render the choice of one neuron; return its row and column, None for the whole channel."""
    if not forms.render_toggle(
        "neuron", "Only one neuron: the channel at one place", "The channel at one place of the picture."
    ):
        return None
    (rows, columns), (left, right) = page.run.grid, st.columns(2)
    with left:
        row = _render_index(page, "neuron_row", "Row from the top", rows - 1)
    with right:
        return row, _render_index(page, "neuron_column", "Column from the left", columns - 1)


def render_channel(page: PageContext) -> None:
    """Render the pictures of the highest activations of one channel, with the region marked, and of the lowest."""
    left, right = st.columns(2)
    with left:
        channel = _render_index(page, "channel", f"Channel of {page.layer}", page.run.mean.shape[1] - 1)
    place = _render_neuron_choice(page)
    if place is None:
        with right:
            by = _render_choice("channel_by", "Sorted by", BY_CHANNEL)
        render_channel_extremes(page, channel, by)
    else:
        render_neuron_extremes(page, channel, place)
    with st.expander("Do the top pictures prove that this channel detects dogs?", icon=":material/help:"):
        st.markdown(CHANNEL_CAUTION)


def render_channel_extremes(
    page: PageContext, channel: int, by: str = "maximum", side: int = thumbnail_grid.LARGE_PX
) -> None:
    """Render the pictures at both ends of a channel, with the region where it responds; those at the top come first."""
    extremes = background.compute(
        ("channel ends", page.run.id, channel, by),
        lambda _job: imageset.channel_extremes(page.run, channel, MAX_PICTURES, "mean" if by == "mean" else "maximum"),
        "Sorting the pictures",
    )
    if extremes is None:
        return
    values = (page.run.mean if by == "mean" else page.run.max)[:, channel]
    tops = extremes.top.tolist()
    boxes = (
        background.compute(
            ("regions", page.run.id, channel, by),
            _region_finder(page, tops, channel),
            "Marking where it responds",
            cost=len(tops),
        )
        or {}
    )
    for title, rows, name in (
        ("Responds most", tops, "channel_top"),
        ("Responds least", extremes.bottom.tolist(), "channel_bottom"),
    ):
        tiles = [
            Tile(
                row,
                f"{page.words(row)}; activation {number(float(values[row]))}",
                number(float(values[row])),
                boxes.get(row),
            )
            for row in rows
        ]
        _render_grid(page, tiles, f"{title} (channel {channel})", name, side)
        _write_ties(imageset.count_ties(page.run, values, rows), values[rows])
    show.write(
        "The frame marks where the channel responds at least half as strongly as at its strongest place.", quiet=True
    )


def render_neuron_extremes(
    page: PageContext, channel: int, place: tuple[int, int], side: int = thumbnail_grid.LARGE_PX
) -> None:
    """Render the pictures at which a channel responds most at one place, and on request those of the least."""
    most = background.compute(
        ("neuron", page.run.id, channel, place),
        lambda job: imageset.neuron_top(page.run, channel, place, MAX_PICTURES, page.pictures, page.model, job),
        "Looking for the best pictures",
        cost=len(page.run),
    )
    if most is not None:
        _render_neuron_grid(
            page,
            place,
            most,
            f"Responds most (channel {channel}, row {place[0]}, column {place[1]})",
            "neuron_top",
            side,
        )
    if not forms.render_toggle(
        "neuron_least", "Also show the pictures it responds to least", "This looks at every picture in the set again."
    ):
        return
    least = background.compute(
        ("neuron least", page.run.id, channel, place),
        lambda job: imageset.neuron_bottom(page.run, channel, place, MAX_PICTURES, page.pictures, page.model, job),
        "Looking at every picture again",
        cost=len(page.run),
    )
    if least is not None:
        _render_neuron_grid(
            page,
            place,
            least,
            f"Responds least (channel {channel}, row {place[0]}, column {place[1]})",
            "neuron_bottom",
            side,
        )


def _render_neuron_grid(
    page: PageContext, place: tuple[int, int], extremes: imageset.NeuronEnd, title: str, name: str, side: int
) -> None:
    (neuron_row, column), (rows, columns) = place, page.run.grid
    box = (column / columns, neuron_row / rows, (column + 1) / columns, (neuron_row + 1) / rows)
    pairs = zip(extremes.rows.tolist(), extremes.values.tolist(), strict=True)
    _render_grid(
        page,
        [
            Tile(row, f"{page.words(row)}; activation {number(float(value))}", number(float(value)), box)
            for row, value in pairs
        ],
        title,
        name,
        side,
    )
    _write_ties(extremes.ties, extremes.values)
    show.write("The frame marks the neuron's place. What the neuron looked at may reach beyond the frame.", quiet=True)


def render_mistakes(page: PageContext) -> None:
    """Render the most confident mistakes."""
    if not (page.truth >= 0).any():
        show.write("No picture has a label that the model knows, so its mistakes cannot be found here.")
        return
    rows = imageset.confident_mistakes(page.run, page.truth, 2 * MAX_PICTURES).tolist()
    if not rows:
        show.write("The model makes no mistake on these pictures.")
        return
    tiles = [
        Tile(row, page.words(row), f"{page.label(row)} → {page.says(row)} {percent(page.run.confidence[row])}")
        for row in rows
    ]
    show.write(
        "The label, then what the model says instead, and how sure it is. Sometimes it is the label that is "
        "wrong: look closely.",
        quiet=True,
    )
    _render_grid(page, tiles, "Wrong, and most sure of it", "mistakes")
