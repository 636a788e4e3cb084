"""What the methods that compare the picture with others share: the sets of pictures to start from, and DeepLIFT over such a set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from xai_core.images import BASELINES, SAMPLES, make_baseline
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import RawMap
from xai_core.models.isolation import fold_norms
from xai_core.params import Choice, Float, Int
from xai_core.results import Floats
from xai_core.rules.deep_lift import DeepLift

SMALLEST_CHANGE = 1e-5
"""Of a logit: under it a change of the score is rounding."""

TOLERANCE = Float(
    name="tolerance",
    title="Gap allowed",
    unit="%",
    help="The shares may miss the true change of the score by this much.",
    default=1.0,
    low=0.01,
    high=20.0,
    step=0.1,
    advanced=True,
)
START = Choice(
    name="baseline",
    title="Start from",
    help="The picture without evidence. Compare two: what changes between the maps depends on this choice.",
    default="blur",
    options=BASELINES,
)
POINTS = Int(
    name="points",
    title="Most points",
    help="How finely a step of the network that mixes many numbers may be followed. It stops earlier when the shares add up.",
    default=64,
    low=1,
    high=256,
    advanced=True,
)


def _blurs(request: Request, count: int) -> list[Floats]:
    """The picture behind Gaussian blurs from a quarter of its shorter side down to a twentieth, in even ratios."""
    side = min(request.pixels.shape[:2])
    sigmas = np.geomspace(side / 4, side / 20, count)
    return [
        np.asarray(gaussian_filter(request.pixels, (sigma, sigma, 0), mode="reflect"), dtype=np.float32)
        for sigma in sigmas
    ]


def _noise(request: Request, count: int) -> list[Floats]:
    return [make_baseline(request.pixels, "noise", request.rng) for _ in range(count)]


def _photos(request: Request, count: int) -> list[Floats]:
    """Other pictures of the kind that the model reads, as it sees them; never the explained one, which differs from itself in nothing."""
    steps = request.model.preprocessing
    kind = "digit" if steps.channels == 1 else "photo"
    samples = [sample for sample in SAMPLES.specs() if sample.kind == kind]
    seen = (
        steps.to_pixels(steps.model_input(samples[number].load())) for number in request.rng.permutation(len(samples))
    )
    return [pixels for pixels in seen if not np.array_equal(pixels, request.pixels)][:count]


@dataclass(frozen=True)
class _Set:
    """A kind of pictures to start from; `empty` if they stand for nothing to see."""

    words: str
    draw: Callable[[Request, int], list[Floats]]
    empty: bool


_SETS = {
    "blur": _Set("Blurred copies, from strongly to slightly", _blurs, True),
    "noise": _Set("Pictures of random noise", _noise, True),
    "photos": _Set("The other sample pictures", _photos, False),
}


def choice_of_set(default: str) -> Choice:
    """The parameter that names a set."""
    return Choice(
        name="baselines",
        title="Start from",
        help="The pictures this one is compared with. The map says what makes it score differently from them.",
        default=default,
        options={name: each.words for name, each in _SETS.items()},
    )


def starts(request: Request, count: int) -> torch.Tensor:
    """Up to `count` pictures of the chosen set, prepared like the input, (n, C, H, W) on the model's device."""
    chosen = _SETS[request.choice("baselines")]
    prepare = request.model.preprocessing.to_tensor
    found = torch.cat([prepare(pixels) for pixels in chosen.draw(request, count)]).to(request.x.device)
    if chosen.empty:
        request.baseline = found[:1]
    return found


def relative(amount: float, change: float) -> float:
    """The size of an amount as a part of the score's change."""
    return abs(amount) / max(abs(change), SMALLEST_CHANGE)


def lifted(request: Request, baselines: torch.Tensor) -> RawMap:
    """The mean of DeepLIFT's shares over baselines (N, C, H, W): (C, H, W), which add up to f(x) less the mean f(baseline)."""
    module, total = fold_norms(request.module), torch.zeros_like(request.x[0], dtype=torch.float64)
    change, points = 0.0, 1
    request.job.expect(2 * len(baselines) + 1)
    for part in baselines.split(request.evaluator.gradient_batch):
        rule = DeepLift(request.number("tolerance") / 100, request.integer("points"), request.job.tick)
        request.job.tick()
        with request.evaluator.exclusive(2 * len(part)):
            found = rule.lift(
                lambda pictures: request.evaluator.select(module(pictures)),
                request.x.expand(len(part), -1, -1, -1),
                part,
            )
        total += (found.multipliers * (request.x - part)).sum(0, dtype=torch.float64) / len(baselines)
        change += float((found.scores - found.baseline_scores).sum(dtype=torch.float64)) / len(baselines)
        points = max(points, found.points)
        request.evaluator.count(2 * len(part))
    gap = relative(float(total.sum()) - change, change)
    return RawMap(total.float(), {"completeness_gap": gap, "score_change": change, "points": float(points)})
