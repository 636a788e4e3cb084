"""Frequencies of a picture, and the mean spectrum of photographs, which MaCo keeps.

assets/natural_spectrum.json is written by `python -m xai_core.imageset.analysis.natural_spectrum`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

# Waves at random places reach black and white more often than the flat areas of photographs of equal contrast.
CONTRAST_SHARE = 0.7
SPECTRUM_FILE = Path(__file__).parents[3] / "assets" / "natural_spectrum.json"


def radial_frequencies(height: int, width: int) -> torch.Tensor:
    """Return the frequency of each coefficient of `rfft2`, (height, width // 2 + 1), in cycles per shorter side."""
    side = min(height, width)
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    frequencies: torch.Tensor = (down.square() + across.square()).sqrt() * side
    return frequencies


@cache
def _read_spectrum() -> dict[str, Any]:
    spectrum: dict[str, Any] = json.loads(SPECTRUM_FILE.read_text(encoding="utf-8"))
    return spectrum


def natural_magnitude(channels: int, height: int, width: int, smoother: float = 0.0) -> torch.Tensor:
    """Return the magnitude of `rfft2` (ortho) of a natural picture's planes, (C, height, width // 2 + 1).

    The mean is 0 and the planes have together a little less than the contrast of photographs; `smoother` holds back
    fine detail by a power of the frequency.
    """
    spectrum = _read_spectrum()
    frequencies = radial_frequencies(height, width).clamp_min(1)
    log_frequencies, known = frequencies.log().numpy(), np.log(spectrum["cycles_per_side"])
    curves = [np.interp(log_frequencies, known, np.log(curve)) for curve in spectrum["magnitude"][:channels]]
    magnitude: torch.Tensor = torch.from_numpy(np.exp(np.stack(curves))).float() * frequencies**-smoother
    magnitude[:, 0, 0] = 0
    planes = torch.fft.irfft2(magnitude.to(torch.complex64), s=(height, width), norm="ortho")
    contrast: float = CONTRAST_SHARE * spectrum["contrast"]
    return magnitude * (contrast / float(planes.square().sum(0).mean().sqrt()))
