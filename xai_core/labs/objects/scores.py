"""Scores of the methods where the truth is known: assets/labs/truth.json, written by `python -m benchmarks.truth`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from xai_core.labs.objects.ranking import Ranked
from xai_core.labs.texts import TEXTS

SCORES = TEXTS / "truth.json"


@dataclass(frozen=True)
class TruthScore:
    """Mean rank correlation of a method's maps with removal on pasted photographs, with its 95 % interval."""

    rank: float
    low: float
    high: float
    scenes: int


def collect_scores(rows: Sequence[Ranked]) -> dict[str, TruthScore]:
    """Return the scores of the default settings, by method, best first."""
    return {
        row.setting.method: TruthScore(
            round(row.rank, 2), round(row.rank_interval[0], 2), round(row.rank_interval[1], 2), len(row.ranks)
        )
        for row in rows
        if not row.setting.words
    }


def write_scores(scores: Mapping[str, TruthScore], file: Path = SCORES) -> None:
    """Write the scores as JSON."""
    content = {method: asdict(score) for method, score in scores.items()}
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


@cache
def truth_scores() -> Mapping[str, TruthScore]:
    """Return the scores by method, best first; empty where none have been measured."""
    if not SCORES.is_file():
        return MappingProxyType({})
    content = json.loads(SCORES.read_text(encoding="utf-8"))
    return MappingProxyType({method: TruthScore(**entry) for method, entry in content.items()})


def describe_truth(method: str) -> str:
    """Return in a sentence how a method's maps did where the truth is known; empty where it was not measured."""
    scores = truth_scores()
    if method not in scores:
        return ""
    score = scores[method]
    place = 1 + sum(peer.rank > score.rank for peer in scores.values())
    words = f"{score.rank:.2f} ({score.low:.2f} to {score.high:.2f})".replace("-", "−")
    return (
        f"{words} on {score.scenes} scenes of photographs, place {place} of {len(scores)}: 1 orders the things as "
        "removing them does, 0 is no better than chance"
    )
