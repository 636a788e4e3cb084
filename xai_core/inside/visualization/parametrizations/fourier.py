"""Fourier: the picture as waves, with colours that do not hang together, so that every wave is equally easy to change.

Olah, Mordvintsev & Schubert 2017, doi:10.23915/distill.00007.
"""

from __future__ import annotations

from functools import partial

import torch

from xai_core.inside.visualization.canvas import OptimizedCanvas
from xai_core.inside.visualization.colour import to_pixels, to_planes
from xai_core.inside.visualization.spec import PARAMETRIZATIONS, CanvasRequest, Parametrization
from xai_core.inside.visualization.spectrum import radial_frequencies
from xai_core.inside.visualization.views import ViewRange

INITIAL_SPREAD = 0.01
CONTRAST = 0.25
RATE, PHOTO_RATE = 0.1, 0.02


def make_canvas(request: CanvasRequest) -> OptimizedCanvas:
    """Return pictures as coefficients of waves; each coefficient counts by 1 / frequency."""
    pictures, channels, height, width = request.shape
    frequencies = radial_frequencies(height, width).clamp_min(1)
    scale = CONTRAST * min(height, width) * frequencies ** -(1 + request.smoother)
    shape = (pictures, channels, *scale.shape)
    if request.start is None:
        real, imaginary = INITIAL_SPREAD * torch.randn(2, *shape, generator=request.generator)
    else:
        spectrum = torch.fft.rfft2(to_planes(request.start), norm="ortho") / scale
        real, imaginary = (part.expand(shape).clone() for part in (spectrum.real, spectrum.imag))

    def draw(real: torch.Tensor, imaginary: torch.Tensor) -> torch.Tensor:
        waves = torch.complex(real, imaginary) * scale
        return to_pixels(torch.fft.irfft2(waves, s=(height, width), norm="ortho"))

    rate = RATE if request.start is None else PHOTO_RATE
    return OptimizedCanvas([real, imaginary], draw, partial(torch.optim.Adam, lr=rate))


PARAMETRIZATIONS.add(
    Parametrization(
        name="fourier",
        title="Waves",
        technical="Fourier",
        sentence="Drawn from waves of all sizes: bright and clear, best for early and middle layers.",
        make=make_canvas,
        steps=96,
        views=4,
        canvas_share=1.0,
        view_range=ViewRange(0.85, 0.85, 0.15, centre_spread=0.06, rotation=10, noise=0.05),
        photo_steps=48,
    )
)
