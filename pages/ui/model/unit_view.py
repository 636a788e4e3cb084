"""One unit: its name and neighbours, the pictures of the set that excite it most and least, and the picture in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import url_state
from pages.ui.image import layers
from pages.ui.imageset import class_choice, extremes_view, page_context, picture_detail
from pages.ui.imageset.extremes_view import CHANNEL_CAUTION
from pages.ui.imageset.page_context import PageContext
from pages.ui.model import layer_view, navigation, reading
from pages.ui.widgets import show
from pages.ui.widgets.words import escape_markdown
from xai_core import inside
from xai_core.formatting import number, percent
from xai_core.inside import Unit
from xai_core.render import overlay

# Natural pictures are what people understand a unit by, so they are large.
NATURAL_PX, OWN_PX = 160, 320
ENTANGLED = (Path(__file__).resolve().parents[3] / "assets" / "inside" / "entanglement.md").read_text(encoding="utf-8")


def _default_unit(model: xai_core.Classifier) -> str:
    layer = model.recommended_layer
    return "class:0" if layer is None else f"channel:{layer.alias_of or layer.name}:0"


def render_choice(model: xai_core.Classifier) -> Unit | None:
    """Render the unit's name and the ways to its neighbours; return the unit, None with a sentence for a wrong name."""
    key = navigation.restore_unit()
    name = st.session_state[key] or _default_unit(model)
    try:
        unit, problem = inside.parse_unit(model, name), None
    except xai_core.XaiError as error:
        unit, problem = None, error
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for step, title, icon in ((-1, "Previous", ":material/chevron_left:"), (1, "Next", ":material/chevron_right:")):
            neighbour = None if unit is None else inside.step_unit(model, unit, step)
            st.button(
                title,
                on_click=navigation.use_unit,
                args=(neighbour.name if neighbour else "",),
                disabled=neighbour is None,
                icon=icon,
                key=f"unit_step_{step}",
            )
        st.text_input(
            "Unit",
            value=url_state.value_of(key),
            key=key,
            placeholder=name,
            help=(
                "channel:LAYER:12 is one map of a layer, neuron:LAYER:12:3:3 one place of it (row, column), "
                "class:951 a class of the answer. A class may also be given by its name."
            ),
        )
    if problem is not None:
        show.write_problem(problem)
        st.button("Back to a unit that exists", on_click=navigation.use_unit, args=("",), icon=":material/undo:")
    return unit


def describe(model: xai_core.Classifier, unit: Unit) -> str:
    """Return in a sentence what the unit is."""
    if unit.layer is None:
        return f"The class “{model.labels[unit.index or 0]}”: one of {len(model.labels):,} answers of {model.title}."
    layer = model.layer(unit.layer)
    size = f"{layer.channels:,} maps of {layer.grid[0]} × {layer.grid[1]} places"
    where = f"{unit.layer}, {layer_view.describe_stage(model, unit.layer)}; this layer has {size}"
    if unit.place is not None:
        return f"Channel {unit.index} at row {unit.place[0]} and column {unit.place[1]}, counted from 0, of {where}."
    return f"The whole layer {where}." if unit.index is None else f"Channel {unit.index} of {where}."


def render_natural(model: xai_core.Classifier, unit: Unit) -> PageContext | None:
    """Render the pictures of the set at both ends of the unit; None while there is nothing to show."""
    layer = unit.layer or (model.recommended_layer.name if model.recommended_layer else None)
    if layer is None:
        show.write_problem(f"{model.title} has no layer with maps, so no picture set can be sorted by its units.")
        return None
    dataset = page_context.require_set()
    page_context.render_set_link(dataset)
    navigation.render_set_hint(model, dataset.name)
    class_choice.restore(dataset, model)
    run = page_context.request_run(dataset, model, layer)
    if run is None:
        return None
    page = PageContext(dataset, model, layer, run, run, class_choice.match(dataset, model), model)
    _ENDS[unit.kind](page, unit)
    return page


def _render_class(page: PageContext, unit: Unit) -> None:
    extremes_view.render_class_extremes(page, unit.index or 0, "logit", NATURAL_PX)


def _render_channel(page: PageContext, unit: Unit) -> None:
    extremes_view.render_channel_extremes(page, unit.index or 0, "maximum", NATURAL_PX)


def _render_neuron(page: PageContext, unit: Unit) -> None:
    extremes_view.render_neuron_extremes(page, unit.index or 0, unit.place or (0, 0), NATURAL_PX)


def _render_layer(page: PageContext, _unit: Unit) -> None:
    show.write("A whole layer has no favourite pictures of its own: each of its channels has. Choose a channel.")
    st.button(
        "Open the layer",
        on_click=navigation.open_layer,
        args=(page.model, page.layer),
        icon=":material/layers:",
        type="primary",
    )


_ENDS: Mapping[str, Callable[[PageContext, Unit], None]] = {
    "class": _render_class,
    "channel": _render_channel,
    "neuron": _render_neuron,
    "layer": _render_layer,
}


def render_own_picture(model: xai_core.Classifier, unit: Unit, image: Image.Image, title: str) -> None:
    """Render what the unit does at the picture in use."""
    if unit.layer is None:
        answers = {index: p for index, _, p in xai_core.guess(model, image, len(model.labels)).classes}
        show.write(f"For your picture the model gives this class {percent(answers[unit.index or 0])}.")
        return
    if unit.index is None:
        return
    maps = reading.request_activations(model, image, unit.layer)
    if maps is None:
        return
    values = maps.values[unit.index]
    st.image(
        overlay(model.preprocessing.model_input(image), values),
        alt=f"{escape_markdown(title)}: where channel {unit.index} responds",
        width=OWN_PX,
    )
    if unit.place is not None:
        show.write(f"At this place the value is {number(float(values[unit.place]))}.")
        return
    rank = int((maps.strength > maps.strength[unit.index]).sum()) + 1
    show.write(
        f"Largest value {number(float(values.max()))}: number {rank:,} of {len(maps.values):,} channels of this layer "
        f"in your picture. Above zero at {percent(float(np.mean(values > 0)))} of the places."
    )


def render_questions() -> None:
    """Render the questions that any unit raises, each with its answer."""
    with st.expander("Do the top pictures prove that this channel detects dogs?", icon=":material/help:"):
        st.markdown(CHANNEL_CAUTION)
    with st.expander("What is entanglement?", icon=":material/help:"):
        st.markdown(ENTANGLED)


def render_layer_link(model: xai_core.Classifier, unit: Unit) -> None:
    """Render the way to the unit's layer."""
    if unit.layer is not None and model.recommended_layer is not None:
        layers.restore(model)
        st.button(
            "All channels of this layer",
            on_click=navigation.open_layer,
            args=(model, unit.layer),
            icon=":material/layers:",
        )


def render_detail(model: xai_core.Classifier, page: PageContext) -> None:
    """Render the picture of the set that was clicked."""
    picture_detail.render(page.pictures, model, page.layer, page)
