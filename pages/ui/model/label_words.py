"""A unit's label in words: how good it is, how sure, and why it may not count."""

from __future__ import annotations

import math
from collections.abc import Iterator

from xai_core.formatting import percent, score
from xai_core.inside import MIN_IOU, Dissection, UnitLabel

ANY = "any concept"


def format_share(share: float) -> str:
    """Return a small share in percent with one digit: "3.1 %"."""
    return f"{100 * share:.1f} %"


def count_units(count: int) -> str:
    """Return a number of units with its verb."""
    return f"{count:,} unit is" if count == 1 else f"{count:,} units are"


def name_label(label: UnitLabel) -> str:
    """Return the concept that a unit is named by; of one that is no detector, the concept that it matches best."""
    if label.concept is None:
        return "no concept"
    return label.concept if label.is_detector else f"no certain concept (most like {label.concept})"


def describe_label(label: UnitLabel, result: Dissection) -> Iterator[str]:
    """Yield sentences on a label, the answer first."""
    if label.concept is None:
        yield "This unit gives the same answer nearly everywhere in these pictures, so there is nothing to compare."
        return
    # The verdict comes before the figures it is made of.
    verdict = "It is a detector" if label.is_detector else "It is not a detector"
    yield (
        f"{verdict} of “{label.concept}”, the concept it matches best: IoU {score(label.iou)} of at most "
        f"{score(label.reachable)}."
    )
    yield (
        f"With other pictures of the same kind the IoU would lie between {score(label.low)} and {score(label.high)}, "
        "95 times out of 100."
    )
    if math.isnan(label.p):
        yield "The label was not tested on other pictures: none were held back that differ in this concept."
    else:
        confirms = label.p <= 0.05
        odds = "fewer than 1 in 1,000" if label.p < 0.001 else percent(label.p)
        yield (
            f"On {result.held_out} other pictures its answer {'sorts' if confirms else 'does not sort'} those that "
            f"show the concept first: AUPRC {score(label.precision)}, a random order gets {score(label.chance)}; "
            f"{odds} of random orders do as well."
        )
    if label.iou <= MIN_IOU:
        yield f"An IoU up to {MIN_IOU} is too little to name the unit by it."
    elif not label.passes:
        yield "So the match may be luck. Do not name the unit by it."
    if label.saturated:
        yield f"Saturated: {format_share(label.saturated)} of places reach the largest value, and all of them count."
