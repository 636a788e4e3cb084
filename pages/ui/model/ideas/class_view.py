"""A class in general: mean contributions of channels and parts over its pictures in the set."""

from __future__ import annotations

from typing import Any

import numpy as np

from pages.ui.image.picture import PageContext
from pages.ui.imageset import page_context
from pages.ui.model import navigation, probe_choice
from pages.ui.model.ideas.idea_sources import Rows
from pages.ui.widgets import background, forms, show
from xai_core import Job, inside
from xai_core.arrays import Float64, Int64
from xai_core.formatting import percent
from xai_core.imageset import ImageSet
from xai_core.inside import MIN_PICTURES, ClassChannels, Dissection, Parts
from xai_core.render import tables

CHANNELS, PART_PICTURES, PARTS = 10, 12, 12
_TOO_FEW = (
    f"The picture set has fewer than {MIN_PICTURES} pictures of this class. Choose another class, or a picture set "
    "with more of them."
)


def name_class(page: PageContext) -> str:
    """Return the label of the class, of a pair that of the first."""
    return page.model.labels[first_class(page)]


def first_class(page: PageContext) -> int:
    """Return the class asked about, of a pair the first."""
    return page.target[0] if isinstance(page.target, tuple) else page.target


def render_channels(page: PageContext, dataset: ImageSet, rows: Int64) -> None:
    """Render the channels of the last layer that add most to the class; a click opens one."""
    if not len(rows):
        show.write(_TOO_FEW)
        return
    model, target = page.model, first_class(page)
    layer = background.compute(
        ("head layer", model.name, model.weights_sha256),
        lambda _job: inside.head_layer(model) or "",
        "Looking at the last step",
        write_failure=show.write_problem,
    )
    if layer is None:
        return
    if not layer:
        show.write(
            f"{model.title} does not average its last maps and add them up in one linear layer, so no channel has an "
            "exact share in a class. EfficientNet-Lite0 and the ResNets do."
        )
        return
    run = page_context.request_run(dataset, model, layer)
    if run is None:
        return
    result: ClassChannels | None = background.compute(
        ("class channels", run.id, target, len(rows)),
        lambda job: inside.class_channels(model, target, np.asarray(run.mean[rows])[run.valid[rows]], job),
        "Adding up the channels",
        again=False,
        write_failure=show.write_problem,
    )
    if result is None:
        return
    order = np.argsort(-np.abs(result.values), kind="stable")[:CHANNELS]
    labels = inside.find_dissection(model, layer, probe_choice.drawn_probe())
    names = [_name_channel(channel, labels) for channel in order.tolist()]
    show.draw_figure(
        tables.draw_signed_bars(names, result.values[order], "logits"),
        "class_channels",
        lambda bar: navigation.open_unit(f"channel:{layer}:{order[bar]}"),
    )
    share = float(np.abs(result.values[order]).sum() / max(np.abs(result.values).sum(), 1e-12))
    show.write(
        f"Means over {result.pictures} pictures, exact. These {len(order)} of {len(result.values):,} channels hold "
        f"{percent(share)} of all that is added and taken away. Click a bar to see what excites the channel.",
        quiet=True,
    )


def _name_channel(channel: int, labels: Dissection | None) -> str:
    """Return a channel's number, with the concept that it detects where its layer has been compared with concepts."""
    label = None if labels is None else labels.labels[channel]
    return f"channel {channel}" + (f" · {label.concept}" if label is not None and label.is_detector else "")


def render_parts(page: PageContext, dataset: ImageSet, rows: Int64) -> None:
    """Render, on request, what each part of the last maps adds to the class."""
    if not len(rows):
        show.write(_TOO_FEW)
        return
    if not forms.render_toggle(
        "class_parts", "Find the parts", "Patterns of channels that appear together. Takes some seconds the first time."
    ):
        return
    model, target = page.model, first_class(page)
    # Spread over the class, for neighbouring rows of a set may be alike.
    chosen = rows[:: max(len(rows) // PART_PICTURES, 1)][:PART_PICTURES]
    parts: Parts | None = background.compute(
        ("parts", dataset.id, None, model.name, model.weights_sha256, PARTS, 0),
        lambda job: inside.find_parts(model, dataset, PARTS, 0, job),
        f"Finding {PARTS} parts in the pictures",
        cost=240,
        again=False,
        write_failure=show.write_problem,
    )
    if parts is None:
        return

    def add_up(job: Job[Any]) -> Float64:
        return inside.class_parts(model, target, parts, Rows(dataset, chosen), job)

    values = background.compute(
        ("class parts", dataset.id, model.name, model.weights_sha256, target),
        add_up,
        "Adding up the parts",
        again=False,
    )
    if values is None:
        return
    names = [f"part {place + 1}" for place in range(len(values))]
    show.draw_figure(tables.draw_signed_bars(names, values, "logits"), "class_part_bars")
    show.write(
        f"Means over {len(chosen)} pictures. “What adds up” shows where each part is in your picture and in the set.",
        quiet=True,
    )
