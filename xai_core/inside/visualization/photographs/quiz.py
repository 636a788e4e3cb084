"""Quiz: which of two photographs does a unit like more? The share of right answers measures what a page explains.

Borowski et al. 2021, arXiv:2010.12606.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xai_core.arrays import Float
from xai_core.errors import InvalidParam

MIN_PICTURES = 8
# Shares of the pictures from which the liked one and the other one are drawn.
LIKED_SHARE, OTHER_SHARE = 0.15, 0.6


@dataclass(frozen=True)
class Question:
    """Two pictures by number, in the order in which they are shown; `answer` is the one the unit likes more."""

    left: int
    right: int
    answer: int


def make_quiz(values: Float, rounds: int, seed: int, exclude: tuple[int, ...] = ()) -> tuple[Question, ...]:
    """Return questions about pictures with these values of a unit, (N,); no picture is shown twice.

    `exclude`: pictures that are on the page already. The same seed gives the same questions.

    Raises InvalidParam where too few pictures are left for one question.
    """
    order = [int(number) for number in np.argsort(-values, kind="stable") if int(number) not in exclude]
    if len(order) < MIN_PICTURES:
        raise InvalidParam(f"A quiz needs at least {MIN_PICTURES} pictures beside the ones shown. Got {len(order)}.")
    rng = np.random.default_rng(seed)
    liked = order[: max(round(LIKED_SHARE * len(order)), 1)]
    others = order[-max(round(OTHER_SHARE * len(order)), 1) :]
    rounds = min(rounds, len(liked), len(others))
    pairs = zip(rng.choice(liked, rounds, replace=False), rng.choice(others, rounds, replace=False), strict=True)
    questions = []
    for good, poor in pairs:
        if values[good] > values[poor]:
            left, right = (good, poor) if rng.random() < 0.5 else (poor, good)
            questions.append(Question(int(left), int(right), int(good)))
    return tuple(questions)
