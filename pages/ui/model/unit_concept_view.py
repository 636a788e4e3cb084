"""The concept that a unit matches, on the unit's page, and other units found by their concept."""

from __future__ import annotations

import streamlit as st

import xai_core
from pages.ui.model import dissection_view, navigation, probe_choice
from pages.ui.model.label_words import describe_label, name_label
from pages.ui.widgets import show
from xai_core.inside import Unit


def render(model: xai_core.Classifier, unit: Unit) -> None:
    """Render the concept of a channel; other kinds of units have none."""
    if unit.layer is None or unit.index is None:
        return
    dissection_view.restore_concept()
    st.subheader("Concept")
    # The drawn pictures suit every model, so nothing has to be chosen here.
    probe = probe_choice.drawn_probe()
    result = dissection_view.request(model, unit.layer, probe, "unit_concept_on")
    if result is None:
        show.write(
            "Which of 26 colours, patterns, shapes and lines does its channel answer to most (network dissection)?",
            quiet=True,
        )
        return
    label = result.labels[unit.index]
    show.write_strong(f"Channel {unit.index}: {name_label(label)}")
    for sentence in describe_label(label, result):
        show.write(sentence)
    dissection_view.render_examples(model, result, probe, label)
    with st.expander("Find units by concept", icon=":material/search:"):
        labels = dissection_view.select_labels(result)
        dissection_view.render_label_table(result.layer, labels, "units_of_concept", navigation.use_unit)
    st.button(
        "Concepts of all units of this layer",
        on_click=navigation.open_concepts,
        args=(model, unit.layer),
        icon=":material/category:",
    )
