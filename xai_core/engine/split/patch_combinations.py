"""Logits of a picture with any combination of its patches hidden, without running the first layers for every
combination.

A cell at the split point of a network (`split_network.py`) sees a few pixels, and so only a few of the patches. Patches
that no cell sees together get the same color, as countries on a map do that have no border. The first layers are run
for every combination of colors, some dozens; a cell's value for any combination of patches is then found in the one of
those runs in which the patches that it sees are as they should be. Nothing is approximated: only the layers after the
split point are run for each combination.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch

from xai_core.arrays import Bool, Int64
from xai_core.engine.backends.calibration import MAX_ERROR
from xai_core.engine.split.receptive_field import SplitPoint
from xai_core.engine.split.split_network import SplitNetwork

# From rows (n, patches), 0 hidden and 1 shown, to pictures (n, C, H, W).
Compose = Callable[[torch.Tensor], torch.Tensor]
# Rows per combination of colors from which on the first layers are worth running for all of those.
MIN_REUSE = 2


class PatchCombinations:
    """The patches of one picture, labels (H, W) from 0 on, in front of a split network."""

    def __init__(self, network: SplitNetwork, labels: Int64, compose: Compose) -> None:
        self.network, self.compose, self.count = network, compose, int(labels.max()) + 1
        visible = find_visible_patches(labels, network.point)
        self.colors = color_patches(visible)
        """Color of each patch, (patches,)."""
        self._patch_of_color = torch.from_numpy(self._find_patches_of_colors(visible))
        self._index = self._table = torch.empty(0)

    def _find_patches_of_colors(self, visible: Bool) -> Int64:
        """Return the patch of each color that a cell sees, (colors, cells); one past the last for none."""
        patches = np.full((int(self.colors.max()) + 1, visible.shape[1]), self.count)
        patch, cell = np.nonzero(visible)
        patches[self.colors[patch], cell] = patch
        return patches

    def _find_distinct(self) -> torch.Tensor:
        """Return which combinations of colors a cell needs, (combinations, cells): those that hide all colors it does
        not see.

        About five of a hundred.
        """
        colors = torch.arange(len(self._patch_of_color))[:, None]
        # For each cell, one bit for each color that it sees.
        visible = ((self._patch_of_color < self.count).long() << colors).sum(0)
        return (torch.arange(1 << len(self._patch_of_color))[:, None] & ~visible) == 0

    @property
    def combinations(self) -> torch.Tensor:
        """The rows that go through the first layers, one for each combination of colors, (2^colors, patches)."""
        # Bit c of a combination's number tells whether color c is shown.
        numbers = np.arange(1 << len(self._patch_of_color))[:, None]
        return torch.from_numpy((numbers >> self.colors) & 1).float()

    def is_worthwhile(self, rows: int) -> bool:
        """Return True if the logits of so many rows cost less this way."""
        return MIN_REUSE << len(self._patch_of_color) <= rows

    def run_head(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the maps at the split point for these rows, (n, channels, cells, cells), by the first layers."""
        return self.network.head(self.compose(rows))

    def fill(self, parts: Iterable[torch.Tensor]) -> bool:
        """Store the maps of all `combinations`, given in parts.

        False if other rows do not come out of them: then they must not be used.
        """
        distinct, start, stored = self._find_distinct(), 0, 0
        # Row of the table for each combination and cell: only distinct values are stored.
        self._index = (distinct.flatten().cumsum(0, dtype=torch.int32) - 1).view(distinct.shape)
        self._table = torch.empty(int(distinct.sum()), self.network.channels)
        for part in parts:
            # Keep a cell's values only from the combinations that it needs.
            values = part.flatten(2).permute(0, 2, 1)[distinct[start : start + len(part)]]
            self._table[stored : stored + len(values)] = values
            start, stored = start + len(part), stored + len(values)
        # Two random rows, looked up and run.
        trial = torch.randint(0, 2, (2, self.count), generator=torch.Generator().manual_seed(0)).float()
        expected = self.run_head(trial)
        return bool((self.maps(trial) - expected).abs().max() <= MAX_ERROR * expected.abs().max().clamp(max=1))

    def maps(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the maps at the split point for any rows, (n, channels, cells, cells), from the table."""
        cells = self.network.point.cells
        # One more patch, never shown, stands for colors that a cell does not see.
        shown = torch.nn.functional.pad(rows.bool().long(), (0, 1))
        # Number of the combination that each cell needs: one bit for each color whose patch it sees shown.
        combination = torch.zeros(len(rows), cells * cells, dtype=torch.long)
        for color, patches in enumerate(self._patch_of_color):
            combination += shown.index_select(1, patches) << color
        index = self._index[combination, torch.arange(cells * cells)]
        values = self._table.index_select(0, index.flatten()).view(len(rows), cells * cells, -1)
        return values.permute(0, 2, 1).reshape(len(rows), -1, cells, cells)

    def logits(self, rows: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) for any rows (N, patches), on the calling thread."""
        return self.network.tail(self.maps(rows))


def find_visible_patches(labels: Int64, point: SplitPoint) -> Bool:
    """Return whether each cell at the split point sees any pixel of each patch, (patches, cells * cells)."""
    spans = (point.receptive_field.pixels_of(cell, cell) for cell in range(point.cells))
    low, high = (np.array(ends) for ends in zip(*spans, strict=True))
    # With padding, cells at the edge see beyond the picture.
    low, high = np.clip(low, 0, labels.shape[0]), np.clip(high + 1, 0, labels.shape[0])
    visible = np.empty((int(labels.max()) + 1, point.cells * point.cells), dtype=np.bool_)
    for patch in range(len(visible)):
        # Pixels of the patch in every cell's square, by a summed-area table.
        sums = np.pad((labels == patch).cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), (1, 0))
        counts = sums[np.ix_(high, high)] - sums[np.ix_(low, high)] - sums[np.ix_(high, low)] + sums[np.ix_(low, low)]
        visible[patch] = counts.ravel() > 0
    return visible


def color_patches(visible: Bool) -> Int64:
    """Return colors from 0 on, (patches,), such that no cell sees two patches of one color.

    Greedy by saturation (DSATUR: Brélaz 1979, doi:10.1145/359094.359101).
    """
    # Patches are adjacent if some cell sees both.
    numbers = visible.astype(np.float32)
    adjacent = numbers @ numbers.T > 0
    np.fill_diagonal(adjacent, False)
    colors, degrees = np.full(len(visible), -1), adjacent.sum(axis=1)
    # Colors that neighbours have, (patches, colors).
    taken = np.zeros((len(visible), len(visible) + 1), dtype=np.bool_)
    for _ in range(len(visible)):
        # Next is the patch whose neighbours have most colors, then the one with most neighbours, then the first.
        uncolored = np.flatnonzero(colors < 0).tolist()
        patch = max(uncolored, key=lambda patch: (int(taken[patch].sum()), int(degrees[patch]), -patch))
        colors[patch] = int(np.argmin(taken[patch]))
        taken[adjacent[patch], colors[patch]] = True
    return colors
