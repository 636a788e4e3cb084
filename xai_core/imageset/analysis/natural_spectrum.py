"""Mean spectrum of photographs: how strong waves of every size are in the built-in crops.

`python -m xai_core.imageset.analysis.natural_spectrum` writes assets/natural_spectrum.json, which visualizations read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from xai_core.images.resize import resize
from xai_core.imageset.sets.library import load_set
from xai_core.inside.visualization.colour import to_planes
from xai_core.inside.visualization.spectrum import SPECTRUM_FILE, radial_frequencies

SET, SIDE = "photo_crops", 256
# Points of the curve, the same factor apart.
POINTS = 24
# Pixels count as at least so far from black and white: clipped ones would pass for strong waves.
MARGIN = 0.05


def measure_spectrum(pictures: Iterable[torch.Tensor]) -> dict[str, Any]:
    """Return the mean magnitude of `rfft2` (ortho) of planes by frequency, and their contrast; pictures (1, C, S, S).

    Each crop fades out at its edges, or the step from one edge to the other would pass for waves.
    """
    magnitudes, variances, side = [], [], SIDE
    for picture in pictures:
        planes = to_planes(picture, MARGIN)[0]
        side = planes.shape[-1]
        planes = planes - planes.mean((1, 2), keepdim=True)
        window = torch.hann_window(side, periodic=False)
        window = window[:, None] * window
        window = window / window.square().mean().sqrt()
        magnitudes.append(torch.fft.rfft2(planes * window, norm="ortho").abs())
        variances.append(float(planes.square().sum(0).mean()))
    mean = torch.stack(magnitudes).mean(0).flatten(1)
    frequencies = radial_frequencies(side, side).flatten()
    edges = np.geomspace(0.75, side / 2, POINTS + 1)
    rings = [(frequencies >= low) & (frequencies < high) for low, high in pairwise(edges)]
    rings = [ring for ring in rings if ring.any()]
    return {
        "pictures": len(magnitudes),
        "cycles_per_side": [round(float(frequencies[ring].mean()), 3) for ring in rings],
        "magnitude": [[round(float(plane[ring].mean()), 5) for ring in rings] for plane in mean],
        "contrast": round(float(np.sqrt(np.mean(variances))), 4),
    }


def read_crops() -> Iterable[torch.Tensor]:
    """Yield the crops of the built-in set at one size, (1, 3, SIDE, SIDE) in 0..1."""
    images = load_set(SET)
    for index in range(len(images)):
        pixels = torch.from_numpy(resize(images.open(index), (SIDE, SIDE), "bicubic"))
        yield pixels.permute(2, 0, 1)[None].float() / 255


def main() -> None:
    """Measure the crops and write the curve."""
    spectrum = measure_spectrum(read_crops())
    SPECTRUM_FILE.write_text(json.dumps(spectrum) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
