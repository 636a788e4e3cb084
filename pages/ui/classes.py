"""Which class to explain: the model's first guesses as chips, every other label by search."""

from __future__ import annotations

import streamlit as st
from PIL import Image

import xai_core

GUESSES = 5


def _percent(probability: float) -> str:
    return "under 1 %" if probability < 0.01 else f"{100 * probability:.0f} %"


def _from_chip() -> None:
    chosen = st.session_state.get("guess")
    st.session_state["class"] = chosen


def pick(model: xai_core.Classifier, image: Image.Image) -> int:
    """Draw chips and search; the chosen class index, the model's first guess if nothing was chosen."""
    guesses = xai_core.predict(model, image, min(GUESSES, len(model.labels))).classes
    chance = {index: probability for index, _, probability in guesses}
    twice = {label for label in model.labels if model.labels.count(label) > 1} if len(set(model.labels)) < len(model.labels) else set()
    words = [f"{label} ({index})" if label in twice else label for index, label in enumerate(model.labels)]
    chosen = st.session_state.get("class")
    if chosen is not None and not 0 <= chosen < len(words):
        chosen = st.session_state["class"] = None
    st.session_state["guess"] = chosen if chosen in chance else None if chosen is not None else guesses[0][0]
    st.pills(
        "What the model thinks it sees. Choose one to ask why:",
        list(chance),
        format_func=lambda index: f"{words[index]} · {_percent(chance[index])}",
        key="guess",
        wrap=True,
        on_change=_from_chip,
    )
    st.selectbox(
        "Or ask about any other class",
        range(len(words)),
        index=None,
        format_func=lambda index: words[index],
        key="class",
        placeholder="Search all labels",
        bind="query-params",
    )
    target: int = guesses[0][0] if st.session_state["class"] is None else st.session_state["class"]
    return target
