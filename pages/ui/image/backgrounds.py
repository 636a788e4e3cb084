"""Pictures under stored maps: the model input where it is known, else a plain one."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

import xai_core
from pages.ui.image import permalinks

PLAIN_COLOUR = "#9aa4aa"
NOT_KEPT = "The picture was not kept with the link, so the map lies on a plain ground."
NO_MODEL_INPUT = (
    "The picture is kept but not shown: how the model saw it is only known while that model is loaded. "
    "Choose the model on the page Explain and come back."
)


def _find_pictures(results: Mapping[str, xai_core.Attribution]) -> dict[str, Image.Image | None]:
    """Return the pictures of the maps by SHA-256; None where a picture was not stored."""
    pictures: dict[str, Image.Image | None] = {}
    for result_id, result in results.items():
        if pictures.get(result.image_sha256) is None:
            pictures[result.image_sha256] = permalinks.find_picture(result_id, result)
    return pictures


def _find_model_input(model: str, picture: Image.Image) -> Image.Image | None:
    """Return the model input of a picture if the model is in memory or bundled, else None."""
    if model not in xai_core.MODELS or not (xai_core.MODELS.get(model).bundled or xai_core.ready(model) is not None):
        return None
    try:
        return xai_core.load_model(model).preprocessing.model_input(picture)
    except xai_core.XaiError:
        return None


def find_backgrounds(
    results: Mapping[str, xai_core.Attribution],
) -> tuple[dict[tuple[str, str], Image.Image], list[str]]:
    """Return the picture under each map, by picture and model (plain where unknown), and the reasons for plain ones."""
    pictures, backgrounds, sentences = _find_pictures(results), {}, []
    for result in results.values():
        picture, place = pictures[result.image_sha256], (result.image_sha256, result.model)
        if place in backgrounds:
            continue
        model_input = _find_model_input(result.model, picture) if picture is not None else None
        if model_input is None:
            sentences.append(NOT_KEPT if picture is None else NO_MODEL_INPUT)
        backgrounds[place] = model_input or Image.new("RGB", result.heatmap.shape[::-1], PLAIN_COLOUR)
    return backgrounds, list(dict.fromkeys(sentences))
