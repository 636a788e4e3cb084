"""Sentences on sanity tests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from xai_core.formatting import number
from xai_core.results import Check
from xai_core.trust.sanity.randomization import SEEDS, Randomization, SanityVerdict

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "unchanged": "The map hardly changes when the network's weights are shuffled.",
        "changed": "The map changes when the network's weights are shuffled.",
        "flat": "With shuffled weights the map is the same everywhere.",
        "unclear": "This test cannot tell: maps of two seeds or pictures are as different as any two.",
    }
)
_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "unchanged": (
            "A network with shuffled weights knows nothing, so a map that stays the same does not show what the "
            "network knows. This speaks against the method."
        ),
        "changed": (
            "That is what a useful map does, but a map of pure noise does it too. So this is evidence of nothing: only "
            "an unchanged map would have told us something."
        ),
        "flat": "There was nothing left to compare, so this says nothing for or against the method.",
        "unclear": "So this says nothing for or against the method on this picture.",
    }
)


def describe_randomization(result: Randomization) -> tuple[str, str]:
    """Return what came of the test and what that means."""
    return TITLES[result.verdict], _MEANINGS[result.verdict]


def describe_similarity(result: Randomization) -> str:
    """Return the similarity by entirely shuffled weights between its two anchors."""
    values = result.cascade[result.measure][-1]
    if not np.isfinite(values).any():
        return ""
    low, high = np.nanmin(values), np.nanmax(values)
    return (
        f"With all weights shuffled the similarity is {number(float(np.nanmean(values)))} ({number(float(low))} to "
        f"{number(float(high))} over {SEEDS} shuffles). It would be {number(result.ceiling)} for the same weights and "
        f"{number(result.floor)} for another picture."
    )


def check_randomization(result: Randomization) -> Check | None:
    """Return the test as a finding for the badge: red where the map is unchanged, else None. It is never green."""
    return check_outcome(result.verdict, float(result.similarity[-1]))


def check_outcome(verdict: SanityVerdict | None, similarity: float | None = None) -> Check | None:
    """Return the outcome of a test as a finding: red where the map is unchanged, else None."""
    if verdict != "unchanged":
        return None
    return Check("randomization", "red", f"{TITLES[verdict]} {_MEANINGS[verdict]}", similarity)
