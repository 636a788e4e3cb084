"""Sentences about a map: position of its evidence, meaning of its colours, oddities."""

from __future__ import annotations

import numpy as np

from xai_core.arrays import Float
from xai_core.formatting import number

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
# Share in the best ninth below which evidence is called spread out (an even spread has 0.11).
SPREAD = 0.18
# Share of the first place's evidence from which a second place is named.
NEAR_EQUAL = 0.75
# Share of all evidence from which evidence against is mentioned.
NOTABLE = 0.05


def is_flat(heatmap: Float) -> bool:
    """Return whether no place stands out: nothing finite, or the same value everywhere up to float32 rounding."""
    finite = heatmap[np.isfinite(heatmap)]
    if finite.size == 0:
        return True
    return bool(np.ptp(finite.astype(np.float64)) <= 1e-6 * np.abs(finite).max())


def describe(heatmap: Float) -> str:
    """Return a sentence on an oddity of this map, "" where there is none."""
    finite = heatmap[np.isfinite(heatmap)]
    if finite.size == 0:
        return "This map holds no numbers at all, so there is nothing to show."
    if not finite.any():
        return "This map is zero everywhere: it singles out no place."
    if is_flat(heatmap):
        return f"This map is flat: it says {number(float(finite.flat[0]))} everywhere and singles out no place."
    missing = heatmap.size - finite.size
    if missing:
        places = "1 place has" if missing == 1 else f"{missing} places have"
        return f"{places} no number and no colour, out of {heatmap.size}."
    if finite.max() <= 0:
        return "This map holds only evidence against the class."
    return ""


def evidence_by_ninth(evidence: Float) -> list[tuple[float, str]]:
    """Return (share of the evidence, place) for each ninth of the picture, largest first."""
    ninths = [ninth.sum() for rows in np.array_split(evidence, 3, axis=0) for ninth in np.array_split(rows, 3, axis=1)]
    return sorted(zip((np.array(ninths) / evidence.sum()).tolist(), PLACES, strict=True), key=lambda pair: -pair[0])


def describe_place(evidence: Float) -> str:
    (most, first), (next_most, second), *_ = evidence_by_ninth(evidence)
    if most < SPREAD:
        return "spread over the whole picture"
    return f"{first} and {second}" if next_most >= NEAR_EQUAL * most else first


def text_alternative(heatmap: Float) -> str:
    """Return the position of the evidence in words, for someone who cannot see the picture."""
    if is_flat(heatmap):
        return describe(heatmap)
    values = np.where(np.isfinite(heatmap), heatmap, 0.0).astype(np.float64)
    evidence, against = np.clip(values, 0, None), np.clip(-values, 0, None)
    total = evidence.sum() + against.sum()
    first = f"Most evidence: {describe_place(evidence)}." if evidence.any() else "No evidence for the class."
    if against.sum() < NOTABLE * total:
        return first
    too = " too" if evidence.any() and describe_place(evidence) == describe_place(against) else ""
    return f"{first} Evidence against: {describe_place(against)}{too}."


def scale_caption(scale: float, unit: str, *, shared: bool = False, signed: bool = True, clipped: bool = False) -> str:
    """Return the value of full colour in the map's unit, and whether it is shared with other maps."""
    if scale <= 0:
        return "Nothing to colour: the map is zero."
    amount = f"{'±' if signed else ''}{number(scale)}{f' {unit}' if unit else ''}"
    whose = "one scale for all maps beside it in this unit" if shared else "this map's own scale"
    more = "; a few places go beyond" if clipped else ""
    return f"Full colour: {amount} ({whose}{more})."


def peak_of(heatmap: Float) -> float:
    """Return the largest finite |value|, 0.0 if there is none."""
    return float(np.abs(heatmap[np.isfinite(heatmap)]).max(initial=0.0))


def exceeds_scale(peak: float, scale: float) -> bool:
    """Return whether the scale clips values of a map whose largest |value| is `peak`."""
    return peak > scale * (1 + 1e-6)
