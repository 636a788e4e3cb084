"""The verdict on a map: everything that was tested about it in one of four states, and what was not tested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xai_core.formatting import correlation, count_in_words, join_words
from xai_core.results import Check, Level
from xai_core.trust.checks import CHECKS
from xai_core.trust.map_agreement import CONTRADICT, Agreement

State = Literal["fine", "care", "distrust", "unchecked"]
# Result of a method's sanity check (Adebayo et al. 2018, arXiv:1810.03292), "unknown" where nobody published one.
Sanity = Literal["passes", "fails", "mixed", "unknown"]

# Titles of the states, best first.
STATES: Mapping[State, str] = {
    "fine": "Checked and fine",
    "unchecked": "Not checked",
    "care": "Read with care",
    "distrust": "Not trustworthy",
}
_SANITY_LEVELS: Mapping[Sanity, Level] = {"passes": "green", "mixed": "amber", "fails": "red"}
ONLY_BASICS = "Nothing was tested about this map itself, beyond whether it is empty."
SANITY_UNKNOWN = (
    "Nobody has published whether maps of this method change when the model's weights become random numbers "
    "(sanity check)."
)
NOT_COMPARED = "No map of another method answers the same question here, so there was nothing to compare it with."


@dataclass(frozen=True)
class MapVerdict:
    """State of a map, with the findings behind it and what was not tested, each a sentence for the visitor."""

    state: State
    findings: tuple[Check, ...]
    """The map's own checks, then the record of its method ("sanity") and the comparison with others ("agreement")."""
    untested: tuple[str, ...] = ()

    @property
    def tests(self) -> tuple[Check, ...]:
        """Findings that test the map; that it is not empty does not count."""
        return tuple(finding for finding in self.findings if is_test(finding))

    @property
    def title(self) -> str:
        """The state in words."""
        return STATES[self.state]

    @property
    def place(self) -> int:
        """Place of the state among all, 0 the best."""
        return list(STATES).index(self.state)

    @property
    def summary(self) -> str:
        """Count of the tests that were made and of those that were passed."""
        tests = self.tests
        passed = sum(test.level == "green" for test in tests)
        if not tests:
            return "No test was made."
        count = "One test was made" if len(tests) == 1 else f"{count_in_words(len(tests)).capitalize()} tests were made"
        if passed == len(tests):
            result = "it was passed" if passed == 1 else "all were passed"
        else:
            result = f"{count_in_words(passed) if passed else 'none'} {'were' if passed > 1 else 'was'} passed"
        careful = self.state == "care" and passed == len(tests)
        return f"{count}, and {result}.{' But something else calls for care.' if careful else ''}"


def is_test(finding: Check) -> bool:
    """Return whether a finding tests the map, rather than whether there is anything to test.

    >>> is_test(Check("flat", "green", "The map is not empty.")), is_test(Check("completeness", "green", "Adds up."))
    (False, True)
    """
    return finding.name not in CHECKS or not CHECKS.get(finding.name).basic


def judge_map(
    checks: Sequence[Check], sanity: Sanity, sanity_sentence: str, comparison: Check | None, note: str = ""
) -> MapVerdict:
    """Return the verdict on a map from its own checks, its method's sanity record and the comparison with others.

    "distrust" if any finding is red, "care" if any is amber; "fine" only where the map itself passed a test: its
    method's record alone says nothing about this map, and that it is not empty says nothing at all. `note` is a
    sentence that goes with that record, such as what own tests came to.
    """
    sentence = f"The sanity check of the method. {sanity_sentence} {note}".rstrip()
    record = [Check("sanity", _SANITY_LEVELS[sanity], sentence)] if sanity in _SANITY_LEVELS else []
    findings = (*checks, *record, *([comparison] if comparison else []))
    own_tests = [finding for finding in findings if is_test(finding) and finding.name != "sanity"]
    untested = (
        *(() if own_tests else (ONLY_BASICS,)),
        *(() if record else (f"{SANITY_UNKNOWN} {note}".rstrip(),)),
        *(() if comparison else (NOT_COMPARED,)),
    )
    return MapVerdict(find_state({finding.level for finding in findings}, bool(own_tests)), findings, untested)


def find_state(levels: set[Level], is_tested: bool) -> State:
    """Return the state for findings of these levels; `is_tested`: one of them is a test.

    >>> find_state({"green", "amber"}, True), find_state(set(), False)
    ('care', 'unchecked')
    """
    if "red" in levels:
        return "distrust"
    if "amber" in levels:
        return "care"
    return "fine" if is_tested else "unchecked"


def compare_with(own: int, witnesses: Iterable[int], agreement: Agreement, names: Sequence[str]) -> Check | None:
    """Return how map `own` stands to `witnesses`; None where it can be compared with none of them.

    Green where it agrees with at least half of them and contradicts none, else amber: one of them is wrong, but the
    numbers do not say which.
    """
    places = [place for place in witnesses if place != own and np.isfinite(agreement.rank[own, place])]
    if not places:
        return None
    ranks = {place: float(agreement.rank[own, place]) for place in places}
    against = [place for place in places if ranks[place] <= CONTRADICT]
    if against:
        worst = min(against, key=ranks.__getitem__)
        sentence = (
            f"It contradicts {join_words([names[place] for place in against])} ({correlation(ranks[worst])}): "
            "where one sees evidence for, the other sees evidence against."
        )
        return Check("agreement", "amber", sentence, ranks[worst])
    agreeing = sum(bool(agreement.agrees[own, place]) for place in places)
    mean = sum(ranks.values()) / len(ranks)
    if 2 * agreeing >= len(places):
        sentence = f"It points at the same place as {_count_share(agreeing, len(places), names[places[0]])}."
        return Check("agreement", "green", sentence, mean)
    share = f"only {_count_share(agreeing, len(places), '')}" if agreeing else ""
    other_place = names[places[0]] if len(places) == 1 else f"each of the {count_in_words(len(places))} other maps"
    sentence = f"the same place as {share}" if agreeing else f"another place than {other_place}"
    return Check("agreement", "amber", f"It points at {sentence}.", mean)


def _count_share(count: int, total: int, name: str) -> str:
    if total == 1:
        return name
    if count == total:
        return "both other maps" if total == 2 else f"all {count_in_words(total)} other maps"
    return f"{count_in_words(count)} of the {count_in_words(total)} other maps"
