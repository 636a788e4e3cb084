"""Choice of the class to explain: the model's first guesses as chips, any other label by search."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

import xai_core
from pages.ui.frame import url_state
from pages.ui.widgets.words import escape_markdown
from xai_core.formatting import percent

MAX_GUESSES = 5
Target = int | tuple[int, int]


class Labelled(Protocol):
    """An owner of classes: a `Classifier`, or the classes that a set was taught."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def class_index(self, text: str, /) -> int:
        """Return the class of a label or a number. Raises XaiError."""


def _take_guess(key: str) -> None:
    url_state.set_value(key, st.session_state.get("guess"))


def number_repeats(labels: Sequence[str]) -> list[str]:
    """Return the labels; those that occur more than once with their number."""
    times = Counter(labels)
    return [f"{label} ({index})" if times[label] > 1 else label for index, label in enumerate(labels)]


def hash_labels(labels: Sequence[str]) -> str:
    """Return a short hash of a set of labels: class 3 of a digit network is not class 3 of ImageNet."""
    return f"{zlib.crc32(repr(labels).encode()):x}"


def name_search(name: str, model: Labelled) -> str:
    """Return the widget key of a search over a model's labels."""
    return f"{name}_of_{hash_labels(model.labels)}"


def render_search(
    model: Labelled, name: str, label: str, words: Sequence[str], hint: str, first: Sequence[int] = (), usual: str = ""
) -> int | None:
    """Render a search over all labels, kept in the link under `name`; return the class, None while none is chosen.

    `first`: the classes that the list begins with. `usual`: what stands for none, where `hint` does not say it.
    """

    def write(index: int | None) -> str:
        if index is None:
            return ""
        is_unique = words[index] == model.labels[index]
        return model.labels[index] if is_unique else str(index)

    key = url_state.restore(
        name, None, model.class_index, write, name_search(name, model), lambda _index: usual or hint
    )
    chosen: int | None = st.session_state[key]
    # No default: a selectbox that has one cannot be emptied.
    options = [*first, *(index for index in range(len(words)) if index not in first)]
    st.selectbox(label, options, index=None, format_func=lambda index: words[index], key=key, placeholder=hint)
    return chosen


def guess(model: xai_core.Classifier, image: Image.Image) -> xai_core.Prediction:
    """Return the model's first guesses, as many as there are chips."""
    return xai_core.guess(model, image, min(MAX_GUESSES, len(model.labels)))


def format_question(model: xai_core.Classifier, target: Target) -> str:
    """Return the question about a target, for a heading."""
    if isinstance(target, tuple):
        return f"Why “{escape_markdown(model.labels[target[0]])}” and not “{escape_markdown(model.labels[target[1]])}”?"
    return f"Why “{escape_markdown(model.labels[target])}”?"


def render_choice(
    model: xai_core.Classifier, image: Image.Image, buttons: DeltaGenerator
) -> tuple[Target, Target | None]:
    """Render chips, and search among `buttons`.

    Return the class to explain or a pair (A, not B), and the same as chosen, else None.
    """
    words = number_repeats(model.labels)
    key = f"class_of_{hash_labels(model.labels)}"
    guesses = guess(model, image).classes
    chance = {index: probability for index, _, probability in guesses}
    chips = st.empty()
    with buttons.popover("Another class"):
        chosen = render_search(
            model, "class", "Or ask about another class", words, "Search all labels", (), "the model’s first guess"
        )
        against = render_search(
            model,
            "not",
            "… and not (for “why this and not that?”)",
            words,
            "Nothing to compare with",
            list(chance),
            "no second class",
        )
    first = guesses[0][0] if chosen is None else chosen
    url_state.set_value("guess", first if first in chance else None)
    chips.pills(
        "What the model thinks it sees. Choose one to ask why:",
        list(chance),
        format_func=lambda index: f"{escape_markdown(words[index])} · {percent(chance[index])}",
        default=url_state.value_of("guess"),
        key="guess",
        wrap=True,
        on_change=_take_guess,
        args=(key,),
    )
    unlisted = [index for index in dict.fromkeys((first, against)) if index is not None and index not in chance]
    if unlisted:
        everything = {index: p for index, _, p in xai_core.guess(model, image, len(model.labels)).classes}
        st.caption(" · ".join(f"{escape_markdown(words[index])} {percent(everything[index])}" for index in unlisted))
    if against is None or against == first:
        return first, chosen
    return (first, against), (first, against)
