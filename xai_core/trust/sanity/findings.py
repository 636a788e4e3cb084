"""Tests of a map that have been made already, as findings for its badge. Nothing is computed."""

from __future__ import annotations

from xai_core.results import Attribution, Check
from xai_core.trust.hiding.faithfulness import find_faithfulness
from xai_core.trust.hiding.wording import check_faithfulness
from xai_core.trust.sanity.records import find_own_outcome
from xai_core.trust.sanity.service import find_randomization
from xai_core.trust.sanity.wording import check_outcome, check_randomization


def find_tests(result: Attribution) -> tuple[Check, ...]:
    """Return the hiding test of a map and the test of its method by shuffled weights, where they are remembered.

    A method that passes the latter has no finding: a map that changes proves nothing.
    """
    hiding, shuffling = find_faithfulness(result), find_randomization(result)
    # After a restart the test itself is gone; its outcome is kept.
    sanity = check_outcome(find_own_outcome(result)) if shuffling is None else check_randomization(shuffling)
    findings = (None if hiding is None else check_faithfulness(hiding), sanity)
    return tuple(finding for finding in findings if finding is not None)
