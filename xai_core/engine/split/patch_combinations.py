"""Answers about a picture of which any patches are hidden, without running the first layers again for every choice of patches.

A cell at the cut of a network (`patched.py`) sees a few pixels, and so only a few of the patches. Patches that no cell sees together
share a colour, as countries on a map do that have no border. The first layers are run for every choice of colours, some dozens; what a
cell has under any choice of patches is then found in the one of those pictures in which the patches that it sees are as they should be.
Nothing is approximated: only the layers after the cut are run for each choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import torch

from xai_core.engine.forward import LARGEST_ERROR
from xai_core.engine.split.receptive_field import SplitPoint
from xai_core.engine.split.split_network import SplitNetwork

Labels = npt.NDArray[np.int64]
Compose = Callable[[torch.Tensor], torch.Tensor]
"""From rows (n, patches), 0 hidden and 1 shown, to pictures (n, C, H, W)."""
FEWER = 2
"""So many times fewer pictures than answers have to go through the first layers, or it is not worth it."""


class PatchCombinations:
    """The patches of one picture, (H, W) labels from 0 on, in front of a network that is cut in two."""

    def __init__(self, network: SplitNetwork, labels: Labels, compose: Compose) -> None:
        self.network, self.compose, self.count = network, compose, int(labels.max()) + 1
        seen = find_visible_patches(labels, network.cut)
        self.colours = color_patches(seen)
        """(patches,) the colour of each."""
        self._owner = torch.from_numpy(self._owners(seen))
        self._place = self._table = torch.empty(0)

    def _owners(self, seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """(colours, cells) the patch of each colour that a cell sees; one past the last for none."""
        owners = np.full((int(self.colours.max()) + 1, seen.shape[1]), self.count)
        patch, cell = np.nonzero(seen)
        owners[self.colours[patch], cell] = patch
        return owners

    def _telling(self) -> torch.Tensor:
        """(choices of colours, cells) which of them a cell needs: those that hide every colour it does not see, some five of a hundred."""
        colours = torch.arange(len(self._owner))[:, None]
        seen = ((self._owner < self.count).long() << colours).sum(0)
        return (torch.arange(1 << len(self._owner))[:, None] & ~seen) == 0

    @property
    def rows(self) -> torch.Tensor:
        """The choices that go through the first layers, one for each choice of colours, (2^colours, patches)."""
        choices = np.arange(1 << len(self._owner))[:, None]
        return torch.from_numpy((choices >> self.colours) & 1).float()

    def worth(self, answers: int) -> bool:
        """Whether so many answers are had more cheaply this way."""
        return FEWER << len(self._owner) <= answers

    def head(self, rows: torch.Tensor) -> torch.Tensor:
        """What the first layers find in the pictures of these choices, (n, channels, cells, cells)."""
        return self.network.head(self.compose(rows))

    def keep(self, found: Iterable[torch.Tensor]) -> bool:
        """Take what `head` found in all of `rows`, in parts. False if other choices do not come out of it: then it must not be used."""
        telling, start, done = self._telling(), 0, 0
        self._place = (telling.flatten().cumsum(0, dtype=torch.int32) - 1).view(telling.shape)
        self._table = torch.empty(int(telling.sum()), self.network.channels)
        for part in found:
            some = part.flatten(2).permute(0, 2, 1)[telling[start : start + len(part)]]
            self._table[done : done + len(some)] = some
            start, done = start + len(part), done + len(some)
        trial = torch.randint(0, 2, (2, self.count), generator=torch.Generator().manual_seed(0)).float()
        expected = self.head(trial)
        return bool((self.maps(trial) - expected).abs().max() <= LARGEST_ERROR * expected.abs().max().clamp(max=1))

    def maps(self, rows: torch.Tensor) -> torch.Tensor:
        """What the cut has for any choices, (n, channels, cells, cells)."""
        cells = self.network.cut.cells
        shown = torch.nn.functional.pad(rows.bool().long(), (0, 1))  # and none, which is never shown
        choice = torch.zeros(len(rows), cells * cells, dtype=torch.long)
        for colour, owner in enumerate(self._owner):
            choice += shown.index_select(1, owner) << colour
        places = self._place[choice, torch.arange(cells * cells)]
        found = self._table.index_select(0, places.flatten()).view(len(rows), cells * cells, -1)
        return found.permute(0, 2, 1).reshape(len(rows), -1, cells, cells)

    def logits(self, rows: torch.Tensor) -> torch.Tensor:
        """(N, classes) for any choices (N, patches), on the calling thread."""
        return self.network.tail(self.maps(rows))


def find_visible_patches(labels: Labels, cut: SplitPoint) -> npt.NDArray[np.bool_]:
    """(patches, cells * cells) whether a cell at the cut sees any pixel of a patch."""
    low, high = (np.array(ends) for ends in zip(*(cut.view.seen(cell, cell) for cell in range(cut.cells)), strict=True))
    low, high = np.clip(low, 0, labels.shape[0]), np.clip(high + 1, 0, labels.shape[0])
    seen = np.empty((int(labels.max()) + 1, cut.cells * cut.cells), dtype=np.bool_)
    for patch in range(len(seen)):
        sums = np.pad((labels == patch).cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), (1, 0))
        counts = sums[np.ix_(high, high)] - sums[np.ix_(low, high)] - sums[np.ix_(high, low)] + sums[np.ix_(low, low)]
        seen[patch] = counts.ravel() > 0
    return seen


def color_patches(seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Colours from 0 on, (patches,), so that no cell sees two patches of one: the patch whose neighbours have most colours already is
    next, and gets the first that none of them has (DSATUR: Brélaz 1979, doi:10.1145/359094.359101).
    """
    numbers = seen.astype(np.float32)
    beside = numbers @ numbers.T > 0
    np.fill_diagonal(beside, False)
    colours, degrees = np.full(len(seen), -1), beside.sum(axis=1)
    taken = np.zeros((len(seen), len(seen) + 1), dtype=np.bool_)  # (patches, colours) what neighbours have
    for _ in range(len(seen)):
        open_ = np.flatnonzero(colours < 0)
        patch = max(open_.tolist(), key=lambda each: (int(taken[each].sum()), int(degrees[each]), -each))
        colours[patch] = int(np.argmin(taken[patch]))
        taken[beside[patch], colours[patch]] = True
    return colours
