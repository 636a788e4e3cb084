"""Picture without the strongest pieces of a map, as the model is asked about it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xai_core.models.classifier import Classifier
from xai_core.results import Attribution
from xai_core.trust.hiding.comparisons import TOP
from xai_core.trust.hiding.fills import make_hider
from xai_core.trust.hiding.pieces import average_pieces, count_hidden, cut_pieces, order_pieces


def hide_top(
    model: Classifier, image: Image.Image, result: Attribution, filling: str = "blur", pieces: str = "grid"
) -> Image.Image:
    """Return the picture, as the model sees it, with the strongest tenth of a map hidden.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> hide_top(model, image, xai_core.explain(model, image, "grad_cam")).size
    (28, 28)
    """
    steps = model.preprocessing
    pixels = steps.to_pixels(steps.model_input(image))
    labels = cut_pieces(pixels, pieces)
    order = order_pieces(average_pieces(result.heatmap.astype(np.float64), labels), np.arange(labels.max() + 1))
    counts, _ = count_hidden(order, labels, round(1 / TOP))
    hidden = make_hider(pixels, filling)(np.isin(labels, order[: counts[1]]))
    return steps.to_picture(np.rint(hidden * 255).clip(0, 255).astype(np.uint8))
