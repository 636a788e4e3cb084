"""Metrics against their published formulas in plain loops, by the definitions that Quantus 0.6 uses too.

Quantus itself is no test dependency: it brings a second OpenCV over the one that is here. Its own numbers were
compared once by hand, see benchmarks/RESULTS.md.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import xai_core
from tests.trust.additive_network import SIDE, make_additive_model
from xai_core import trust
from xai_core.images import make_baseline
from xai_core.trust.metrics.complexity import entropy
from xai_core.trust.metrics.sparseness import gini

# Pixels of a piece a side: 14 pieces of 28 pixels.
PIECE = 2


def test_deletion_is_pixel_flipping_piece_by_piece() -> None:
    model = make_additive_model()
    smooth = np.random.default_rng(1).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    image = Image.fromarray(smooth).resize((SIDE, SIDE))
    result = xai_core.explain(model, image, "gradient_x_input", 0)
    pixels = model.preprocessing.to_pixels(model.preprocessing.model_input(image))
    blurred = make_baseline(pixels, "blur", np.random.default_rng(0))
    count = SIDE // PIECE
    means = result.heatmap.reshape(count, PIECE, count, PIECE).mean((1, 3), dtype=np.float64)
    picture, flipped = pixels.copy(), []
    for place in [None, *np.argsort(-means.ravel())]:
        if place is not None:
            row, column = (PIECE * int(part) for part in divmod(place, count))
            picture[row : row + PIECE, column : column + PIECE] = blurred[row : row + PIECE, column : column + PIECE]
        with torch.no_grad():
            logits = model.module(model.preprocessing.to_tensor(picture)).double()[0]
        flipped.append(float(logits[0] - logits[1]))
    curve = trust.faithfulness(model, image, result, shifts=0).deletion
    hidden = np.rint(curve.share * count**2).astype(int)
    assert curve.log_odds["blur"] == pytest.approx(np.array(flipped)[hidden], abs=1e-4)
    share, log_odds = hidden / count**2, np.array(flipped)[hidden]
    area = sum((share[i + 1] - share[i]) * (log_odds[i] + log_odds[i + 1]) / 2 for i in range(len(share) - 1))
    alone = trust.faithfulness(model, image, result, shifts=0, fills=("blur",)).deletion
    assert alone.area == pytest.approx(area, abs=1e-4)


def test_sparseness_is_the_gini_index_of_chalasani() -> None:
    values = np.abs(np.random.default_rng(5).normal(size=(9, 9)))
    ordered, count = sorted(values.ravel()), values.size
    weighted = sum((2 * place - count - 1) * value for place, value in enumerate(ordered, 1))
    assert gini(values) == pytest.approx(weighted / (count * sum(ordered)))


def test_complexity_is_the_entropy_of_bhatt() -> None:
    values = np.abs(np.random.default_rng(6).normal(size=(9, 9)))
    total = values.sum()
    assert entropy(values) == pytest.approx(-sum(value / total * np.log(value / total) for value in values.ravel()))
