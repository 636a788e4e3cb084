"""Comparison of the visitors' maps with the same requests computed here, alone and in sequence."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

import xai_core
from benchmarks.load.page import Card
from xai_core.arrays import Float
from xai_core.render.wire import NO_NUMBER

MAX_DIFFERENCE = 1e-3
"""Share of the map's largest value: rounding for the browser and other batch sizes, with a margin."""


@dataclass(frozen=True)
class MapRequest:
    """The request of a map. `picture` is an index into the list of pictures."""

    picture: int
    target: int
    seed: int = 0
    params: tuple[tuple[str, object], ...] = ()
    method: str = ""

    @property
    def words(self) -> str:
        return f"{self.method} of picture {self.picture}, class {self.target}, seed {self.seed}"


@dataclass(frozen=True)
class ShownCard:
    """A card of a visitor's page and its request."""

    request: MapRequest
    card: Card


@dataclass
class Verdict:
    """Number of checked maps, faults in words, and the evaluations of these maps."""

    maps: int = 0
    wrong: list[str] = field(default_factory=list)
    worst: float = 0.0
    forwards: int = 0
    gradients: int = 0


def unpack_map(wire: Mapping[str, Any]) -> Float:
    """Decode a map (H, W) as the browser does; NaN where it has no value.

    The inverse of xai_core.render.wire.pack.
    """
    whole = np.frombuffer(zlib.decompress(base64.b64decode(wire["values"])), "<i2").astype(np.float64)
    columns, rows = wire["grid"]
    return np.where(whole == NO_NUMBER, np.nan, whole / 32767 * wire["peak"]).reshape(rows, columns)


def compute_difference(values: Float, expected: Float) -> float:
    """Return the largest difference as a share of the expected map's largest value; inf if incomparable."""
    if values.shape != expected.shape or (np.isfinite(values) != np.isfinite(expected)).any():
        return float("inf")
    gap = float(np.nanmax(np.abs(values - expected), initial=0.0))
    scale = float(np.nanmax(np.abs(expected), initial=0.0))
    return gap / scale if scale else gap


def _explain_serially(
    model: xai_core.Classifier, pictures: Sequence[Image.Image], request: MapRequest
) -> xai_core.Attribution:
    picture = pictures[request.picture]
    return xai_core.explain(
        model, picture, request.method, request.target, params=dict(request.params), seed=request.seed
    )


def check_maps(
    model: xai_core.Classifier,
    pictures: Sequence[Image.Image],
    shown: Sequence[ShownCard],
    log: Callable[[str], None] = lambda _line: None,
) -> Verdict:
    """Compute every map again and compare. A card without a map counts as wrong."""
    verdict = Verdict()
    serial_maps: dict[MapRequest, xai_core.Attribution] = {}
    for index, shown_card in enumerate(shown):
        if shown_card.request not in serial_maps:
            serial_maps[shown_card.request] = _explain_serially(model, pictures, shown_card.request)
        verdict.maps += 1
        _compare_map(verdict, shown_card, serial_maps[shown_card.request])
        if index % 40 == 39:
            log(f"compared {index + 1} of {len(shown)} maps")
    return verdict


def _compare_map(verdict: Verdict, shown_card: ShownCard, expected: xai_core.Attribution) -> None:
    slopes = expected.evaluations - 1 if xai_core.METHODS.get(expected.method).gradient else 0
    verdict.gradients += slopes
    verdict.forwards += expected.evaluations - slopes
    if shown_card.card["map"] is None:
        verdict.wrong.append(
            f"{shown_card.request.words}: {shown_card.card['state']}, {shown_card.card['message'] or 'without a word'}"
        )
        return
    gap = compute_difference(unpack_map(shown_card.card["map"]), expected.heatmap)
    verdict.worst = max(verdict.worst, gap)
    if not gap <= MAX_DIFFERENCE:
        verdict.wrong.append(f"{shown_card.request.words}: differs by {gap:.2g} of its largest value")
