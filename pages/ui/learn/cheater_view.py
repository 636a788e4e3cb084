"""The three networks as a class meets them: letters, equal scores, and their maps side by side."""

from __future__ import annotations

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import link_readers, url_state
from pages.ui.image import panels
from pages.ui.widgets import forms, show
from xai_core import labs

SHOWN = 6
MAX_METHODS = 4
DEFAULT_METHODS = ("grad_cam", "occlusion", "integrated_gradients")
_ENLARGED = 128


def render_scores(lab: labs.CheaterLab) -> None:
    """Render the score of each network and some of the test pictures."""
    st.subheader("Three networks")
    with st.container(horizontal=True):
        # Three of this width stand side by side on a phone.
        for network in lab.networks:
            right = round(network.accuracy * len(lab.tests))
            st.metric(f"Network {network.letter}", f"{right:,}", border=True, width=110)
    show.write(f"How many of {len(lab.tests)} new pictures each names right. These are some of them:", quiet=True)
    with st.container(horizontal=True, gap="small"):
        for row in range(SHOWN):
            label = labs.LABELS[int(lab.tests.labels[row])]
            picture = _enlarge(lab, row)
            caption = " with a caption" if lab.tests.captions[row] else ""
            st.image(picture, width=96, alt=f"A drawn {label}{caption}", caption=label.capitalize())


def _enlarge(lab: labs.CheaterLab, row: int) -> Image.Image:
    return Image.fromarray(lab.test_bytes[row]).resize((_ENLARGED, _ENLARGED), Image.Resampling.NEAREST)


def _choose_methods(lab: labs.CheaterLab) -> list[str]:
    model = lab.networks[0].model
    options = {spec.name: spec.full_title for spec in xai_core.METHODS.specs() if spec.refusal(model) is None}
    key = url_state.restore(
        "lab_methods",
        list(DEFAULT_METHODS),
        link_readers.names_reader("method", options),
        ",".join,
        title=lambda names: ", ".join(options[name] for name in names or DEFAULT_METHODS),
    )
    chosen = st.multiselect(
        "Methods",
        list(options),
        url_state.value_of(key),
        format_func=options.__getitem__,
        key=key,
        max_selections=MAX_METHODS,
        placeholder="Choose a method",
    )
    return chosen or list(DEFAULT_METHODS)


def render_maps(lab: labs.CheaterLab) -> None:
    """Render the maps of one boat: a row for each method, a column for each network."""
    st.subheader("Why did each say boat?")
    pictures = {str(number): f"Boat {number}" for number in range(1, SHOWN + 1)}
    number = int(forms.render_segments("boat", "Picture", pictures, "1"))
    methods = _choose_methods(lab)
    picture = Image.fromarray(lab.test_bytes[lab.marked_rows[number - 1]])
    requests = [
        panels.MapRequest(
            method,
            xai_core.plan(network.model, picture, method, labs.MARKED),
            id=f"{method}-{network.letter}",
            title=f"Network {network.letter}",
            row=xai_core.METHODS.get(method).full_title,
            picture=picture,
        )
        for method in methods
        for network in lab.networks
    ]
    panels.render_maps(requests, picture, "cheater")
