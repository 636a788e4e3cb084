"""Sentences about a map: where its evidence lies, what its colours mean, and what is odd about it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

PLACES = (
    "top left",
    "top centre",
    "top right",
    "centre left",
    "centre",
    "centre right",
    "bottom left",
    "bottom centre",
    "bottom right",
)
SPREAD = 0.18
"""Below this share in its best ninth (an even spread has 0.11) evidence is called spread out."""
NEAR_EQUAL = 0.75
"""A second place is named when it holds at least this much of the first one's evidence."""
NOTABLE = 0.05
"""Evidence against is mentioned from this share of all evidence on."""


def _number(value: float) -> str:
    return f"{value:.3g}"


def is_flat(heatmap: Floats) -> bool:
    """True where no place stands out: nothing finite, or the same value everywhere (up to float32 rounding)."""
    finite = heatmap[np.isfinite(heatmap)]
    if finite.size == 0:
        return True
    return bool(np.ptp(finite.astype(np.float64)) <= 1e-6 * np.abs(finite).max())


def describe(heatmap: Floats) -> str:
    """One sentence on what is odd about this map, "" where nothing is."""
    finite = heatmap[np.isfinite(heatmap)]
    if finite.size == 0:
        return "This map holds no numbers at all, so there is nothing to show."
    if not finite.any():
        return "This map is zero everywhere: it singles out no place."
    if is_flat(heatmap):
        return f"This map is flat: it says {_number(float(finite.flat[0]))} everywhere and singles out no place."
    missing = heatmap.size - finite.size
    if missing:
        places = "1 place has" if missing == 1 else f"{missing} places have"
        return f"{places} no number and no colour, out of {heatmap.size}."
    if finite.max() <= 0:
        return "This map holds only evidence against the class."
    return ""


def _shares(evidence: Floats) -> list[tuple[float, str]]:
    """(share of the evidence, place) for each ninth of the picture, largest first."""
    ninths = [ninth.sum() for rows in np.array_split(evidence, 3, axis=0) for ninth in np.array_split(rows, 3, axis=1)]
    return sorted(zip((np.array(ninths) / evidence.sum()).tolist(), PLACES, strict=True), key=lambda pair: -pair[0])


def _where(evidence: Floats) -> str:
    (most, first), (next_most, second), *_ = _shares(evidence)
    if most < SPREAD:
        return "spread over the whole picture"
    return f"{first} and {second}" if next_most >= NEAR_EQUAL * most else first


def text_alternative(heatmap: Floats) -> str:
    """Where the evidence lies, for someone who cannot see the picture: "Most evidence: centre left. Evidence against: top right."."""
    if is_flat(heatmap):
        return describe(heatmap)
    values = np.where(np.isfinite(heatmap), heatmap, 0.0).astype(np.float64)
    evidence, against = np.clip(values, 0, None), np.clip(-values, 0, None)
    total = evidence.sum() + against.sum()
    first = f"Most evidence: {_where(evidence)}." if evidence.any() else "No evidence for the class."
    if against.sum() < NOTABLE * total:
        return first
    too = " too" if evidence.any() and _where(evidence) == _where(against) else ""
    return f"{first} Evidence against: {_where(against)}{too}."


def scale_caption(scale: float, unit: str, *, shared: bool = False, signed: bool = True, clipped: bool = False) -> str:
    """What full colour stands for, in the map's own unit, and whether other maps use the same scale."""
    if scale <= 0:
        return "Nothing to colour: the map is zero."
    amount = f"{'±' if signed else ''}{_number(scale)}{f' {unit}' if unit else ''}"
    whose = "one scale for all maps beside it in this unit" if shared else "this map's own scale"
    more = "; a few places go beyond" if clipped else ""
    return f"Full colour: {amount} ({whose}{more})."


def peak_of(heatmap: Floats) -> float:
    """The largest |value| among the finite ones, 0.0 if there is none."""
    return float(np.abs(heatmap[np.isfinite(heatmap)]).max(initial=0.0))


def goes_beyond(peak: float, scale: float) -> bool:
    """True where the scale cuts values of a map whose largest |value| is `peak`."""
    return peak > scale * (1 + 1e-6)
