"""The pictures of a pass as the model saw them."""

from __future__ import annotations

from PIL import Image

from xai_core.errors import UnknownName
from xai_core.images import Picture
from xai_core.imageset.image_set import GONE
from xai_core.imageset.rows import check_index
from xai_core.imageset.runs.corruptions import parse_corruption
from xai_core.imageset.runs.loader import Pictures, Reader
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.imageset.sets.library import find_set
from xai_core.models import load_model
from xai_core.models.classifier import Classifier


def reader_of(
    found: ModelOutputs, imageset: Pictures | None = None, model: Classifier | None = None
) -> tuple[Reader, Classifier]:
    """What opens the pictures of a pass as they were run, and its model; looked up where they are not given. Raises UnknownName."""
    pictures, model = imageset or find_set(found.set_id), model or load_model(found.model)
    if pictures is None:
        raise UnknownName(GONE)
    return Reader(pictures, model.preprocessing, parse_corruption(found.corruption)), model


def read_model_input(
    found: ModelOutputs, row: int, imageset: Pictures | None = None, model: Classifier | None = None
) -> Picture:
    """A picture as the model saw it in this pass: resized, cut and changed, RGB or L, of the side of the model's input.

    `imageset` and `classifier` are looked up where they are not given. Raises InvalidParam, UnknownName, and what opening it raises.
    """
    check_index("picture", row, len(found))
    reader, _ = reader_of(found, imageset, model)
    seen = reader.seen(row)
    return Image.fromarray(seen[..., 0] if seen.shape[2] == 1 else seen)
