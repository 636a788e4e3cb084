"""How long each value of a window is the largest, while all of them move evenly from one place to another: max-pooling's mean Jacobian.

Values that move evenly are straight lines, and the largest of them changes hands where two lines cross; so the mean needs no points.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

Sizes = Sequence[int]


def reigns(start: torch.Tensor, way: torch.Tensor) -> torch.Tensor:
    """The part of the way, 0 to 1, on which each value of a window is the largest, for windows (values, N); the parts add up to 1."""
    parts, holder = torch.zeros_like(start), start.max(0).indices  # argmax is ten times slower here
    left, now = torch.arange(start.shape[1], device=start.device), torch.zeros_like(start[0])
    while len(left):  # each value that takes over is faster than the one before, so this ends
        values, speeds = start[:, left], way[:, left]
        ahead, faster = values.gather(0, holder[None]) - values, speeds - speeds.gather(0, holder[None])
        until, following = torch.where(faster > 0, ahead / torch.where(faster > 0, faster, 1), torch.inf).min(0)
        until = until.clamp(max=1).maximum(now)
        parts[holder, left] += until - now
        on = until < 1
        left, holder, now = left[on], following[on], until[on]
    return parts


class Windows:
    """The windows of a max-pooling over maps (N, C, H, W)."""

    def __init__(
        self, maps: torch.Tensor, pooled: torch.Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
    ) -> None:
        """`pooled` are the maps it gives: their size says whether windows reach over the edge."""
        self.shape, self.grid = maps.shape, pooled.shape[2:]
        self.options = {"kernel_size": tuple(kernel), "stride": tuple(stride), "dilation": tuple(dilation)}
        reach = [(g - 1) * s + d * (k - 1) + 1 for g, k, s, d in zip(self.grid, kernel, stride, dilation, strict=True)]
        over = [max(r - p - size, 0) for r, p, size in zip(reach, padding, maps.shape[2:], strict=True)]
        self.edge = (padding[1], over[1], padding[0], over[0])
        cut = [max(p + size - r, 0) for r, p, size in zip(reach, padding, maps.shape[2:], strict=True)]
        self.spare = (0, -cut[1], 0, -cut[0])

    def cut(self, maps: torch.Tensor, outside: float) -> torch.Tensor:
        """The values in each window, (N·C, window, places); `outside` stands beyond the edge."""
        padded = F.pad(F.pad(maps.flatten(0, 1)[:, None], self.edge, value=outside), self.spare)
        return F.unfold(padded, **self.options)

    def lay(self, values: torch.Tensor) -> torch.Tensor:
        """Values of windows, (N·C, window, places), added up where they came from, (N, C, H, W)."""
        left, right, top, bottom = self.edge
        rows, columns = self.shape[2] + top + bottom + self.spare[3], self.shape[3] + left + right + self.spare[1]
        padded = F.pad(F.fold(values, (rows, columns), **self.options), (0, -self.spare[1], 0, -self.spare[3]))
        return padded[:, 0, top : top + self.shape[2], left : left + self.shape[3]].reshape(self.shape)

    def back(self, start: torch.Tensor, way: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """The gradient of the pooled maps (N, C, h, w) carried back to maps that went this way from their start, (N, C, H, W)."""
        lowest = float(torch.finfo(start.dtype).min) / 4
        values = self.cut(start, lowest)
        windows = [each.transpose(0, 1).flatten(1) for each in (values, self.cut(way, 0.0))]
        parts = reigns(*windows).view(values.shape[1], values.shape[0], values.shape[2]).transpose(0, 1)
        return self.lay(parts * gradient.flatten(0, 1).flatten(1)[:, None])
