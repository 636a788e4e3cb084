"""Sets of baselines, and DeepLIFT averaged over such a set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from xai_core.arrays import Float32
from xai_core.images import BASELINES, SAMPLES, make_baseline
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import RawMap
from xai_core.models.isolation import fold_norms
from xai_core.params import Choice, Float, Int
from xai_core.rules.deep_lift import DeepLift

# In logits: a smaller change of the score is rounding.
MIN_CHANGE = 1e-5

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
BASELINE = Choice(
    name="baseline",
    title="Start from",
    help="The picture without evidence. Compare two: what changes between the maps depends on this choice.",
    default="blur",
    options=BASELINES,
)
POINTS = Int(
    name="points",
    title="Most points",
    help="How finely a step of the network that mixes many numbers may be followed. "
    "It stops earlier when the shares add up.",
    default=64,
    low=1,
    high=256,
    advanced=True,
)


def _draw_blurs(request: Request, count: int) -> list[Float32]:
    """Blur the picture by Gaussians from a quarter of its shorter side down to a twentieth, in even ratios."""
    side = min(request.pixels.shape[:2])
    sigmas = np.geomspace(side / 4, side / 20, count)
    return [
        np.asarray(gaussian_filter(request.pixels, (sigma, sigma, 0), mode="reflect"), dtype=np.float32)
        for sigma in sigmas
    ]


def _draw_noise(request: Request, count: int) -> list[Float32]:
    return [make_baseline(request.pixels, "noise", request.rng) for _ in range(count)]


def _draw_samples(request: Request, count: int) -> list[Float32]:
    """Draw samples of the kind that the model reads, without the explained picture, whose difference would be zero."""
    steps = request.model.preprocessing
    kind = "digit" if steps.channels == 1 else "photo"
    samples = [sample for sample in SAMPLES.specs() if sample.kind == kind]
    order = request.rng.permutation(len(samples))
    inputs = (steps.to_pixels(steps.model_input(samples[number].load())) for number in order)
    return [pixels for pixels in inputs if not np.array_equal(pixels, request.pixels)][:count]


@dataclass(frozen=True)
class _BaselineSet:
    """A kind of baselines; `empty` if they show nothing."""

    words: str
    draw: Callable[[Request, int], list[Float32]]
    empty: bool


_BASELINE_SETS = {
    "blur": _BaselineSet("Blurred copies, from strongly to slightly", _draw_blurs, True),
    "noise": _BaselineSet("Pictures of random noise", _draw_noise, True),
    "photos": _BaselineSet("The other sample pictures", _draw_samples, False),
}
BASELINE_SET = Choice(
    name="baselines",
    title="Start from",
    help="The pictures this one is compared with. The map says what makes it score differently from them.",
    default="blur",
    options={name: baseline_set.words for name, baseline_set in _BASELINE_SETS.items()},
)


def draw_baselines(request: Request, count: int) -> torch.Tensor:
    """Draw up to `count` baselines of the chosen set, prepared like the input, (N, C, H, W) on the model's device."""
    baseline_set = _BASELINE_SETS[request.choice("baselines")]
    prepare = request.model.preprocessing.to_tensor
    baselines = torch.cat([prepare(pixels) for pixels in baseline_set.draw(request, count)]).to(request.x.device)
    if baseline_set.empty:
        request.baseline = baselines[:1]
    return baselines


def relative_size(amount: float, change: float) -> float:
    """Return the size of an amount as a share of the score's change."""
    return abs(amount) / max(abs(change), MIN_CHANGE)


def average_deep_lift(request: Request, baselines: torch.Tensor) -> RawMap:
    """Return DeepLIFT's attributions averaged over baselines (N, C, H, W), as (C, H, W) in logits.

    They add up to f(x) less the mean f(baseline).
    """
    module, total = fold_norms(request.module), torch.zeros_like(request.x[0], dtype=torch.float64)
    change, points = 0.0, 1
    request.job.expect(2 * len(baselines) + 1)
    for part in baselines.split(request.evaluator.gradient_batch):
        rule = DeepLift(request.number("tolerance") / 100, request.integer("points"), request.job.tick)
        request.job.tick()
        with request.evaluator.exclusive(2 * len(part)):
            lift = rule.lift(
                lambda pictures: request.evaluator.select(module(pictures)),
                request.x.expand(len(part), -1, -1, -1),
                part,
            )
        total += (lift.multipliers * (request.x - part)).sum(0, dtype=torch.float64) / len(baselines)
        change += float((lift.scores - lift.baseline_scores).sum(dtype=torch.float64)) / len(baselines)
        points = max(points, lift.points)
        request.evaluator.count(2 * len(part))
    gap = relative_size(float(total.sum()) - change, change)
    return RawMap(total.float(), {"completeness_gap": gap, "score_change": change, "points": float(points)})
