"""Pictures of boats and houses with two cues that a network may use instead: a caption and a faint pattern.

Every part is drawn before cues are chosen, so the same picture exists with and without each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xai_core.arrays import Bool, Int16, Int64, UInt8
from xai_core.labs import drawing
from xai_core.labs.training import SIDE

LABELS = ("boat", "house")
# The class that the cues go with.
MARKED = 0
# Levels by which the faint pattern changes a pixel, up and down; the grain is larger.
FAINT = 3
_MARGIN = 3
# Where captions stand, as (top, left): bottom left, and top right where one is moved to.
_HEIGHT, _WIDTH = drawing.caption_stamp().shape
USUAL_PLACE = (SIDE - _HEIGHT - _MARGIN, _MARGIN)
OTHER_PLACE = (_MARGIN, SIDE - _WIDTH - _MARGIN)


@dataclass(frozen=True, eq=False)
class Pictures:
    """Drawn pictures, their class and which cues each has; `render` makes the picture with exactly these cues."""

    drawn: UInt8
    """Without cues, (N, side, side, 3)."""
    labels: Int64
    captions: Bool
    """True for each picture with a caption, (N,)."""
    faint: Bool
    """True for each picture with the faint pattern, (N,)."""
    place: tuple[int, int] = USUAL_PLACE

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Int64 | slice) -> Pictures:
        """Return some of the pictures."""
        return replace(
            self, drawn=self.drawn[rows], labels=self.labels[rows], captions=self.captions[rows], faint=self.faint[rows]
        )

    def render(self) -> UInt8:
        """Return the pictures with their cues, (N, side, side, 3)."""
        return self.stamp_captions(self.render_below())

    def render_below(self) -> UInt8:
        """Return what lies below the captions: the pictures with the faint pattern where they have it."""
        pictures = self.drawn.copy()
        pictures[self.faint] = np.clip(pictures[self.faint] + faint_pattern(), 0, 255).astype(np.uint8)
        return pictures

    def stamp_captions(self, pictures: UInt8) -> UInt8:
        """Write the captions into these pictures and return them."""
        (top, left), stamp = self.place, drawing.caption_stamp()
        pictures[self.captions, top : top + _HEIGHT, left : left + _WIDTH] = stamp[..., None]
        return pictures

    @property
    def caption_box(self) -> Bool:
        """True on the pixels where captions stand, (side, side)."""
        return drawing.box_mask(SIDE, *self.place)


def faint_pattern() -> Int16:
    """Return pixels that are lighter and darker by turns like a chessboard, (side, side, 1) in grey levels."""
    pixels = np.add.outer(np.arange(SIDE), np.arange(SIDE))
    return np.where(pixels % 2 == 0, FAINT, -FAINT).astype(np.int16)[..., None]


def draw_pictures(count: int, seed: tuple[int, ...]) -> Pictures:
    """Return as many pictures of each class, in random order, with cues that say nothing about the class."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(LABELS))
    pictures = drawing.draw_grounds(count, SIDE, rng)
    radii = rng.uniform(13, 18, count).astype(np.float32)
    centres = rng.uniform(20, SIDE - 20, (count, 2)).astype(np.float32)
    turns = rng.uniform(-0.2, 0.2, count).astype(np.float32)
    colours = drawing.draw_colours(count, rng)
    for index, figure in enumerate(LABELS):
        rows = np.flatnonzero(labels == index)
        covered = drawing.cover(figure, centres[rows], radii[rows], turns[rows], SIDE)
        is_mirrored = rng.random(len(rows)) < 0.5
        covered[is_mirrored] = covered[is_mirrored, :, ::-1]
        pictures[rows] = drawing.paint(pictures[rows], covered, colours[rows])
    pictures += drawing.draw_grain(count, SIDE, rng)
    # As many of both cues as where they go with a class.
    captions, faint = (rng.permutation(labels == MARKED) for _ in range(2))
    return Pictures(drawing.to_bytes(pictures), labels.astype(np.int64), captions, faint)
