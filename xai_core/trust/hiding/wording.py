"""Sentences on the faithfulness of a map: probabilities in words, figures in log-odds."""

from __future__ import annotations

from collections.abc import Sequence

from xai_core.formatting import count_in_words, number, percent
from xai_core.results import Check
from xai_core.trust.hiding.comparisons import TOP, Comparison
from xai_core.trust.hiding.faithfulness import Faithfulness

# Share of the shifted copies from which the places of a map matter, and up to which they do not.
GOOD_SHARE, POOR_SHARE = 0.9, 0.6
# Fall in probability that a visitor would notice.
MIN_FALL = 0.02
FLAT = "This map is the same everywhere: it puts no place before another, so there is nothing to test."


def describe_faithfulness(result: Faithfulness) -> tuple[str, ...]:
    """Return what came of the test in one to two sentences."""
    comparison = result.comparison
    if comparison is None:
        return (FLAT,)
    return (_describe_top(comparison, result.label), describe_beats(comparison))


def _describe_top(comparison: Comparison, label: str) -> str:
    tenth = f"the top {percent(TOP)} of this map"
    start, end = comparison.start, comparison.top
    if end > start + MIN_FALL:
        return f"Removing {tenth} raises {label} from {percent(start)} to {percent(end)}: it holds evidence against it."
    if start - end < MIN_FALL:
        return f"Removing {tenth} hardly changes {label}: it had {percent(start)} and has {percent(end)}."
    fall = f"Removing {tenth} drops {label} from {percent(start)} to {percent(end)}"
    if comparison.needed >= 1:
        return f"{fall}; most shifted copies of it never bring it so low."
    return f"{fall}; a shifted copy needs {percent(comparison.needed)}."


def describe_beats(comparison: Comparison) -> str:
    """Return how the map stands to its copies, to a blob in the middle and to the picture's edges."""
    count = len(comparison.shifted)
    beaten = f"It beats {comparison.wins} of {count} shifted copies of itself"
    worse = [
        name
        for name, gain in (("a blob in the middle", comparison.center), ("the edges of the picture", comparison.edges))
        if gain >= comparison.gain
    ]
    if not worse:
        return f"{beaten}, a blob in the middle and the edges of the picture."
    return f"{beaten}, but not {' or '.join(worse)}."


def check_faithfulness(result: Faithfulness) -> Check:
    """Return the test as a finding for the badge of the map: green, amber, never red by itself.

    A map that loses against its copies may still be right about a picture whose evidence is everywhere.
    """
    comparison = result.comparison
    if comparison is None:
        return Check("faithfulness", "amber", FLAT, 0.0)
    good = comparison.beats >= GOOD_SHARE and result.gain > 0
    sentence = f"Hiding test. {_describe_top(comparison, result.label)} {describe_beats(comparison)}"
    return Check("faithfulness", "green" if good else "amber", sentence, comparison.beats)


def describe_seed_range(gains: Sequence[float]) -> str:
    """Return how far the gains of one method differ between seeds; a smaller difference than that means nothing."""
    low, high = min(gains), max(gains)
    return (
        f"This method draws at random. Over {count_in_words(len(gains))} seeds its gain lies between {number(low)} and "
        f"{number(high)}: a difference of less than {number(high - low)} to another map is nothing."
    )
