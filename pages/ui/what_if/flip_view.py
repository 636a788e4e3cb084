"""Counterfactuals on the page: pieces to hide, an exaggeration, and the contrast that only fools one network."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import url_state
from pages.ui.image import classes
from pages.ui.image.picture import PageContext
from pages.ui.what_if.hide_view import FILLING
from pages.ui.widgets import background, forms, show
from pages.ui.widgets.words import escape_markdown
from xai_core import attacks, inside, render
from xai_core.attacks import counterfactuals
from xai_core.attacks.counterfactuals import HiddenPieces
from xai_core.formatting import percent
from xai_core.what_if import SURROUNDINGS, challenge_params

# Settings of the pieces; the filling is chosen among more than the method has.
PIECES = ("pieces", "segments")
# Two in a row on a narrow phone.
WIDTH_PX = 168


def render_wish(page: PageContext) -> int:
    """Render the choice of the wanted class. Raises InvalidParam where the model says it already."""
    guesses = [index for index, _, _ in classes.guess(page.model, page.image).classes]
    words = classes.number_repeats(page.model.labels)
    hint = f"The likeliest other class: {words[guesses[1]]}"
    chosen = classes.render_search(page.model, "wish", "The model should say", words, hint, guesses[1:])
    wish = guesses[1] if chosen is None else chosen
    counterfactuals.check_wish(page.model, guesses[0], wish)
    return wish


def use_wish(model: xai_core.Classifier, index: int) -> None:
    """Callback: make a class the wanted one."""
    url_state.set_value(classes.name_search("wish", model), index)


def make_key(page: PageContext, *parts: object) -> tuple[object, ...]:
    """Return what names a request about the page's model and picture."""
    return (*parts, page.model.name, page.model.weights_sha256, xai_core.image_sha256(page.image))


def draw_row(pictures: Iterable[tuple[Image.Image, str]]) -> None:
    """Draw pictures with their captions side by side, two in a row on a phone."""
    with st.container(horizontal=True, gap="small"):
        for picture, caption in pictures:
            st.image(picture, caption=escape_markdown(caption), alt=caption, width=WIDTH_PX)


def render_hiding(page: PageContext, wish: int) -> None:
    """Render the fewest pieces found to hide until the wanted class is first."""
    with st.popover("Pieces and filling", icon=":material/tune:"):
        chosen = [param for param in challenge_params() if param.name in PIECES]
        params = forms.render_params(chosen, page.model.side, "flip_hide")
        key = url_state.restore(
            "flip_filling",
            SURROUNDINGS,
            url_state.option_reader("filling", FILLING.options),
            title=FILLING.options.__getitem__,
        )
        names = list(FILLING.options)
        filling = st.selectbox(
            "Hide with", names, url_state.index_of(names, key), format_func=FILLING.options.__getitem__, key=key
        )
    result = background.compute(
        make_key(page, "flip by hiding", wish, filling, tuple(sorted(params.items()))),
        lambda job: counterfactuals.hide_pieces(page.model, page.image, wish, filling, params, job=job),
        "Hiding pieces",
        cost=500.0,
    )
    if result is not None:
        _render_hidden(page, result)


def _render_hidden(page: PageContext, result: HiddenPieces) -> None:
    show.write_strong(counterfactuals.describe_hidden_pieces(result))
    marked = render.overlay(page.model_input, result.mask.astype(np.float32), signed=False)
    pairs = ((marked, "The pieces"), (result.picture, "What the model sees without them"))
    draw_row(pairs)
    show.write(
        f"The model was asked about {result.tried:,} pictures. The search hides piece after piece, always the one that "
        "helps most (SEDC-T), then shows again those that were not needed.",
        quiet=True,
    )


def render_exaggeration(page: PageContext, wish: int) -> None:
    """Render the picture changed towards the wanted class, smoothly enough to be seen."""
    label = page.model.labels[wish]
    show.write(
        f"The picture is changed step by step so that {label} grows, in smooth waves and under small movements "
        "(feature accentuation). It is an exaggeration, not the least change: it shows what the model looks for."
    )
    result = background.compute(
        make_key(page, "flip by exaggeration", wish),
        lambda job: inside.visualize(page.model, f"class:{wish}", start=page.image, job=job),
        "Exaggerating",
        cost=800.0,
    )
    if result is None:
        return
    before, after = (classes.guess(page.model, picture).classes[0] for picture in (page.image, result.picture))
    verdict = "It works" if after[0] == wish else "It does not work"
    show.write_strong(
        f"{verdict}: the model said {before[1]} ({percent(before[2])}) and now says {after[1]} ({percent(after[2])})."
    )
    pairs = ((page.image, "Your picture"), (result.picture, f"Exaggerated towards {label}"))
    draw_row(pairs)


def _describe_answer(answer: attacks.Answer) -> str:
    if answer.label == answer.label_before:
        return f"still says {answer.label}"
    return f"said {answer.label_before} and now says {answer.label}"


def render_contrast(page: PageContext, wish: int) -> None:
    """Render a change by the gradient that nobody sees, and what other networks say to it."""
    st.subheader("The contrast: noise that fools")
    contrast = background.compute(
        make_key(page, "flip by gradient", wish),
        lambda job: counterfactuals.fool_one_network(page.model, page.image, wish, job),
        "Fooling this model, asking the others",
        cost=200.0,
    )
    if contrast is None:
        return
    show.write_strong(counterfactuals.describe_contrast(contrast))
    attacked = contrast.attacked
    change, factor = render.draw_change(attacked.change)
    pairs = ((attacked.picture, "The changed picture"), (change, f"The change, {factor} times as strong"))
    draw_row(pairs)
    show.write_list(
        f"{answer.name} {_describe_answer(answer)} ({percent(answer.probability)})." for answer in contrast.answers
    )
    show.write(
        "Such a change answers the same question, but with nothing that a person could see. A reason that only one "
        "network knows is no reason.",
        quiet=True,
    )
