"""Views of a picture under optimization: shifted, turned, zoomed, framed and noisy copies for the network.

Without them an optimization finds a pattern that works at one place and size only, which looks like noise. After Olah
et al. 2017, doi:10.23915/distill.00007, and for crops Fel et al. 2023, arXiv:2306.06805.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Literal

import torch
import torch.nn.functional as F

MIN_SHARE, MAX_SHARE = 0.1, 1.15
GREY = 0.5
# Views that are not turned: an upright picture has to work too.
UPRIGHT_SHARE = 1 / 6


@dataclass(frozen=True)
class ViewRange:
    """Distribution of views. Shares are sides of a view in sides of the picture: normal, from `first` to `last`."""

    first_share: float = 1.0
    last_share: float = 1.0
    share_spread: float = 0.0
    centre_spread: float = 0.0
    """Standard deviation of the shift, in sides of the picture."""
    rotation: float = 0.0
    """Largest turn in degrees, either way."""
    noise: float = 0.0
    """Standard deviation of the noise, for pixels in 0..1."""
    padding: Literal["grey", "mirror"] = "grey"


@dataclass(frozen=True)
class Views:
    """Drawn views: which picture each shows, where it lies in it, (n, 2, 3), and its noise, (n, C, height, width)."""

    picture: torch.Tensor
    place: torch.Tensor
    noise: torch.Tensor
    padding: Literal["grey", "mirror"]

    def split(self, size: int) -> list[Views]:
        parts = zip(self.picture.split(size), self.place.split(size), self.noise.split(size), strict=True)
        return [Views(*part, self.padding) for part in parts]

    def show(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the views of pictures (P, C, H, W), (n, C, height, width), noise included."""
        shape = (len(self.place), *self.noise.shape[1:])
        grid = F.affine_grid(self.place, list(shape), align_corners=False)
        mode = "zeros" if self.padding == "grey" else "reflection"
        seen = F.grid_sample(pictures[self.picture] - GREY, grid, padding_mode=mode, align_corners=False)
        return seen + GREY + self.noise


def draw_views(
    view_range: ViewRange,
    pictures: int,
    views: int,
    shape: tuple[int, int, int],
    progress: float,
    generator: torch.Generator,
) -> Views:
    """Draw so many views of each picture; `shape` is (C, height, width) of a view, `progress` 0 at the first step and 1
    at the last.
    """
    count = pictures * views
    share = torch.lerp(torch.tensor(view_range.first_share), torch.tensor(view_range.last_share), progress)
    shares = (share + view_range.share_spread * torch.randn(count, generator=generator)).clamp(MIN_SHARE, MAX_SHARE)
    # In the grid's units the picture reaches from -1 to 1.
    centres = 2 * view_range.centre_spread * torch.randn(count, 2, generator=generator)
    room = (1 - shares).clamp_min(2 * view_range.centre_spread)[:, None]
    centres = torch.minimum(torch.maximum(centres, -room), room)
    angles = (2 * torch.rand(count, generator=generator) - 1) * view_range.rotation * pi / 180
    angles = torch.where(torch.rand(count, generator=generator) < UPRIGHT_SHARE, 0, angles)
    across, up = angles.cos() * shares, angles.sin() * shares
    place = torch.stack(
        [torch.stack([across, -up, centres[:, 0]], 1), torch.stack([up, across, centres[:, 1]], 1)], dim=1
    )
    noise = view_range.noise * torch.randn(count, *shape, generator=generator)
    return Views(torch.arange(pictures).repeat_interleave(views), place, noise, view_range.padding)
