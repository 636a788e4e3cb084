"""DeepFool: the shortest step to the nearest border between classes, as if borders were straight, over and over.

Moosavi-Dezfooli et al. 2016, arXiv:1511.04599. The step is often shorter than half a grey level a pixel, so a file
cannot hold it: the distance and the smallest scale of the step that survives rounding are two numbers.
"""

from __future__ import annotations

import numpy as np
import torch

from xai_core.attacks.base.request import AttackRequest, Best
from xai_core.attacks.base.spec import ATTACKS, AttackSpec, Outcome
from xai_core.engine.objective_gradients import Objective
from xai_core.params import Int

OVERSHOOT = 0.02
# Part of a logit that a step goes beyond the border.
_BEYOND = 1e-4
# Scales of the step that are rounded and tried, smallest first.
SCALES = tuple(float(scale) for scale in np.geomspace(1, 64, 49))


def run(request: AttackRequest) -> Outcome:
    """Return the picture after the smallest scale of the step that survives rounding; the largest where none does."""
    count = min(request.integer("candidates"), len(request.logits) - 1)
    change = _find_step(request, _choose_candidates(request, count), request.integer("steps"))
    levels = torch.cat([(request.center + change * scale).clamp(0, 255).round() for scale in SCALES])
    best, details = Best(request.center), _measure(change)
    # A few scales at a time: the first one that works is looked for, and it is usually small.
    for part, scales in zip(levels.split(8), np.split(np.array(SCALES), range(8, len(SCALES), 8)), strict=True):
        margins = request.margins(request.ask(part)).tolist()
        best.offer(part, margins)
        request.curve.append(best.margin)
        hit = next((place for place, margin in enumerate(margins) if margin > 0), None)
        if hit is not None:
            return Outcome(part[hit][None], details | {"surviving_scale": float(scales[hit])})
    return Outcome(best.levels, details)


def _choose_candidates(request: AttackRequest, count: int) -> list[int]:
    """Return the classes whose borders are tried: the target, or the likeliest others."""
    if request.target is not None:
        return [request.target]
    return [index for index in request.logits.argsort(descending=True).tolist() if index != request.source][:count]


def _find_step(request: AttackRequest, candidates: list[int], steps: int) -> torch.Tensor:
    """Return the sum of steps from the picture, (1, C, H, W) in levels, a little past the border."""
    source = request.source
    objectives: list[Objective] = [
        lambda logits, rival=rival: logits[:, rival] - logits[:, source]  # type: ignore[misc]
        for rival in candidates
    ]
    change = torch.zeros_like(request.center)
    for _ in range(steps):
        at = (request.center + change * (1 + OVERSHOOT)).clamp(0, 255)
        gaps, gradients = request.gradients(at.expand(len(candidates), -1, -1, -1), objectives)
        if float(gaps.max()) > 0:
            break
        # Pixels at an end of the scale that would leave it cannot take part in the step.
        is_free = ~(((at <= 0) & (gradients < 0)) | ((at >= 255) & (gradients > 0)))
        gradients = gradients * is_free
        squares = gradients.flatten(1).square().sum(1).clamp(min=1e-30)
        nearest = int((gaps.abs() / squares.sqrt()).argmin())
        change = change + (gaps[nearest].abs() + _BEYOND) / squares[nearest] * gradients[nearest]
    return (request.center + change * (1 + OVERSHOOT)).clamp(0, 255) - request.center


def _measure(change: torch.Tensor) -> dict[str, float]:
    length = float(change.double().norm())
    return {"distance_l2": length, "distance": length / change.numel() ** 0.5}


ATTACKS.add(
    AttackSpec(
        name="deep_fool",
        title="The shortest way over the border",
        technical="DeepFool",
        usual=3,
        sentence="It looks for the nearest place where the answer changes, and measures how far away that is.",
        limits="The distance is an estimate from above: there may be a shorter way.",
        paper="Moosavi-Dezfooli et al. 2016, arXiv:1511.04599",
        run=run,
        cost=lambda params, _side: 4 * int(params["candidates"]) + len(SCALES),
        params=(
            Int(
                name="candidates",
                title="Classes tried",
                help="The likeliest other classes; the nearest of them is taken.",
                default=10,
                low=1,
                high=50,
                advanced=True,
            ),
            Int(
                name="steps",
                title="Most steps",
                help="It stops at the border.",
                default=10,
                low=1,
                high=50,
                advanced=True,
            ),
        ),
        quick_params=lambda _side: {"candidates": 3},
    )
)
