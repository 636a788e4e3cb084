"""Pixels: each is changed by itself. From a photograph, size by size, this is DeepDream (Mordvintsev et al. 2015)."""

from __future__ import annotations

import torch

from xai_core.inside.visualization.spec import PARAMETRIZATIONS, CanvasRequest, Parametrization
from xai_core.inside.visualization.spectrum import radial_frequencies
from xai_core.inside.visualization.views import ViewRange

RATE = 0.01
INITIAL_SPREAD = 0.02
# Gradients as small as this are none: they must not be blown up to a step of full size.
MIN_GRADIENT = 1e-20


class PixelCanvas:
    """Pixels in 0..1; a step moves them by RATE in the mean."""

    def __init__(self, request: CanvasRequest) -> None:
        if request.start is None:
            self._pixels = 0.5 + INITIAL_SPREAD * torch.randn(request.shape, generator=request.generator)
        else:
            self._pixels = request.start.expand(request.shape).clone()
        self._filter = radial_frequencies(*request.shape[2:]).clamp_min(1) ** -request.smoother

    def render(self) -> torch.Tensor:
        """Return the pictures, (P, C, H, W) in 0..1."""
        return self._pixels

    def update(self, gradient: torch.Tensor) -> None:
        """Take a step of one length, whatever the gradient's own."""
        size = gradient.shape[2:]
        waves = torch.fft.rfft2(gradient, norm="ortho") * self._filter
        smooth = torch.fft.irfft2(waves, s=(size[0], size[1]), norm="ortho")
        length = smooth.abs().mean((1, 2, 3), keepdim=True).clamp_min(MIN_GRADIENT)
        self._pixels = (self._pixels + RATE * smooth / length).clamp(0, 1)


PARAMETRIZATIONS.add(
    Parametrization(
        name="pixel",
        title="Pixel by pixel",
        technical="DeepDream",
        sentence="Every pixel is changed by itself: from noise it stays noisy, from a photograph it makes a dream.",
        make=PixelCanvas,
        steps=96,
        views=2,
        canvas_share=1.0,
        view_range=ViewRange(centre_spread=0.04, padding="mirror"),
        photo_steps=48,
        octaves=(0.36, 0.51, 0.71, 1.0),
    )
)
