"""Spread of a method that draws at random: the same map by three seeds, and how far their gains differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xai_core.engine.jobs import Job, JobPart
from xai_core.methods.run.explain import Plan, carry_out
from xai_core.trust.hiding.faithfulness import faithfulness
from xai_core.trust.hiding.fills import FILLS
from xai_core.trust.hiding.pieces import STEPS

SEEDS = 3
TESTED = 1 + len(FILLS) * (2 * STEPS - 1)


def measure_seed_range(planned: Plan, pieces: str = "grid", job: Job[Any] | None = None) -> tuple[float, ...]:
    """Return the symmetric relevance gain of the map by each of three seeds, beginning with the plan's own.

    Raises what `explain` and `faithfulness` raise.
    """
    whole = job or Job()
    cost = planned.spec.cost(planned.params, planned.model.side) + TESTED
    whole.expect(SEEDS * cost)
    gains = []
    for number in range(SEEDS):
        result = carry_out(replace(planned, seed=planned.seed + number), JobPart(whole))
        test = faithfulness(planned.model, planned.image, result, 0, JobPart(whole), pieces, shifts=0)
        gains.append(test.gain)
    return tuple(gains)
