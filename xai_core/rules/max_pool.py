"""The mean Jacobian of max-pooling on the straight line between two inputs, exactly.

Values that move evenly are straight lines, and the largest changes where two lines cross: shares follow from the
crossings, without points.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

Sizes = Sequence[int]


def argmax_shares(start: torch.Tensor, path: torch.Tensor) -> torch.Tensor:
    """Return the part of the path on which values value of a window is the largest, for windows (values, N); parts add
    up to 1.
    """
    # Not argmax, which is ten times slower here.
    parts, holder = torch.zeros_like(start), start.max(0).indices
    left, now = torch.arange(start.shape[1], device=start.device), torch.zeros_like(start[0])
    # Each value that takes over is faster than the one before, so this ends.
    while len(left):
        values, speeds = start[:, left], path[:, left]
        # Time at which values faster value overtakes the largest one.
        ahead, faster = values.gather(0, holder[None]) - values, speeds - speeds.gather(0, holder[None])
        until, following = torch.where(faster > 0, ahead / torch.where(faster > 0, faster, 1), torch.inf).min(0)
        until = until.clamp(max=1).maximum(now)
        # The holder keeps the time until then; columns whose path has ended are done.
        parts[holder, left] += until - now
        on = until < 1
        left, holder, now = left[on], following[on], until[on]
    return parts


class Windows:
    """The windows of one max-pooling over maps (N, C, H, W)."""

    def __init__(
        self, maps: torch.Tensor, pooled: torch.Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
    ) -> None:
        """`pooled` is the output: its size says whether windows reach over the edge."""
        self.shape, self.grid = maps.shape, pooled.shape[2:]
        self.options = {"kernel_size": tuple(kernel), "stride": tuple(stride), "dilation": tuple(dilation)}
        reach = [(g - 1) * s + d * (k - 1) + 1 for g, k, s, d in zip(self.grid, kernel, stride, dilation, strict=True)]
        over = [max(r - p - size, 0) for r, p, size in zip(reach, padding, maps.shape[2:], strict=True)]
        self.edge = (padding[1], over[1], padding[0], over[0])
        unread = [max(p + size - r, 0) for r, p, size in zip(reach, padding, maps.shape[2:], strict=True)]
        self.spare = (0, -unread[1], 0, -unread[0])

    def unfold(self, maps: torch.Tensor, outside: float) -> torch.Tensor:
        """Return the values in values window, (N * C, window, places); `outside` stands beyond the edge."""
        padded = F.pad(F.pad(maps.flatten(0, 1)[:, None], self.edge, value=outside), self.spare)
        return F.unfold(padded, **self.options)

    def fold(self, values: torch.Tensor) -> torch.Tensor:
        """Return values of windows (N * C, window, places) added up where they came from, (N, C, H, W)."""
        left, right, top, bottom = self.edge
        rows, columns = self.shape[2] + top + bottom + self.spare[3], self.shape[3] + left + right + self.spare[1]
        padded = F.pad(F.fold(values, (rows, columns), **self.options), (0, -self.spare[1], 0, -self.spare[3]))
        return padded[:, 0, top : top + self.shape[2], left : left + self.shape[3]].reshape(self.shape)

    def backpropagate(self, start: torch.Tensor, path: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Return the gradient (N, C, h, w) of the pooled maps carried back to maps that moved along a path from
        `start`, (N, C, H, W).
        """
        lowest = float(torch.finfo(start.dtype).min) / 4
        values = self.unfold(start, lowest)
        windows = [part.transpose(0, 1).flatten(1) for part in (values, self.unfold(path, 0.0))]
        parts = argmax_shares(*windows).view(values.shape[1], values.shape[0], values.shape[2]).transpose(0, 1)
        return self.fold(parts * gradient.flatten(0, 1).flatten(1)[:, None])
