"""Sentences about what the tests have shown and how the maps did."""

from __future__ import annotations

from collections.abc import Sequence

from xai_core.formatting import join_words, percent
from xai_core.labs.cheater.interventions import INTERVENTIONS, Outcome
from xai_core.labs.cheater.judgement import ACCUSES, FINDS, MapScore

# Share of the test pictures that a network must lose before a test counts against it.
MIN_LOSS = 0.1


def describe_outcomes(outcomes: Sequence[Outcome], baseline: Sequence[Outcome]) -> tuple[str, ...]:
    """Return a sentence for each test that made a network worse than in `baseline`, and one if none did."""
    before = {outcome.letter: outcome.accuracy for outcome in baseline}
    sentences = []
    for name in dict.fromkeys(outcome.intervention for outcome in outcomes):
        fallen = [
            f"network {outcome.letter} falls from {percent(before[outcome.letter])} to {percent(outcome.accuracy)}"
            for outcome in outcomes
            if outcome.intervention == name and before[outcome.letter] - outcome.accuracy > MIN_LOSS
        ]
        if fallen:
            sentences.append(f"{INTERVENTIONS[name].title}: {join_words(fallen)}.")
    return tuple(sentences) or ("No network gets worse by any of these tests.",)


def describe_scores(scores: Sequence[MapScore]) -> str:
    """Return in a sentence how many methods find the caption and how many accuse the honest network."""
    finds, accuses = sum(score.finds for score in scores), sum(score.accuses for score in scores)
    honest = "None of them accuses" if not accuses else f"{accuses} of them accuse{'s' if accuses == 1 else ''}"
    return (
        f"{finds} of {len(scores)} methods find the caption of the network that reads it: at least {FINDS:g} times the "
        f"evidence that its area would get by chance. {honest} the honest network (more than {ACCUSES:g} times)."
    )
