"""One picture of a set: label, prediction, map and neighbours, and a button to all other explanations."""

from __future__ import annotations

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.image import panels
from pages.ui.imageset import class_choice, page_context, selection, thumbnail_grid
from pages.ui.imageset.page_context import PageContext
from pages.ui.widgets import background, show
from pages.ui.widgets.words import escape_markdown, format_label
from xai_core import imageset
from xai_core.formatting import number, percent
from xai_core.imageset import ImageSet, ModelOutputs

COMPARE_PAGE = "pages/image/compare.py"
METHOD = "grad_cam"
MAX_NEIGHBOURS = 12
MAX_WIDTH, MAX_HEIGHT = 320, 400
# On wide screens it stays in view beside whatever is clicked.
_STYLE = """<style>@media (min-width: 641px) {
[data-testid="stLayoutWrapper"]:has(> .st-key-set_detail) {
  position: sticky; top: 4rem; max-height: calc(100vh - 5rem); overflow-y: auto; flex: none; }
}</style>"""


def _draw_guesses(model: xai_core.Classifier, image: Image.Image) -> xai_core.Prediction:
    """Draw the model's first guesses as bars and return them."""
    prediction = xai_core.guess(model, image, min(5, len(model.labels)))
    show.draw_shares([(label, probability) for _, label, probability in prediction.classes])
    return prediction


def _write_label(dataset: ImageSet, row: int, right: bool, known: bool) -> None:
    label = page_context.label_of(dataset, row)
    if not label:
        show.write("This picture has no label.", quiet=True)
    elif not known:
        show.write(f"Label: {label}. The model has no class of that name.")
    else:
        show.write(f"Label: {label}. The model is {'right' if right else 'wrong'}.")


def _render_neighbours(dataset: ImageSet, run: ModelOutputs, picture_row: int) -> None:
    neighbours = background.compute(
        ("near", run.id, picture_row),
        lambda _job: imageset.find_nearest(run.mean, run.mean[picture_row], MAX_NEIGHBOURS + 1),
        "Looking for its neighbours",
    )
    if neighbours is None:
        return
    st.markdown(
        f"**Most similar{' after the change' if run.corruption else ''}, as the model sees it** *(nearest neighbours)*"
    )
    near = [(int(row), float(far)) for row, far in zip(*neighbours, strict=True) if row != picture_row][:MAX_NEIGHBOURS]
    tiles = [
        thumbnail_grid.Tile(row, f"{page_context.label_of(dataset, row) or dataset.names[row]}, distance {number(far)}")
        for row, far in near
    ]

    def take(row: int) -> None:
        selection.open_picture(dataset, row)

    thumbnail_grid.render_grid(dataset, tiles, "near_grid", f"The {len(tiles)} most similar pictures", take)


def _render_explain_button(dataset: ImageSet, row: int, image: Image.Image) -> None:
    title = dataset.names[row].rpartition("/")[2]
    if st.button(
        "Explain this picture", key="explain_picture", type="primary", icon=":material/search:", width="stretch"
    ):
        session.use_picture(image, title)
        st.switch_page(COMPARE_PAGE, query_params=url_state.query())


def _render_map(
    dataset: ImageSet, model: xai_core.Classifier, layer: str | None, image: Image.Image, target: int
) -> None:
    """Render the map of the model's first guess."""
    try:
        ask = panels.MapRequest(METHOD, xai_core.plan(model, image, METHOD, target, layer))
    except xai_core.XaiError as problem:
        ask = panels.MapRequest(METHOD, refusal=str(problem))
    panels.render_maps([ask], model.preprocessing.model_input(image), "set_picture")


def _draw_corruption(page: PageContext, row: int) -> None:
    """Draw the changed picture as the model saw it, and write its prediction."""
    dataset, model, run = page.pictures, page.model, page.run
    words = page_context.describe_change(run.corruption)
    try:
        model_input = imageset.read_model_input(run, row, dataset, model)
    except xai_core.XaiError:  # what is wrong with it is said of the picture itself, below
        return
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.image(
            thumbnail_grid.enlarge(model_input, MAX_WIDTH),
            alt=f"Changed: {words}. {format_label(dataset.names[row])}",
            width=show.fit_width(model_input, MAX_WIDTH, MAX_HEIGHT),
        )
    show.write(f"After the change ({words}) the model says {page.says(row)} ({percent(run.confidence[row])}).")
    st.markdown("**Without the change**")


def _write_own_answer(page: PageContext, row: int) -> None:
    """Write the answer in the set's own classes, where the page speaks in them."""
    if page.head is None or not page.run.valid[row]:
        return
    label, answer = page.label(row), f"{page.says(row)} ({percent(page.run.confidence[row])})"
    truth = f" The label is {label}: {'right' if page.says(row) == label else 'wrong'}." if label else ""
    held_out = ", without having learnt from this picture" if label else ""
    show.write(f"In the labels of this set it says {answer}{held_out}{page.after}.{truth}")
    show.write(f"And in the classes of {page.model.title}:", quiet=True)


def _render_picture(
    dataset: ImageSet, row: int, model: xai_core.Classifier, layer: str | None, page: PageContext | None
) -> None:
    run = None if page is None else page.run
    show.write_strong(dataset.names[row])
    if page is not None and page.run.corruption and page.run.valid[row]:
        _draw_corruption(page, row)
    try:
        image = dataset.open(row).convert("RGB")
    except xai_core.XaiError as problem:
        show.write_problem(problem)
        xai_core.jobs.leave(session.session_id(), pool="attributions")
        return
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.image(
            thumbnail_grid.enlarge(image, MAX_WIDTH),
            alt=f"Picture: {format_label(dataset.names[row])}",
            width=show.fit_width(image, MAX_WIDTH, MAX_HEIGHT),
        )
    if page is not None:
        _write_own_answer(page, row)
    prediction = _draw_guesses(model, image)
    first, truth = prediction.classes[0][0], int(class_choice.match(dataset, model)[row])
    if page is None or page.head is None:
        _write_label(dataset, row, first == truth, truth >= 0)
    _render_explain_button(dataset, row, image)
    if run is not None and run.valid[row]:
        _render_neighbours(dataset, run, row)
    st.markdown(f"**Where it looked for “{escape_markdown(prediction.classes[0][1])}”**")
    _render_map(dataset, model, layer, image, first)


def render(dataset: ImageSet, model: xai_core.Classifier, layer: str | None, page: PageContext | None = None) -> None:
    """Render the picture that was clicked. Call it last on a page: it updates the address before its map."""
    row = selection.current_row(dataset)
    st.html(_STYLE)
    with st.container(key="set_detail", border=True):
        if row is None or row >= len(dataset):
            xai_core.jobs.leave(session.session_id(), pool="attributions")  # no map is wanted any more
            show.write_warning(selection.describe_missing(dataset))
            show.write("Click a picture or a point: here you see what the model says of it, and why.", quiet=True)
            return
        _render_picture(dataset, row, model, layer, page)
