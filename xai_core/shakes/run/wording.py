"""Sentences about shaken pictures: how much the answer and its explanation can take."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xai_core.formatting import number, percent
from xai_core.shakes.run.curves import Curve
from xai_core.shakes.run.maps import ShakenMap
from xai_core.shakes.run.mixes import Mixes
from xai_core.trust.map_agreement import AGREE

# Rank correlation from which a map is called the same.
_SAME = 0.7


def describe_curve(curve: Curve) -> str:
    """Return in two sentences at how many steps the answer stays, and the nearest step at which it does not."""
    steps = [point for point in curve.points if point.value != curve.shake.neutral]
    same = sum(point.is_same for point in steps)
    first = (
        f"Stability {percent(curve.stability)}: the model still says {curve.before.answer} at {same} of "
        f"{len(steps)} steps."
    )
    change = curve.nearest_change
    if change is None:
        return f"{first} No step of this shake changes its answer."
    return (
        f"{first} The mildest step that changes its answer is “{change.words}”: it says {change.answer} "
        f"({percent(change.answer_probability)})."
    )


def describe_weakest(curves: Sequence[Curve]) -> str:
    """Return in two sentences which shake changes the answer most, and how many never do."""
    weakest, answer = min(curves, key=lambda curve: curve.stability), curves[0].before.answer
    if weakest.stability == 1:
        return f"No step of any shake changes the answer {answer}."
    title = weakest.shake.short_title
    harmless = sum(curve.stability == 1 for curve in curves)
    rest = (
        f"{harmless} of {len(curves)} shakes never change it." if harmless else "Every shake changes it at some step."
    )
    return (
        f"The answer {answer} depends most on this: {title[0].lower()}{title[1:]} (stability "
        f"{percent(weakest.stability)}). {rest}"
    )


def describe_restored_maps(maps: Sequence[ShakenMap]) -> str:
    """Return in a sentence whether the explanation moves along with the picture; the first map is the original's."""
    ranks = [shaken.rank for shaken in maps[1:]]
    if not ranks:
        return "Choose at least one step to see its map."
    if any(map(math.isnan, ranks)):
        return "One of these maps is the same everywhere, or shows too little of the picture, so it has no order."
    mean = sum(ranks) / len(ranks)
    verdict = "stays" if mean >= _SAME else "stays in part" if mean >= AGREE else "does not stay"
    return (
        f"The explanation {verdict} where it was on the thing: rank correlation {number(mean)} on average with the map "
        "of the picture as it is (1 is the same order of places, 0 is none)."
    )


def describe_mixes(mixes: Mixes) -> str:
    """Return in a sentence how many varied pictures keep the answer."""
    same, count = sum(mix.point.is_same for mix in mixes.mixes), len(mixes.mixes)
    return (
        f"Stability {percent(mixes.stability)}: the model says {mixes.before.answer} for {same} of {count} mildly "
        "changed pictures."
    )
