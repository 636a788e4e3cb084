"""Sources of ideas: drawn pictures, or the labels of a picture set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image

from xai_core.arrays import Int64
from xai_core.imageset import ImageSet
from xai_core.inside import MAX_CONCEPTS, MIN_PICTURES, ConceptKit, Pictures

# On two cores a colour network looks at 400 pictures in some ten seconds.
IDEA_PICTURES, RANDOM_PICTURES = 20, 100


class Rows:
    """Rows of a picture set, opened one at a time."""

    def __init__(self, dataset: ImageSet, rows: Int64) -> None:
        self._dataset, self._rows = dataset, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Image.Image:
        return self._dataset.open(int(self._rows[index]))


class IdeaSource(NamedTuple):
    """Pictures of each idea by name, random pictures, and titles."""

    ideas: Mapping[str, Pictures]
    random: Pictures
    titles: Mapping[str, str]


def draw_kit(kit: ConceptKit) -> IdeaSource:
    """Return the ideas of a kit, drawn anew."""
    ideas = {name: kit.pictures(name, IDEA_PICTURES) for name in kit.titles}
    return IdeaSource(ideas, kit.random(RANDOM_PICTURES), kit.titles)


def split_set(dataset: ImageSet) -> IdeaSource:
    """Return the labels of a set that have enough pictures as ideas, and pictures from all over it as random ones."""
    labels = np.asarray(dataset.labels)
    ideas: dict[str, Pictures] = {}
    for place, name in enumerate(dataset.classes):
        rows = np.flatnonzero(labels == place)
        if len(rows) >= MIN_PICTURES and len(ideas) < MAX_CONCEPTS - 1:
            ideas[name] = Rows(dataset, spread_rows(rows, IDEA_PICTURES))
    everything = Rows(dataset, spread_rows(np.arange(len(dataset)), RANDOM_PICTURES))
    return IdeaSource(ideas, everything, {name: name for name in ideas})


def spread_rows(rows: Int64, count: int) -> Int64:
    """Return at most `count` of the rows, evenly spread."""
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64)
    return np.asarray(rows[np.unique(places)])
