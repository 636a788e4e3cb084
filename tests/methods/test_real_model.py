"""The bundled model on real photographs: the answers a visitor would check first."""

from __future__ import annotations

import numpy as np
import pytest

import xai_core

CUP = (slice(0, 162), slice(30, 186))
"""Box around cup and coffee in the 224-pixel view of the coffee sample, drawn by hand: rows, columns."""


def test_predictions_are_what_anyone_would_say():
    model = xai_core.load_model("efficientnet_lite0")
    coffee = xai_core.predict(model, xai_core.SAMPLES.get("coffee").load())
    assert coffee.classes[0][1] == "espresso" and coffee.classes[0][2] > 0.9 and len(coffee.classes) == 5
    assert sum(probability for _, _, probability in coffee.classes) <= 1
    cat = xai_core.predict(model, xai_core.SAMPLES.get("chelsea").load())
    assert cat.classes[0][1] in {"Egyptian cat", "tabby", "tiger cat"}


@pytest.mark.parametrize("method", ["grad_cam", "occlusion", "integrated_gradients", "lime"])
def test_each_map_puts_more_than_its_share_on_the_cup(method):
    model = xai_core.load_model("efficientnet_lite0")
    attribution = xai_core.explain(model, xai_core.SAMPLES.get("coffee").load(), method)
    positive = np.clip(attribution.heatmap, 0, None)
    area = (CUP[0].stop - CUP[0].start) * (CUP[1].stop - CUP[1].start) / positive.size
    share = float(positive[CUP].sum() / positive.sum())
    assert attribution.label == "espresso" and share > 1.2 * area, (
        f"{share:.2f} of the evidence on {area:.2f} of the picture"
    )
    # LIME's fit on this picture lies about the mark of 0.6: 0.54 to 0.65 by seed, and by one level of a few pixels.
    assert attribution.level in ({"green", "amber"} if method == "lime" else {"green"})
