"""MaCo: the strength of every wave is that of photographs, and only its place in the picture is optimized.

Fel et al. 2023, arXiv:2306.06805.
"""

from __future__ import annotations

from functools import partial
from math import pi

import torch

from xai_core.inside.visualization.canvas import OptimizedCanvas
from xai_core.inside.visualization.colour import to_pixels, to_planes
from xai_core.inside.visualization.spec import PARAMETRIZATIONS, CanvasRequest, Parametrization
from xai_core.inside.visualization.spectrum import natural_magnitude
from xai_core.inside.visualization.views import ViewRange

RATE, PHOTO_RATE = 1.0, 0.1


def _mirror_places(side: int) -> torch.Tensor:
    """Return the places along an axis of a spectrum that are their own mirror images: the mean, and the finest wave."""
    return torch.tensor([0] if side % 2 else [0, side // 2])


def draw_planes(magnitude: torch.Tensor, phase: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return the real planes whose `rfft2` has exactly this magnitude, (P, C, height, width).

    Waves along the columns stand in the spectrum twice, once for each direction: a real picture needs opposite phases.
    """
    doubled = _mirror_places(width)
    columns = phase[..., doubled]
    mirrored = columns.flip(-2).roll(1, -2)
    phase = phase.index_copy(-1, doubled, (columns - mirrored) / 2)
    planes: torch.Tensor = torch.fft.irfft2(
        torch.polar(magnitude.expand_as(phase), phase), s=(height, width), norm="ortho"
    )
    return planes


def make_canvas(request: CanvasRequest) -> OptimizedCanvas:
    """Return pictures as phases of waves. A photograph lends its phases, and its strengths instead of the mean ones."""
    pictures, channels, height, width = request.shape
    magnitude = natural_magnitude(channels, height, width, request.smoother)
    if request.start is None:
        phase = (2 * torch.rand(pictures, *magnitude.shape, generator=request.generator) - 1) * pi
    else:
        spectrum = torch.fft.rfft2(to_planes(request.start), norm="ortho")
        magnitude, phase = spectrum.abs(), spectrum.angle().expand(pictures, -1, -1, -1).clone()
        # A wave that is its own mirror image has a sign instead of a phase.
        rows, columns = _mirror_places(height), _mirror_places(width)
        magnitude[..., rows[:, None], columns] *= spectrum.real[..., rows[:, None], columns].sign()

    def draw(phase: torch.Tensor) -> torch.Tensor:
        return to_pixels(draw_planes(magnitude, phase, height, width))

    rate = RATE if request.start is None else PHOTO_RATE
    return OptimizedCanvas([phase], draw, partial(torch.optim.NAdam, lr=rate))


PARAMETRIZATIONS.add(
    Parametrization(
        name="maco",
        title="Photograph-like",
        technical="MaCo",
        sentence="Every wave is as strong as in photographs: more natural, best for late layers and classes.",
        make=make_canvas,
        steps=72,
        views=10,
        canvas_share=1.6,
        view_range=ViewRange(0.6, 0.25, 0.05, centre_spread=0.15, noise=0.05),
        photo_steps=32,
    )
)
