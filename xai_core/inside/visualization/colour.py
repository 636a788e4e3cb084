"""Colours without the correlation that red, green and blue have in photographs.

The matrix is the square root of the colours' correlation over ImageNet that Olah et al. 2017 published
(doi:10.23915/distill.00007): brightness, then blue against red, then green against both.
"""

from __future__ import annotations

import torch

_MATRIX = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
# Pixels nearer to black or white than this have no place on the curve: half a level of 255.
MIN_PIXEL = 0.5 / 255


def _matrix(channels: int) -> torch.Tensor:
    matrix = torch.tensor(_MATRIX) if channels == 3 else torch.ones(1, 1)
    largest = float(matrix.norm(dim=0).max())
    return matrix / largest


def to_pixels(planes: torch.Tensor) -> torch.Tensor:
    """Return pixels (P, C, H, W) in 0..1 of decorrelated planes of any size."""
    return torch.sigmoid(torch.einsum("oc,pchw->pohw", _matrix(planes.shape[1]), planes))


def to_planes(pixels: torch.Tensor, margin: float = MIN_PIXEL) -> torch.Tensor:
    """Return the inverse of `to_pixels`; pixels are kept so far from black and white."""
    logits = torch.logit(pixels, eps=margin)
    return torch.einsum("oc,pchw->pohw", torch.linalg.inv(_matrix(pixels.shape[1])), logits)
