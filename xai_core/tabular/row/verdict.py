"""Verdict on the bars of each method about one row: what was tested, in one of four states, and what was not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xai_core.formatting import join_words
from xai_core.results import Check
from xai_core.tabular.row.agreement import agreement_rows
from xai_core.tabular.row.explain import TABULAR_METHODS, Contributions
from xai_core.trust import AGREE, CONTRADICT, MapVerdict, find_state, is_test

NOT_COMPARED = "No other method's bars were there to compare these with."
NOT_CHANGED = "No cell of the row was changed to see whether the answer moves as its bar says: “What if …?” above does."


def judge_rows(results: Sequence[Contributions]) -> tuple[MapVerdict, ...]:
    """Return the verdict on each explanation of one row: its own checks, and how it stands to the others.

    "distrust" if any finding is red, "care" if any is amber, "fine" only where something was tested.

    Raises: InvalidParam (explanations of different features or outcomes).
    """
    ranks = agreement_rows(results).rank
    names = [TABULAR_METHODS.get(result.method).technical for result in results]
    verdicts = []
    for place, result in enumerate(results):
        ranked = {
            names[k]: float(ranks[place, k]) for k in range(len(names)) if k != place and np.isfinite(ranks[place, k])
        }
        comparison = [_compare(ranked)] if ranked else []
        findings = (*result.checks, *comparison)
        state = find_state({finding.level for finding in findings}, any(map(is_test, findings)))
        untested = (*(() if comparison else (NOT_COMPARED,)), NOT_CHANGED)
        verdicts.append(MapVerdict(state, findings, untested))
    return tuple(verdicts)


def _compare(ranks: dict[str, float]) -> Check:
    """Return how bars stand to those of other methods, by rank correlation: green where most of them agree."""
    against = [name for name, rank in ranks.items() if rank <= CONTRADICT]
    agreeing = [name for name, rank in ranks.items() if rank >= AGREE]
    mean = sum(ranks.values()) / len(ranks)
    if against:
        sentence = f"They contradict {join_words(against)}: what raises the answer for one lowers it for the other."
        return Check("agreement", "amber", sentence, mean)
    if 2 * len(agreeing) >= len(ranks):
        return Check(
            "agreement", "green", f"They stand in much the same order as those of {join_words(agreeing)}.", mean
        )
    others = [name for name in ranks if name not in agreeing]
    return Check("agreement", "amber", f"They stand in another order than those of {join_words(others)}.", mean)
