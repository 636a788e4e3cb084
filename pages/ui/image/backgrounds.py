"""Pictures under stored maps: the model input where it is known, else a plain one."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

import xai_core
from pages.ui.frame import session
from pages.ui.image import permalinks

PLAIN_COLOUR = "#9aa4aa"
NOT_KEPT = "The picture was not kept with the link, so the map lies on a plain ground."
NO_MODEL_INPUT = (
    "The picture is kept but not shown: how the model saw it is only known while that model is loaded. "
    "Choose the model on the page Explain and come back."
)


def find_link_picture(link: xai_core.Share) -> Image.Image | None:
    """Return the whole picture of a short link: the one kept with it, else the sample that it names."""
    if link.has_picture:
        return xai_core.find_shared_picture(link.code)
    sample = link.query.get("sample", "")
    try:
        return session.load_sample(sample) if sample in xai_core.SAMPLES else None
    # The sample's package is not installed.
    except xai_core.XaiError:
        return None


def _find_framing(link: xai_core.Share) -> xai_core.Framing:
    try:
        return xai_core.Framing.parse(link.query["crop"])
    except (KeyError, xai_core.InvalidParam):
        return xai_core.Framing()


def _find_pictures(
    results: Mapping[str, xai_core.Attribution], link: xai_core.Share | None
) -> dict[tuple[str, str], Image.Image | None]:
    """Return the pictures of the maps by SHA-256 and model; None where a picture was not stored."""
    pictures: dict[tuple[str, str], Image.Image | None] = {}
    whole = find_link_picture(link) if link is not None else None
    for result_id, result in results.items():
        place = (result.image_sha256, result.model)
        if pictures.get(place) is None:
            framed = _frame(whole, result, _find_framing(link)) if whole is not None and link is not None else None
            pictures[place] = framed or permalinks.find_picture(result_id, result)
    return pictures


def _frame(whole: Image.Image, result: xai_core.Attribution, framing: xai_core.Framing) -> Image.Image | None:
    """Return the part of a link's picture that a result explains, or the whole where its model is not in memory."""
    if xai_core.image_sha256(whole) == result.image_sha256:
        return whole
    model = _find_model(result.model)
    if model is None:
        return whole
    framed = xai_core.frame_picture(model, whole, framing)
    return framed if xai_core.image_sha256(framed) == result.image_sha256 else None


def _find_model(name: str) -> xai_core.Classifier | None:
    """Return a model if it is in memory or bundled, else None."""
    if name not in xai_core.MODELS or not (xai_core.MODELS.get(name).bundled or xai_core.ready(name) is not None):
        return None
    try:
        return xai_core.load_model(name)
    except xai_core.XaiError:
        return None


def find_backgrounds(
    results: Mapping[str, xai_core.Attribution], link: xai_core.Share | None = None
) -> tuple[dict[tuple[str, str], Image.Image], list[str]]:
    """Return the picture under each map, by picture and model (plain where unknown), and the reasons for plain ones."""
    pictures, backgrounds, sentences = _find_pictures(results, link), {}, []
    for result in results.values():
        place = (result.image_sha256, result.model)
        if place in backgrounds:
            continue
        picture, model = pictures[place], _find_model(result.model)
        if picture is None or model is None:
            sentences.append(NOT_KEPT if picture is None else NO_MODEL_INPUT)
            backgrounds[place] = Image.new("RGB", result.heatmap.shape[::-1], PLAIN_COLOUR)
        else:
            backgrounds[place] = model.preprocessing.model_input(picture)
    return backgrounds, list(dict.fromkeys(sentences))
