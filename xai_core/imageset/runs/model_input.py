"""Pictures of a run as the model's input."""

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
    run: ModelOutputs, dataset: Pictures | None = None, model: Classifier | None = None
) -> tuple[Reader, Classifier]:
    """Return the reader of a run's pictures, and its model; both are looked up where not given. Raises UnknownName."""
    pictures, model = dataset or find_set(run.set_id), model or load_model(run.model)
    if pictures is None:
        raise UnknownName(GONE)
    return Reader(pictures, model.preprocessing, parse_corruption(run.corruption)), model


def read_model_input(
    run: ModelOutputs, row: int, dataset: Pictures | None = None, model: Classifier | None = None
) -> Picture:
    """Return the model's input for a picture of this run: resized, cropped and corrupted, RGB or L.

    Set and model are looked up where not given. Raises InvalidParam, UnknownName, and what opening the picture raises.
    """
    check_index("picture", row, len(run))
    reader, _ = reader_of(run, dataset, model)
    pixels = reader.model_input(row)
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
