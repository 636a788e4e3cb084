"""Which class to explain: the model's first guesses as chips, every other label by search."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence

import streamlit as st
from PIL import Image

import xai_core
from pages.ui import link

GUESSES = 5


def _percent(probability: float) -> str:
    return "under 1 %" if probability < 0.01 else f"{100 * probability:.0f} %"


def _from_chip(key: str) -> None:
    st.session_state[key] = st.session_state.get("guess")


def different(labels: Sequence[str]) -> list[str]:
    """The labels, those that occur more than once with their number."""
    times = Counter(labels)
    return [f"{label} ({index})" if times[label] > 1 else label for index, label in enumerate(labels)]


def pick(model: xai_core.Classifier, image: Image.Image) -> int:
    """Draw chips and search; the chosen class index, the model's first guess if nothing was chosen."""
    labels = model.labels
    words = different(labels)
    # One choice for each set of labels: class 3 of a digit network is not class 3 of ImageNet.
    key = f"class_of_{zlib.crc32(repr(labels).encode()):x}"

    def write(index: int | None) -> str:
        return "" if index is None else labels[index] if words[index] == labels[index] else str(index)

    link.keep("class", None, model.class_index, write, key)
    guesses = xai_core.predict(model, image, min(GUESSES, len(labels))).classes
    chance = {index: probability for index, _, probability in guesses}
    chosen: int | None = st.session_state[key]
    target = guesses[0][0] if chosen is None else chosen
    st.session_state["guess"] = target if target in chance else None
    st.pills(
        "What the model thinks it sees. Choose one to ask why:",
        list(chance),
        format_func=lambda index: f"{words[index]} · {_percent(chance[index])}",
        key="guess",
        wrap=True,
        on_change=_from_chip,
        args=(key,),
    )
    st.selectbox(
        "Or ask about any other class",
        range(len(words)),
        index=None,
        format_func=lambda index: words[index],
        key=key,
        placeholder="Search all labels",
    )
    return target
