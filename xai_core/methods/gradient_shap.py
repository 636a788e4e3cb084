"""Gradient SHAP, or expected gradients: gradients at random points between baselines and the picture.

Each gradient is multiplied by the difference between the two. Erion et al. 2021, arXiv:1906.10670; with noise on the
picture as in the SHAP package. Points are drawn one from each of `samples` equal parts of the path and the baselines
take turns: as random and as fair as free draws, and nearer the mean.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.deep_lift import BASELINE_SET, draw_baselines, relative_size
from xai_core.params import Float, Int


def _draw_paths(request: Request, pool: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Yield number of the baseline (N,), position on the path (N, 1, 1, 1) and its end (N, C, H, W), batch by batch."""
    samples, device = request.integer("samples"), request.x.device
    # Baselines take turns, in random order.
    numbers = torch.from_numpy(request.rng.permutation(np.arange(samples) % pool)).to(device)
    # One position from each of equal parts of the path.
    positions = (np.arange(samples) + request.rng.random(samples)).astype(np.float32) / samples
    alphas = torch.from_numpy(positions).to(device)
    low, high = request.x.aminmax()
    deviation = request.number("noise") / 100 * float(high - low)
    for rows in torch.arange(samples, device=device).split(request.evaluator.gradient_part):
        noise = request.rng.standard_normal((len(rows), *request.x.shape[1:]), dtype="float32")
        ends = request.x + deviation * torch.from_numpy(noise).to(device)
        yield numbers[rows], alphas[rows].view(-1, 1, 1, 1), ends


def run(request: Request) -> RawMap:
    """Return the part of f(x) less the mean f(baseline) due to each value of the input, (C, H, W), in logits.

    They nearly add up to it.
    """
    samples = request.integer("samples")
    baselines = draw_baselines(request, request.integer("count"))[:samples]
    request.job.expect(samples + len(baselines) + 1)
    # The true change of the score, from the baselines as often as each is used.
    uses = torch.bincount(torch.arange(samples) % len(baselines))
    baseline_scores = request.evaluator.scores(baselines, lambda pictures: pictures).double().cpu()
    change = request.score - float((uses * baseline_scores).sum()) / samples
    total, sums = torch.zeros_like(request.x[0], dtype=torch.float64), []
    # Points run ahead of their results, in order.
    differences: deque[torch.Tensor] = deque()

    def draw_points() -> Iterator[torch.Tensor]:
        for numbers, alphas, ends in _draw_paths(request, len(baselines)):
            difference = ends - baselines[numbers]
            differences.extend(difference)
            yield baselines[numbers] + alphas * difference

    for points, _, gradients in request.evaluator.stream_gradients(draw_points()):
        attributions = gradients * torch.stack([differences.popleft() for _ in points])
        total += attributions.sum(0, dtype=torch.float64) / samples
        sums += attributions.flatten(1).sum(1, dtype=torch.float64).tolist()
        request.offer_preview(partial(torch.mul, total, samples / len(sums)))
    gap, error = float(total.sum()) - change, float(np.std(sums, ddof=1)) / samples**0.5
    details = {
        "completeness_gap": relative_size(gap, change),
        "score_change": change,
        "standard_error": relative_size(error, change),
    }
    return RawMap(total.float(), details)


METHODS.add(
    MethodSpec(
        name="gradient_shap",
        title="Shares over random steps",
        technical="Gradient SHAP (expected gradients)",
        question=(
            "Which pixels make this picture score differently from several others, tried at random places on the way?"
        ),
        sentence=(
            "{For} pixels raised {score} compared with {baselines}, on average over random steps[; {against} "
            "pixels lowered it]."
        ),
        caution="It is drawn at random: look at how far the shares miss the change of the score, and at another seed.",
        family="path",
        paper="Erion et al. 2021, arXiv:1906.10670",
        run=run,
        cost=lambda params, side: int(params["samples"]) + min(int(params["samples"]), int(params["count"])) + 1,
        gradient=True,
        random=True,
        grows=True,
        quick_params=lambda _side: {"samples": 4, "count": 2},
        params=(
            BASELINE_SET,
            Int(
                name="count",
                title="Pictures",
                help="How many pictures it is compared with, at most as many as there are.",
                default=8,
                low=1,
                high=50,
            ),
            Int(
                name="samples",
                title="Random places",
                help="How many gradients are averaged. More is steadier and slower.",
                default=96,
                low=2,
                high=2000,
                step=8,
            ),
            Float(
                name="noise",
                title="Noise",
                unit="%",
                help="Noise added to the picture, as a share of its range of values.",
                default=0.0,
                low=0.0,
                high=50.0,
                step=1.0,
                advanced=True,
            ),
        ),
    )
)
