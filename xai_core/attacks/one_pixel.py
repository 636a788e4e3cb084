"""One pixel: the few pixels whose change fools the model most.

Su et al. 2019, arXiv:1710.08864, by differential evolution. On a small grey picture every pixel is tried black and
white, so that "no pixel can" is a fact.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import differential_evolution

from xai_core.arrays import Float64
from xai_core.attacks.base.request import AttackRequest, Best
from xai_core.attacks.base.spec import ATTACKS, AttackSpec, Outcome
from xai_core.params import Int

# Most pictures for which every single change is tried.
MAX_EXHAUSTIVE = 4096
POPULATION = 100


def run(request: AttackRequest) -> Outcome:
    """Return the best picture with `pixels` pixels changed to any colour."""
    channels, height, width = request.center.shape[1:]
    is_small = channels == 1 and 2 * height * width <= MAX_EXHAUSTIVE and request.integer("pixels") == 1
    return _try_all(request) if is_small else _evolve(request, request.integer("pixels"))


def _try_all(request: AttackRequest) -> Outcome:
    """Try every pixel black and white."""
    _, _, height, width = request.center.shape
    places = [(row, column, level) for row in range(height) for column in range(width) for level in (0.0, 255.0)]
    request.job.expect(len(places))
    best, flips = Best(request.center), 0
    for first in range(0, len(places), request.forward.micro_batch):
        part = places[first : first + request.forward.micro_batch]
        levels = request.center.repeat(len(part), 1, 1, 1)
        for number, (row, column, level) in enumerate(part):
            levels[number, 0, row, column] = level
        margins = request.margins(request.ask(levels)).tolist()
        flips += sum(margin > 0 for margin in margins)
        best.offer(levels, margins)
    request.curve.append(best.margin)
    return Outcome(best.levels, {"tried": float(len(places)), "flips": float(flips), "exhaustive": 1.0})


def _evolve(request: AttackRequest, pixels: int) -> Outcome:
    """Let a population of `pixels` places and colours evolve; it stops at the first generation that fools the model."""
    channels, height, width = request.center.shape[1:]
    low, high = np.zeros(2 + channels), np.array([height - 1e-6, width - 1e-6] + [255.0] * channels)
    generations = request.integer("generations")
    request.job.expect(POPULATION * (generations + 1))
    best = Best(request.center)

    def lose(candidates: Float64) -> Float64:
        """Return the negative margins, (S,), of candidates (pixels * (2 + C), S)."""
        levels = _paint(request.center, candidates.T.reshape(-1, pixels, 2 + channels))
        margins = request.margins(request.ask(levels)).tolist()
        best.offer(levels, margins)
        request.curve.append(best.margin)
        return -np.array(margins)

    def is_fooled(_best_candidate: Float64, convergence: float) -> bool:
        return best.margin > 0

    differential_evolution(
        lose,
        list(zip(np.tile(low, pixels), np.tile(high, pixels), strict=True)),
        maxiter=generations,
        init=request.rng.uniform(np.tile(low, pixels), np.tile(high, pixels), (POPULATION, pixels * (2 + channels))),
        updating="deferred",
        vectorized=True,
        polish=False,
        tol=0.0,
        callback=is_fooled,
        rng=request.rng,
    )
    return Outcome(best.levels, {"tried": float(request.queries - 1)})


def _paint(center: torch.Tensor, candidates: Float64) -> torch.Tensor:
    """Return pictures (S, C, H, W) with the pixels of candidates (S, pixels, row + column + C levels) painted."""
    rows, columns = (torch.tensor(candidates[..., axis].astype(int)) for axis in (0, 1))
    colours = torch.tensor(candidates[..., 2:], dtype=torch.float32).round().to(center.device)
    levels = center.repeat(len(candidates), 1, 1, 1)
    numbers = torch.arange(len(candidates))
    for place in range(candidates.shape[1]):
        levels[numbers, :, rows[:, place], columns[:, place]] = colours[:, place]
    return levels


ATTACKS.add(
    AttackSpec(
        name="one_pixel",
        title="A few pixels only",
        technical="One pixel",
        usual=5,
        sentence="It may paint only a few pixels, in any colour, and looks for the places where that hurts most.",
        limits="A large picture is tried in some places only, so failing is no proof; a small one is tried completely.",
        paper="Su et al. 2019, arXiv:1710.08864",
        run=run,
        cost=lambda params, _side: POPULATION * (int(params["generations"]) + 1),
        gradient=False,
        random=True,
        max_pictures=256,
        params=(
            Int(name="pixels", title="Pixels", help="How many pixels may change.", default=1, low=1, high=20),
            Int(
                name="generations",
                title="Generations",
                help="Rounds of 100 tries; it stops when one works.",
                default=30,
                low=1,
                high=100,
                advanced=True,
            ),
        ),
        quick_params=lambda _side: {"generations": 1},
    )
)
