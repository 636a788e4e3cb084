"""Catch the cheater: three networks of equal score, looked at, voted on, tested and revealed by a whole class."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui.frame.session import session_id
from pages.ui.learn import cheater_tests, cheater_view, room
from pages.ui.widgets import background, show
from xai_core import labs

TEXTS = labs.lab_texts("cheater")

show.write_style()
st.title("Catch the cheater")
st.markdown(TEXTS["Start"])
background.begin()
code = room.render_choice("cheater")
if code is None:
    background.finish()
seed = labs.room_seed(code)
lab = background.follow(("cheaters", seed), partial(labs.start_cheaters, seed, session_id()), "Training three networks")
if lab is None:
    background.finish()
cheater_view.render_scores(lab)
cheater_view.render_maps(lab)
st.subheader("Your vote")
st.markdown(TEXTS["Vote"])
letters = tuple(network.letter for network in lab.networks)
if not room.render_vote(code, letters):
    background.finish()
st.subheader("Tests")
st.markdown(TEXTS["Tests"])
baseline = cheater_tests.render_group(lab, "caption")
if baseline is not None and st.toggle("Show what each network learnt from", key=f"reveal_{code}"):
    st.markdown(TEXTS["Reveal"])
    cheater_tests.render_kinds(lab, labs.VOTES.count(code, letters))
    st.subheader("The maps against the tests")
    st.markdown(TEXTS["Maps"])
    cheater_tests.render_map_scores(lab)
    st.subheader("The one that you cannot see")
    st.markdown(TEXTS["Invisible"])
    if cheater_tests.render_group(lab, "other", baseline) is not None and st.toggle(
        "Show the invisible cue", key=f"cue_{code}"
    ):
        cheater_tests.render_cue(lab)
        cheater_tests.render_group(lab, "truth", baseline)
        st.markdown(TEXTS["Lesson"])
background.end()
