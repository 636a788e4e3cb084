"""Gradient SHAP, or expected gradients: gradients at random places between the picture and others, times the way between them.

Erion et al. 2021, arXiv:1906.10670; with noise on the picture as in the SHAP package. Places are drawn one from each of `samples` equal
parts of the way and the pictures to start from take turns: as random and as fair as free draws, and nearer the mean.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.deep_lift import choice_of_set, relative, starts
from xai_core.methods.shared.gradients import slopes
from xai_core.params import Float, Int


def _draws(request: Request, pool: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Which picture to start from, how far to go (0 to 1) and where to (N, C, H, W), one micro-batch at a time."""
    samples, device = request.integer("samples"), request.x.device
    which = torch.from_numpy(request.rng.permutation(np.arange(samples) % pool)).to(device)
    places = torch.from_numpy((np.arange(samples) + request.rng.random(samples)).astype(np.float32) / samples).to(
        device
    )
    low, high = request.x.aminmax()
    deviation = request.number("noise") / 100 * float(high - low)
    for rows in torch.arange(samples, device=device).split(request.evaluator.parallel_gradients):
        noise = torch.from_numpy(request.rng.standard_normal((len(rows), *request.x.shape[1:]), dtype="float32")).to(
            device
        )
        yield which[rows], places[rows].view(-1, 1, 1, 1), request.x + deviation * noise


def run(request: Request) -> RawMap:
    """Share of f(x) less the mean f(baseline) that each value of the input accounts for, (C, H, W), in logits; they nearly add up."""
    samples, pool = request.integer("samples"), starts(request, request.integer("count"))[: request.integer("samples")]
    request.job.expect(samples + len(pool) + 1)
    uses = torch.bincount(torch.arange(samples) % len(pool))
    empty = request.evaluator.scores(pool, lambda pictures: pictures).double().cpu()
    change = request.score - float((uses * empty).sum()) / samples
    total, sums = torch.zeros_like(request.x[0], dtype=torch.float64), []
    for which, places, ends in _draws(request, len(pool)):
        way = ends - pool[which]
        shares = slopes(request, pool[which] + places * way) * way
        total += shares.sum(0, dtype=torch.float64) / samples
        sums += shares.flatten(1).sum(1, dtype=torch.float64).tolist()
    gap, error = float(total.sum()) - change, float(np.std(sums, ddof=1)) / samples**0.5
    details = {
        "completeness_gap": relative(gap, change),
        "score_change": change,
        "standard_error": relative(error, change),
    }
    return RawMap(total.float(), details)


METHODS.add(
    MethodSpec(
        name="gradient_shap",
        title="Shares by random steps",
        technical="Gradient SHAP (expected gradients)",
        question="Which pixels make this picture score differently from several others, tried at random places on the way?",
        sentence="Orange pixels raised the score against the other pictures on average, blue pixels lowered it.",
        caution="It is drawn at random: look at how far the shares miss the change of the score, and at another seed.",
        family="path",
        paper="Erion et al. 2021, arXiv:1906.10670",
        run=run,
        cost=lambda params, side: int(params["samples"]) + min(int(params["samples"]), int(params["count"])) + 1,
        gradient=True,
        random=True,
        params=(
            choice_of_set("blur"),
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
