"""Sentences on methods compared over many pictures."""

from __future__ import annotations

import numpy as np

from xai_core.formatting import join_words, number, percent
from xai_core.methods.base.spec import METHODS
from xai_core.trust.metrics.base.pictures import MIN_PICTURES, PictureComparison
from xai_core.trust.metrics.base.spec import METRICS


def describe_comparison(result: PictureComparison, metric: str) -> str:
    """Return which method is best by a metric over the pictures, and which others may be as good."""
    spec, count = METRICS.get(metric), result.count(metric)
    if count < MIN_PICTURES:
        pictures = "picture has" if count == 1 else "pictures have"
        return (
            f"{spec.title}: {count or 'no'} {pictures} a value by every method, and at least {MIN_PICTURES} are "
            "needed: with fewer, chance decides."
        )
    means, ends = result.summarize(metric)
    write = number if spec.form == "number" else percent
    if spec.direction == "none":
        return (
            f"{spec.title}: {write(means.min())} to {write(means.max())} over {count} pictures. Neither end is better."
        )
    best = int(np.argmax(means) if spec.direction == "more" else np.argmin(means))
    names = [METHODS.get(name).technical for name in result.methods]
    value = f"{write(means[best])} ({write(ends[best, 0])} to {write(ends[best, 1])}) over {count} pictures"
    if len(names) == 1:
        return f"{spec.title}: {value}."
    ties = [METHODS.get(name).technical for name in result.find_ties(metric, best)]
    rest = f"{join_words(ties)} may be as good: the difference may be chance" if ties else "better than all others here"
    return f"{spec.title}: {names[best]} is best with {value}; {rest}."


def describe_anchors(result: PictureComparison) -> str:
    """Return what a map without any merit would get beside marked objects; empty where hardly any are marked."""
    known = np.isfinite(result.object_area)
    if known.sum() < MIN_PICTURES:
        return ""
    return (
        f"Marked objects cover {percent(float(result.object_area[known].mean()))} of their pictures on average, so "
        "evidence spread evenly would have as much on them. Pointing at the middle of the picture hits "
        f"{percent(float(result.center_hits[known].mean()))} of them."
    )
