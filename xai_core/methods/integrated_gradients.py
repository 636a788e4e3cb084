"""Integrated Gradients: the gradient integrated along the straight path from a baseline to the picture.

Sundararajan et al. 2017, arXiv:1703.01365. The integral is a trapezoid sum that is refined where it is wrong: between
two neighbouring points the true change of the score is known from the forward passes, so the intervals that miss it
most are halved until the whole misses f(x) - f(baseline) by under 1 %. On networks with kinks this takes a few dozen
points where even steps take hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from xai_core.arrays import Float64
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.deep_lift import BASELINE, TOLERANCE
from xai_core.params import Int

# Points of the first, even grid.
FIRST_POINTS = 17
# Points added at once. Fixed, not the machine's batch: which points are taken, and so the map, depends on it.
POINTS_PER_ROUND = 8
# The gap must stay small for this many rounds: one small gap may be two large errors that cancel.
STEADY_ROUNDS = 2


@dataclass
class _Point:
    """One point on the path: the score there, its gradient, and its derivative along the path."""

    score: float
    gradient: torch.Tensor
    derivative: float


class _Path:
    """The straight path from baseline (0) to picture (1) and what was measured on it."""

    def __init__(self, request: Request, baseline: torch.Tensor) -> None:
        self.request = request
        self.baseline = baseline
        self.difference = request.x - baseline
        self.points: dict[float, _Point] = {}

    def measure(self, positions: list[float]) -> None:
        alphas = torch.tensor(positions, dtype=torch.float32, device=self.difference.device).view(-1, 1, 1, 1)
        remaining = iter(positions)
        for scores, gradients in self.request.evaluator.gradients(self.baseline + alphas * self.difference):
            # Project the gradients onto the path.
            derivatives = (gradients * self.difference).flatten(1).sum(1, dtype=torch.float64)
            for score, gradient, derivative in zip(scores.tolist(), gradients, derivatives.tolist(), strict=True):
                self.points[next(remaining)] = _Point(score, gradient, derivative)
            self.request.offer_preview(self.integrate)

    def interval_errors(self) -> tuple[list[tuple[float, float]], Float64]:
        """Return the intervals, and the trapezoid sum less the true change of the score in each."""
        intervals = list(pairwise(sorted(self.points)))
        ends = [(self.points[a], self.points[b], b - a) for a, b in intervals]
        return intervals, np.array(
            [(p.derivative + q.derivative) / 2 * length - (q.score - p.score) for p, q, length in ends]
        )

    def integrate(self) -> torch.Tensor:
        """Return the attribution, (C, H, W): the trapezoid sum of gradients times the difference."""
        positions = sorted(self.points)
        total = torch.zeros_like(self.difference[0], dtype=torch.float64)
        # Each end is its own neighbour, so that it counts for half an interval only.
        neighbours = zip([positions[0], *positions], positions, [*positions[1:], positions[-1]], strict=False)
        for before, position, after in neighbours:
            total += self.points[position].gradient * ((after - before) / 2)
        return (total * self.difference[0]).float()


def run(request: Request) -> RawMap:
    """Return the part of f(x) - f(baseline) due to each value of the input, (C, H, W), in logits; they add up to it."""
    max_points, tolerance = request.integer("steps"), request.number("tolerance") / 100
    path = _Path(request, request.make_baseline(request.choice("baseline")))
    request.job.expect(min(max_points, 80) + 1)
    path.measure(np.linspace(0, 1, min(FIRST_POINTS, max_points)).tolist())
    change, steady_rounds = path.points[1.0].score - path.points[0.0].score, 0
    while True:
        # Stop where the gap has been small for some rounds, or no points are left.
        intervals, errors = path.interval_errors()
        gap = abs(float(errors.sum())) / max(abs(change), 1e-12)
        steady_rounds = steady_rounds + 1 if gap <= tolerance else 0
        new_points = min(max_points - len(path.points), POINTS_PER_ROUND)
        if steady_rounds >= STEADY_ROUNDS or new_points <= 0 or not errors.any():
            break
        # Halve the intervals with the largest errors.
        worst = np.argsort(-np.abs(errors), kind="stable")[:new_points]
        request.job.expect(max(request.job.total, len(path.points) + new_points + 1))
        path.measure([sum(intervals[number]) / 2 for number in worst])
    details = {"completeness_gap": gap, "score_change": change, "steps": float(len(path.points))}
    return RawMap(path.integrate(), details)


METHODS.add(
    MethodSpec(
        name="integrated_gradients",
        title="Pixel shares",
        technical="Integrated Gradients",
        usual=3,
        question="How much did each pixel add to the score?",
        sentence=(
            "{For} pixels added to {score} on the way from {baseline} to this picture[, {against} pixels took away]."
        ),
        caution="It depends on the empty picture it starts from: with black, dark pixels can never count.",
        family="path",
        paper="Sundararajan et al. 2017, arXiv:1703.01365",
        verdict="mixed",
        sanity=(
            "Mixed: with random weights the values were others, but the outlines of the picture remained, "
            "since its distance from the baseline is one of the factors (Adebayo et al. 2018, arXiv:1810.03292)."
        ),
        run=run,
        cost=lambda params, side: min(int(params["steps"]), 80) + 1,
        max_pictures=lambda params: int(params["steps"]) + 8,
        gradient=True,
        random=True,
        grows=True,
        quick_params=lambda _side: {"steps": 4},
        params=(
            BASELINE,
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
