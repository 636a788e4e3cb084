"""Was a map that a visitor saw the right one? The same request made here, alone and one after another, is what it is
held against.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

import xai_core
from benchmarks.load.page import Card
from xai_core.render.wire import NO_NUMBER

LARGEST_DIFFERENCE = 1e-3
"""Of the map's largest value: what rounding for the way and batches of another size may change, with room."""
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Wanted:
    """What a map was asked for with. `picture` is its place in the list of pictures."""

    picture: int
    target: int
    seed: int = 0
    params: tuple[tuple[str, object], ...] = ()
    method: str = ""

    @property
    def words(self) -> str:
        return f"{self.method} of picture {self.picture}, class {self.target}, seed {self.seed}"


@dataclass(frozen=True)
class Shown:
    """A card as it stood on a visitor's page, and what it should show."""

    wanted: Wanted
    card: Card


@dataclass
class Verdict:
    """How many maps were checked, what was wrong with which, and the evaluations they take."""

    maps: int = 0
    wrong: list[str] = field(default_factory=list)
    worst: float = 0.0
    forwards: int = 0
    gradients: int = 0


def unpack(wire: Mapping[str, Any]) -> Floats:
    """The numbers (H, W) of a map on its way to the browser; NaN where it has none.

    The inverse of xai_core.render.wire.pack.
    """
    whole = np.frombuffer(zlib.decompress(base64.b64decode(wire["values"])), "<i2").astype(np.float64)
    columns, rows = wire["grid"]
    return np.where(whole == NO_NUMBER, np.nan, whole / 32767 * wire["peak"]).reshape(rows, columns)


def difference(found: Floats, expected: Floats) -> float:
    """The largest difference as a share of the expected map's largest value; infinite where the two cannot be compared.
    """
    if found.shape != expected.shape or (np.isfinite(found) != np.isfinite(expected)).any():
        return float("inf")
    gap = float(np.nanmax(np.abs(found - expected), initial=0.0))
    scale = float(np.nanmax(np.abs(expected), initial=0.0))
    return gap / scale if scale else gap


def _again(model: xai_core.Classifier, pictures: Sequence[Image.Image], wanted: Wanted) -> xai_core.Attribution:
    picture = pictures[wanted.picture]
    return xai_core.explain(model, picture, wanted.method, wanted.target, params=dict(wanted.params), seed=wanted.seed)


def judge(
    model: xai_core.Classifier,
    pictures: Sequence[Image.Image],
    shown: Sequence[Shown],
    tell: Callable[[str], None] = lambda _line: None,
) -> Verdict:
    """Make every map again and compare. A card without a map is wrong, too."""
    verdict = Verdict()
    made: dict[Wanted, xai_core.Attribution] = {}
    for place, each in enumerate(shown):
        if each.wanted not in made:
            made[each.wanted] = _again(model, pictures, each.wanted)
        verdict.maps += 1
        _weigh(verdict, each, made[each.wanted])
        if place % 40 == 39:
            tell(f"compared {place + 1} of {len(shown)} maps")
    return verdict


def _weigh(verdict: Verdict, each: Shown, expected: xai_core.Attribution) -> None:
    slopes = expected.evaluations - 1 if xai_core.METHODS.get(expected.method).gradient else 0
    verdict.gradients += slopes
    verdict.forwards += expected.evaluations - slopes
    if each.card["map"] is None:
        verdict.wrong.append(f"{each.wanted.words}: {each.card['state']}, {each.card['message'] or 'without a word'}")
        return
    gap = difference(unpack(each.card["map"]), expected.heatmap)
    verdict.worst = max(verdict.worst, gap)
    if not gap <= LARGEST_DIFFERENCE:
        verdict.wrong.append(f"{each.wanted.words}: differs by {gap:.2g} of its largest value")
