"""A unit's response over a picture: bright where it responds, framed where the concept is."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xai_core.render import draw_response


def test_the_response_is_bright_and_the_concept_framed() -> None:
    mask, concept = np.zeros((2, 20, 20), dtype=bool)
    mask[:10], concept[5:15, 5:15] = True, True
    pixels = np.asarray(draw_response(Image.new("L", (50, 50), 200), mask, concept)).astype(int)
    assert pixels.shape == (60, 60, 3)
    assert pixels[3, 3].tolist() == [200] * 3 and pixels[57, 3].tolist() == [70] * 3
    framed = (pixels == (255, 140, 0)).all(2)
    assert framed[15, 15:45].all() and framed[15:45, 44].all() and not framed[20:40, 20:40].any()
    assert framed.sum() == 30 * 30 - 26 * 26
