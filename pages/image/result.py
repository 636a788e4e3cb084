"""A stored result: finished maps reopened by their link, with their provenance. Nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.image import backgrounds, opened_link, permalinks, provenance
from pages.ui.image.viewer import Panel, show_maps
from pages.ui.widgets import share, words
from xai_core.render import PALETTES, Reading, describe_reading

NOT_FOUND = (
    "This result is no longer stored here, or it was made on another computer. Nothing is lost: you can make the "
    "same map again."
)

Results = Mapping[str, xai_core.Attribution]


def _render_missing(sentence: str) -> None:
    """Render the reason for the missing result, if it is not said above, and links to other pages."""
    if sentence:
        st.warning(sentence, icon=":material/link_off:")
    st.page_link(
        "pages/image/compare.py", label="Make new maps", icon=":material/grid_view:", query_params=url_state.query()
    )
    st.page_link("pages/start/home.py", label="Go to the start", icon=":material/home:", query_params=url_state.query())


def _read(result: xai_core.Attribution) -> Reading:
    """Return what the sentence on a map depends on; names of layers and answers need the model, if it is in memory."""
    model = xai_core.ready(result.model) if result.model in xai_core.MODELS else None
    if model is None:
        return Reading.of(result)
    stages = {layer.name: model.stage(layer) for layer in model.layers()} if result.layer else {}
    return Reading.of(result, (), stages.get(result.layer or "", ""), model.labels.__getitem__)


def _build_panel(result_id: str, result: xai_core.Attribution, background: Image.Image) -> Panel:
    title, plain = provenance.method_titles(result)
    known = result.method in xai_core.METHODS
    gone = dict.fromkeys(PALETTES, "This version of Whybox no longer has this method.")
    sentence = describe_reading(xai_core.METHODS.get(result.method), _read(result)) if known else gone
    layer = f"Layer: {words.format_label(result.layer)}" if result.layer else ""
    caption = " · ".join(
        filter(None, (f"Class: {words.format_label(result.label)}", provenance.model_title(result.model), layer))
    )
    return Panel(result_id, title, plain, sentence, "done", result, caption, picture=background)


def _render_heading(maps: Sequence[xai_core.Attribution]) -> None:
    """Render the question if all maps answer the same one; as HTML, for labels are not Markdown."""
    labels = list(dict.fromkeys(words.format_label(result.label) for result in maps))
    st.html(f"<h3>{escape(f'Why “{labels[0]}”?' if len(labels) == 1 else f'{len(maps)} maps')}</h3>")


def _render(results: Results, missing: int, link: xai_core.Share | None) -> None:
    if missing:
        st.info(
            f"{missing} of the {missing + len(results)} maps in this link are no longer stored here.",
            icon=":material/link_off:",
        )
    maps = list(results.values())
    _render_heading(maps)
    images, sentences = backgrounds.find_backgrounds(results, link)
    for sentence in sentences:
        st.info(sentence, icon=":material/hide_image:")
    url_state.update_address()
    panels = [
        _build_panel(result_id, result, images[result.image_sha256, result.model])
        for result_id, result in results.items()
    ]
    show_maps(panels[0].picture or next(iter(images.values())), panels, key="result")
    opened_link.render_ways_on(results, link)
    permalinks.render_download(maps, "whybox-result.npz")
    if link is not None:
        opened_link.render_content(link)
    st.subheader("How this was made")
    provenance.draw_table(maps)


# Nothing is computed here: what another page has started stops.
xai_core.jobs.leave(session.session_id(), pool="attributions")
st.title("Saved result")
link = share.find()
is_deleted_here = share.render_outcome()
ids, problem = permalinks.read_result_ids(link)
results = {result_id: result for result_id in ids if (result := xai_core.find(result_id)) is not None}
permalinks.render_old_deletion(ids)
if results:
    _render(results, len(ids) - len(results), link)
else:
    _render_missing("" if is_deleted_here else problem or NOT_FOUND)
if note := xai_core.store_note():
    st.warning(note, icon=":material/save:")
