"""Counterfactuals from a picture set: cells of a real picture of the wanted class, and the nearest pictures."""

from __future__ import annotations

from functools import partial

import streamlit as st

import xai_core
from pages.ui.image import classes
from pages.ui.image.picture import PageContext
from pages.ui.imageset import class_choice, page_context
from pages.ui.imageset.page_context import PageContext as SetContext
from pages.ui.model import navigation
from pages.ui.what_if import flip_view
from pages.ui.what_if.flip_view import draw_row, make_key
from pages.ui.widgets import background, show
from pages.ui.widgets.words import escape_markdown
from xai_core import XaiError, imageset, render
from xai_core.arrays import Float32
from xai_core.attacks import counterfactuals
from xai_core.attacks.counterfactuals import Swaps
from xai_core.formatting import number
from xai_core.imageset import Counterpart

MAX_NUMBERED = 16


def _request_set(page: PageContext) -> tuple[SetContext, Float32] | None:
    """Return the set in use with the model's run over it, and the picture's own features; None while computed."""
    model = page.model
    if model.recommended_layer is None:
        show.write_problem(f"{model.title} has no layer with maps, so no nearest pictures can be found.")
        return None
    dataset, layer = page_context.require_set(), model.recommended_layer.name
    page_context.render_set_link(dataset)
    navigation.render_set_hint(model, dataset.name)
    class_choice.restore(dataset, model)
    run = page_context.request_run(dataset, model, layer)
    features = background.compute(
        make_key(page, "features", layer),
        lambda job: imageset.describe_picture(page.image, model, layer, job),
        "Reading the picture",
    )
    if run is None or features is None:
        return None
    truth = class_choice.match(dataset, model)
    return SetContext(dataset, model, layer, run, run, truth, model), features


def _request_counterpart(page: PageContext, pictures: SetContext, features: Float32, wish: int) -> Counterpart | None:
    """Return the nearest picture of the wanted class; None, with the reason on the page, where there is none."""
    find = partial(imageset.find_of_class, pictures.run, pictures.truth, features, wish, page.model.labels[wish])
    return background.compute(
        make_key(page, "counterpart", pictures.run.id, pictures.truth_id, wish),
        lambda _job: find(),
        "Looking for the nearest picture",
        again=False,
        write_failure=partial(_offer_others, page, pictures),
    )


def _offer_others(page: PageContext, pictures: SetContext, problem: XaiError) -> None:
    """Write why there is no picture of the wanted class, and offer classes that the set has pictures of."""
    source = classes.guess(page.model, page.image).classes[0][0]
    with st.container(border=True):
        show.write(problem)
        with st.container(horizontal=True, gap="small"):
            for index in imageset.list_answers(pictures.run, source):
                label = escape_markdown(page.model.labels[index])
                st.button(label, key=f"wish_{index}", on_click=flip_view.use_wish, args=(page.model, index))


def render_swaps(page: PageContext, wish: int) -> None:
    """Render cells swapped with those of the nearest real picture of the wanted class."""
    pair = _request_set(page)
    if pair is None:
        return
    pictures, features = pair
    nearest = _request_counterpart(page, pictures, features, wish)
    if nearest is None:
        return
    result = background.compute(
        make_key(page, "flip by swaps", pictures.run.id, nearest.row, wish),
        lambda job: counterfactuals.swap_cells(page.model, page.image, pictures.pictures.open(nearest.row), wish, job),
        "Swapping cells",
        cost=100.0,
        again=False,
    )
    if result is None:
        return
    show.write_strong(counterfactuals.describe_swaps(result))
    _draw_swaps(page, pictures, result, nearest)


def _draw_swaps(page: PageContext, pictures: SetContext, result: Swaps, nearest: Counterpart) -> None:
    swaps = result.swaps[:MAX_NUMBERED]
    own = render.draw_cells(page.model_input, result.grid, [swap.place for swap in swaps])
    theirs = render.draw_cells(result.counterpart, result.grid, [swap.source for swap in swaps])
    captions = ("These cells", f"Become these. {pictures.words(nearest.row)}", "The same cells as pixels")
    draw_row(zip((own, theirs, result.pasted), captions, strict=True))
    notes = ["Cells are numbered in the order in which they were chosen, the largest gain first."]
    if len(result.swaps) > len(swaps):
        notes.append(f"Only the first {len(swaps)} of {len(result.swaps)} are framed.")
    if not nearest.by_label:
        notes.append(f"No picture of the set is labelled {result.label}; the model calls this one so.")
    show.write(" ".join(notes), quiet=True)


def render_nearest(page: PageContext, wish: int) -> None:
    """Render the nearest picture of the wanted class, and the nearest one that the model calls otherwise."""
    pair = _request_set(page)
    if pair is None:
        return
    pictures, features = pair
    source = classes.guess(page.model, page.image).classes[0][0]
    show.write(
        "Near means: the network describes both pictures alike in its last maps. At distance 0 it sees no difference "
        "(cosine distance)."
    )
    left, right = st.columns(2)
    with left:
        st.markdown("**Nearest picture of the wanted class**")
        of_class = _request_counterpart(page, pictures, features, wish)
        if of_class is not None:
            _draw_counterpart(page.model, pictures, of_class)
    with right:
        st.markdown("**Nearest picture that it calls something else** *(unlike neighbour)*")
        unlike = background.compute(
            make_key(page, "unlike", pictures.run.id, source),
            lambda _job: imageset.find_unlike(pictures.run, features, source),
            "Looking for the nearest other picture",
        )
        if unlike is not None:
            _draw_counterpart(page.model, pictures, unlike)
        else:
            show.write(f"The model calls every picture of this set {page.model.labels[source]}.")


def _draw_counterpart(model: xai_core.Classifier, pictures: SetContext, nearest: Counterpart) -> None:
    seen = model.preprocessing.model_input(pictures.pictures.open(nearest.row))
    words = f"{pictures.words(nearest.row)}. Distance {number(nearest.distance)}"
    st.image(seen, caption=escape_markdown(words), alt=words, width=240)
