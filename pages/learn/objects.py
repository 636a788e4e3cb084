"""One object decides: maps compared with what removing each object of a scene does, by method and network."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui.frame.session import session_id
from pages.ui.learn import objects_view
from pages.ui.widgets import background, forms, show
from xai_core import labs

TEXTS = labs.lab_texts("objects")
SEED = 0

show.write_style()
st.title("One object decides")
st.markdown(TEXTS["Start"])
background.begin()
networks = background.follow(
    ("scenes", SEED), partial(labs.start_scene_networks, SEED, session_id()), "Training two networks"
)
if networks is None:
    background.finish()
titles = {network.name: network.model.title for network in networks}
chosen = forms.render_segments("lab_network", "Network", titles, "plain")
network = next(entry for entry in networks if entry.name == chosen)
show.write(f"It names {round(network.accuracy * len(network.scenes))} of {len(network.scenes)} new scenes right.")
scene = objects_view.choose_scene(network)
st.subheader("Each thing removed")
st.markdown(TEXTS["Removal"])
importance = objects_view.render_removal(network, scene)
if importance is not None:
    objects_view.render_maps(network, scene, importance)
st.subheader("Methods in order")
st.markdown(TEXTS["Ranking"])
objects_view.render_ranking(networks)
st.subheader("With photographs")
st.markdown(TEXTS["Photographs"])
if forms.render_toggle("lab_photos", "Rank on photographs too"):
    objects_view.render_photographs()
background.end()
