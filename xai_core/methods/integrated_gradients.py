"""Integrated Gradients: the gradient added up on the way from a picture without evidence to the real one.

Sundararajan et al. 2017, arXiv:1703.01365. The integral is a trapezoid sum that is refined where it is wrong: between two neighbouring
points the true change of the score is known from the forward passes, so the intervals that miss it most are halved until the whole
misses f(x) - f(baseline) by under 1 %. On networks with kinks this takes a few dozen points where even steps take hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.deep_lift import START, TOLERANCE
from xai_core.params import Int

FIRST_POINTS = 17
"""Points of the first, even grid."""
A_ROUND = 8
"""Points added at once. Not as many as this machine would like: which points are taken, and with them the map, depends on it."""
STEADY_ROUNDS = 2
"""The gap must stay small for this many rounds: one small gap may be two large errors that cancel."""


@dataclass
class _Point:
    """One place on the way: the explained number there, its gradient, and the gradient's slope along the way."""

    score: float
    gradient: torch.Tensor
    slope: float


class _Path:
    """The straight way from baseline (0) to picture (1) and what was measured on it."""

    def __init__(self, request: Request, baseline: torch.Tensor) -> None:
        self.request = request
        self.baseline = baseline
        self.way = request.x - baseline
        self.points: dict[float, _Point] = {}

    def measure(self, places: list[float]) -> None:
        alphas = torch.tensor(places, dtype=torch.float32, device=self.way.device).view(-1, 1, 1, 1)
        fresh = iter(places)
        for scores, gradients in self.request.evaluator.gradients(self.baseline + alphas * self.way):
            slopes = (gradients * self.way).flatten(1).sum(1, dtype=torch.float64)
            for score, gradient, slope in zip(scores.tolist(), gradients, slopes.tolist(), strict=True):
                self.points[next(fresh)] = _Point(score, gradient, slope)

    def errors(self) -> tuple[list[tuple[float, float]], np.ndarray]:
        """Each interval, and by how much the trapezoid there misses the true change of the score."""
        places = sorted(self.points)
        steps = list(pairwise(places))
        ends = [(self.points[a], self.points[b], b - a) for a, b in steps]
        return steps, np.array([(p.slope + q.slope) / 2 * length - (q.score - p.score) for p, q, length in ends])

    def integral(self) -> torch.Tensor:
        """The attribution, (C, H, W): the trapezoid sum of gradients times the way."""
        places = sorted(self.points)
        total = torch.zeros_like(self.way[0], dtype=torch.float64)
        for before, place, after in zip([places[0], *places], places, [*places[1:], places[-1]], strict=False):
            total += self.points[place].gradient * ((after - before) / 2)
        return (total * self.way[0]).float()


def run(request: Request) -> RawMap:
    """Share of f(x) - f(baseline) that each value of the input accounts for, (C, H, W), in logits; they add up to it."""
    most, wanted = request.integer("steps"), request.number("tolerance") / 100
    path = _Path(request, request.make_baseline(request.choice("baseline")))
    request.job.expect(min(most, 80) + 1)
    path.measure(np.linspace(0, 1, min(FIRST_POINTS, most)).tolist())
    change, steady = path.points[1.0].score - path.points[0.0].score, 0
    while True:
        steps, errors = path.errors()
        gap = abs(float(errors.sum())) / max(abs(change), 1e-12)
        steady = steady + 1 if gap <= wanted else 0
        room = min(most - len(path.points), A_ROUND)
        if steady >= STEADY_ROUNDS or room <= 0 or not errors.any():
            break
        worst = np.argsort(-np.abs(errors), kind="stable")[:room]
        request.job.expect(max(request.job.total, len(path.points) + room + 1))
        path.measure([sum(steps[i]) / 2 for i in worst])
    return RawMap(path.integral(), {"completeness_gap": gap, "score_change": change, "steps": float(len(path.points))})


METHODS.add(
    MethodSpec(
        name="integrated_gradients",
        title="Pixel shares",
        technical="Integrated Gradients",
        question="How much did each pixel add to the score?",
        sentence="Orange pixels added to the score on the way from an empty picture to this one, blue pixels took away.",
        caution="It depends on the empty picture it starts from: with black, dark pixels can never count.",
        family="path",
        paper="Sundararajan et al. 2017, arXiv:1703.01365",
        sanity=(
            "Mixed: with random weights the values were others, but the outlines of the picture remained, "
            "since its distance from the baseline is one of the factors (Adebayo et al. 2018, arXiv:1810.03292)."
        ),
        run=run,
        cost=lambda params, side: min(int(params["steps"]), 80) + 1,
        holds=lambda params: int(params["steps"]) + 8,
        gradient=True,
        random=True,
        params=(
            START,
            Int(
                name="steps",
                title="Most steps",
                help="It stops earlier when the shares add up; this is the limit.",
                default=512,
                low=2,
                high=512,
                advanced=True,
            ),
            TOLERANCE,
        ),
    )
)
