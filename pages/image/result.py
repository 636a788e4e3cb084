"""A kept result: finished maps reopened by their link, with everything that is known about how they were made. Nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session, url_state
from pages.ui.image import permalinks, provenance
from pages.ui.image.viewer import Panel, show_maps
from pages.ui.widgets import words

PLAIN = "#9aa4aa"
GONE = "This result is not kept here any more, or it was made on another computer. Nothing is lost: the same map can be made again."
NOT_KEPT = "The picture was not kept with the link, so the map lies on a plain ground."
NOT_SEEN = (
    "The picture is kept but not shown: how the model saw it is only known while that model is loaded. "
    "Choose the model on the page Explain and come back."
)

Maps = Mapping[str, xai_core.Attribution]


def _nothing(sentence: str) -> None:
    """Why there is nothing to see, and where to go from here."""
    st.warning(sentence, icon=":material/link_off:")
    st.page_link(
        "pages/image/compare.py", label="Make new maps", icon=":material/grid_view:", query_params=url_state.query()
    )
    st.page_link("pages/start/home.py", label="Go to the start", icon=":material/home:", query_params=url_state.query())


def _pictures(found: Maps) -> dict[str, Image.Image | None]:
    """The pictures of the maps by fingerprint, each looked for once."""
    pictures: dict[str, Image.Image | None] = {}
    for result, each in found.items():
        if pictures.get(each.image_sha256) is None:
            pictures[each.image_sha256] = permalinks.find_picture(result, each)
    return pictures


def _seen(model: str, picture: Image.Image) -> Image.Image | None:
    """The picture as a model saw it, if that model can be asked without fetching it."""
    if model not in xai_core.MODELS or not (xai_core.MODELS.get(model).bundled or xai_core.ready(model) is not None):
        return None
    try:
        return xai_core.load_model(model).preprocessing.model_input(picture)
    except xai_core.XaiError:
        return None


def _grounds(found: Maps) -> tuple[dict[tuple[str, str], Image.Image], list[str]]:
    """What lies under the maps, by picture and model: the picture as the model saw it, else a plain one; and a sentence for each reason."""
    pictures, grounds, sentences = _pictures(found), {}, []
    for each in found.values():
        picture, place = pictures[each.image_sha256], (each.image_sha256, each.model)
        if place in grounds:
            continue
        seen = _seen(each.model, picture) if picture is not None else None
        if seen is None:
            sentences.append(NOT_KEPT if picture is None else NOT_SEEN)
        grounds[place] = seen or Image.new("RGB", each.heatmap.shape[::-1], PLAIN)
    return grounds, list(dict.fromkeys(sentences))


def _panel(result: str, found: xai_core.Attribution, ground: Image.Image) -> Panel:
    title, technical = provenance.method_titles(found)
    known = found.method in xai_core.METHODS
    sentence = (
        xai_core.METHODS.get(found.method).sentence
        if known
        else "This version of Whybox does not know the method any more."
    )
    layer = f"Layer: {words.format_label(found.layer)}" if found.layer else ""
    caption = " · ".join(
        filter(None, (f"Class: {words.format_label(found.label)}", provenance.model_title(found.model), layer))
    )
    return Panel(result, title, technical, sentence, "done", found, caption, picture=ground)


def _heading(maps: Sequence[xai_core.Attribution]) -> None:
    """The question, if all maps answer the same one. As HTML: no sign of a label may be read as Markdown."""
    labels = list(dict.fromkeys(words.format_label(each.label) for each in maps))
    st.html(f"<h3>{escape(f'Why “{labels[0]}”?' if len(labels) == 1 else f'{len(maps)} maps')}</h3>")


def _show(found: Maps, missing: int) -> None:
    if missing:
        st.info(
            f"{missing} of the {missing + len(found)} maps of this link are not kept here any more.",
            icon=":material/link_off:",
        )
    maps = list(found.values())
    _heading(maps)
    grounds, sentences = _grounds(found)
    for sentence in sentences:
        st.info(sentence, icon=":material/hide_image:")
    url_state.update_address()
    panels = [_panel(result, each, grounds[each.image_sha256, each.model]) for result, each in found.items()]
    show_maps(panels[0].picture or next(iter(grounds.values())), panels, key="result")
    permalinks.render_download(maps, "whybox-result.npz")
    st.subheader("How this was made")
    provenance.draw_table(maps)
    st.caption("What is chosen at the side is for new maps; a kept result stays as it is.")


# Nothing is computed here: what another page has started stops.
xai_core.jobs.leave(session.session_id(), pool="attributions")
st.title("Kept result")
ids, problem = permalinks.read_result_ids()
found = {result: each for result in ids if (each := xai_core.find(result)) is not None}
permalinks.render_delete(ids)
if found:
    _show(found, len(ids) - len(found))
else:
    _nothing(problem or GONE)
if note := xai_core.store_note():
    st.warning(note, icon=":material/save:")
