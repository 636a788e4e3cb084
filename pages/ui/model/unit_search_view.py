"""Units of all layers that match one concept, and the layers side by side, from what was compared so far."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

import xai_core
from pages.ui.frame import url_state
from pages.ui.frame.session import session_id
from pages.ui.image import layers
from pages.ui.imageset import clickable_tables
from pages.ui.model import dissection_view, navigation
from pages.ui.model.label_words import ANY
from pages.ui.widgets import background, forms, show
from xai_core import Job, inside, jobs
from xai_core.inside import ConceptProbe, Dissection
from xai_core.render import tables as figures

MAX_SHOWN = 200
# Ends of blocks, spread over the depth: all layers would take an hour.
SEARCHED = 6


def _find_results(model: xai_core.Classifier, probe: ConceptProbe) -> list[tuple[str, Dissection]]:
    entries = [(layer.name, inside.find_dissection(model, layer.name, probe)) for layer in model.offered_layers]
    return [(name, result) for name, result in entries if result is not None]


def render(model: xai_core.Classifier, probe: ConceptProbe, *, has_choice: bool) -> None:
    """Render the search for units of the chosen concept in all layers, and how many each layer has.

    `has_choice`: the concept is chosen further up, with the units of one layer.
    """
    st.subheader("Find units in all layers")
    _render_request(model, probe)
    results = _find_results(model, probe)
    if not results:
        show.write("No layer has been compared yet. The toggle above compares some from the first to the last.")
        return
    if not has_choice:
        options = [ANY, *probe.concepts]
        if st.session_state[dissection_view.CONCEPT] not in options:
            url_state.set_value(dissection_view.CONCEPT, ANY)
        start = url_state.index_of(options, dissection_view.CONCEPT)
        st.selectbox("Concept", options, start, key=dissection_view.CONCEPT)
    concept = st.session_state[dissection_view.CONCEPT]
    _render_units(results, concept)
    if len(results) > 1:
        _draw_layers(model, results, concept)


def _render_request(model: xai_core.Classifier, probe: ConceptProbe) -> None:
    """Render the toggle that compares layers spread over the depth of the network, and the work."""
    names = [layer.name for layer in inside.spread_layers(model, SEARCHED)]
    missing = [name for name in names if inside.find_dissection(model, name, probe) is None]
    if not missing:
        return
    words = f"Compare {len(names)} layers, from the first to the last"
    help_ = "Takes some minutes the first time; the answers are stored, and those that are ready are shown."
    if not forms.render_toggle("concepts_all_layers", words, help_):
        return

    def work(job: Job[Any]) -> bool:
        job.expect(len(missing))
        for name in missing:
            inside.load_dissection(model, name, probe, jobs.PartJob(job))
            job.tick(1)
        return True

    key = ("dissections", model.name, model.weights_sha256, tuple(missing), probe.key)
    memory = dissection_view.WORKSPACE + dissection_view.MAX_MAPS
    start = partial(dissection_view.POOL.start, key, work, 2.0 * len(probe) * len(missing), session_id(), memory)
    background.follow(key, start, "Comparing units of several layers", again=False)


def _render_units(results: list[tuple[str, Dissection]], concept: str) -> None:
    pairs = [(layer, label) for layer, result in results for label in result.detectors]
    matches = sorted((pair for pair in pairs if concept in (ANY, pair[1].concept)), key=lambda pair: -pair[1].iou)
    layer_count = f"{len(results)} layer{'' if len(results) == 1 else 's'} compared so far"
    what = "that match a concept" if concept == ANY else f"that match {concept}"
    show.write_strong(f"{len(matches):,} units {what}, in the {layer_count}.")
    if not matches:
        show.write("Compare more layers, or choose another concept.")
        return
    shown = matches[:MAX_SHOWN]
    frame = pd.DataFrame(
        {
            "Layer": [layer for layer, _ in shown],
            "Unit": [label.unit for _, label in shown],
            "Concept": [label.concept for _, label in shown],
            "IoU": [round(label.iou, 3) for _, label in shown],
            "At most": [round(label.reachable, 3) for _, label in shown],
        }
    )

    def take(place: int, _column: str) -> None:
        navigation.open_unit(f"channel:{shown[place][0]}:{shown[place][1].unit}")

    clickable_tables.draw_table(frame, "units_everywhere", take, "Units of all layers that match the concept", most=8)
    more = f" The {MAX_SHOWN} with the largest IoU are shown." if len(matches) > len(shown) else ""
    show.write(f"The largest IoU first. Click a unit to open its page.{more}", quiet=True)


def _draw_layers(model: xai_core.Classifier, results: list[tuple[str, Dissection]], concept: str) -> None:
    """Draw how many different concepts, or detectors of the chosen one, each layer has that was compared so far."""
    st.subheader("Layers compared so far")
    if concept == ANY:
        counts, unit = [len({label.concept for label in result.detectors}) for _, result in results], "concepts"
    else:
        counts, unit = [len(result.units_for(concept)) for _, result in results], f"detectors of {concept}"

    def take(place: int) -> None:
        url_state.set_value(layers.restore(model), results[place][0])

    names = [f"{name} · {len(result.labels):,} units" for name, result in results]
    drawing = figures.draw_bars(names, np.array(counts, dtype=float), unit, max_bars=len(names))
    show.draw_figure(drawing, "layer_concepts", take)
    show.write("From the first layer to the last. Click a bar to open its layer.", quiet=True)
