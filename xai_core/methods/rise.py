"""RISE: the mean score of random soft masks, weighted by the visibility of each pixel in them.

Petsiuk et al. 2018, arXiv:1806.07421. Masks are theirs: a small random grid of 0 and 1, upsampled smoothly and shifted
at random. Two choices of ours, both a matter of one constant for the whole map: weights are divided by their own sum
instead of its expectation (less noise), and the mean score over all masks is subtracted, so that zero means "seeing
this pixel makes no difference". The paper's map is ours with that mean (`mean_score`) added.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from xai_core.images import BASELINES
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.params import Choice, Float, Int

# Masks that a preview counts for nothing.
PRIOR_MASKS = 32


class RandomMasks:
    """All masks as small grids and shifts; the large ones are made batch by batch."""

    def __init__(self, count: int, cells: int, probability: float, side: int, rng: np.random.Generator) -> None:
        self.side, self.cell = side, -(-side // cells)
        self.grids = torch.from_numpy((rng.random((count, 1, cells, cells)) < probability).astype(np.float32))
        self.shifts = rng.integers(0, self.cell, size=(count, 2))

    def make(self, start: int, end: int) -> torch.Tensor:
        """Make the masks number `start` to `end`, (n, 1, H, W), from 0 hidden to 1 visible."""
        # Upsample to one cell more than the picture.
        wide = self.cell * (self.grids.shape[-1] + 1)
        upsampled = F.interpolate(self.grids[start:end], (wide, wide), mode="bilinear", align_corners=False)
        # Crop at a random shift of up to one cell.
        crops = [
            mask[:, top : top + self.side, left : left + self.side]
            for mask, (top, left) in zip(upsampled, self.shifts[start:end], strict=True)
        ]
        return torch.stack(crops)


def _measure_scores(request: Request, logits: torch.Tensor) -> torch.Tensor:
    """Return the score of each row of logits, or of their probabilities, in double precision, (n,)."""
    logits = logits.double()
    return request.evaluator.select(logits.softmax(1) if request.choice("measure") == "probability" else logits)


def run(request: Request) -> RawMap:
    """Return mean score when a pixel is visible minus mean score, (H, W), signed, in logits or as a probability."""
    count, side, batch = request.integer("masks"), request.x.shape[-1], request.evaluator.micro_batch
    baseline = request.make_baseline(request.choice("fill"))
    masks = RandomMasks(count, request.integer("cells"), request.number("visible") / 100, side, request.rng)
    request.job.expect(count + 1)
    visibility, weighted = torch.zeros(2, side, side, dtype=torch.float64)
    total, scored = 0.0, 0
    # Masks whose scores are not yet back.
    pending: deque[torch.Tensor] = deque()

    def compose_pictures() -> Iterator[torch.Tensor]:
        for start in range(0, count, batch):
            pending.append(masks.make(start, min(start + batch, count)))
            yield torch.lerp(baseline, request.x, pending[-1].to(request.x.device))

    # Sum visibility, and scores weighted by it.
    for logits in request.evaluator.logits(compose_pictures()):
        scores, visible = _measure_scores(request, logits), pending.popleft()[:, 0].double()
        visibility += visible.sum(0)
        weighted += torch.tensordot(scores, visible, 1)
        total += float(scores.sum())
        scored += len(scores)
        request.offer_preview(partial(_estimate_map, visibility, weighted, total / scored))
    mean = total / count
    return RawMap(_compare_with_mean(visibility, weighted, mean), {"mean_score": mean}, request.choice("measure"))


def _compare_with_mean(visibility: torch.Tensor, weighted: torch.Tensor, mean: float) -> torch.Tensor:
    """Return the mean score when a pixel is visible minus the mean over all masks, (H, W)."""
    # Nothing is known of a pixel that was never visible.
    return torch.where(visibility > 0, weighted / visibility.clamp_min(1e-12) - mean, 0.0).float()


def _estimate_map(visibility: torch.Tensor, weighted: torch.Tensor, mean: float) -> torch.Tensor:
    """Return the map so far, (H, W), pulled towards zero while masks are few: else chance would be its strongest part.

    As if each pixel had been visible in PRIOR_MASKS more masks whose scores were the mean.
    """
    return (weighted - mean * visibility) / (visibility + PRIOR_MASKS)


METHODS.add(
    MethodSpec(
        name="rise",
        title="Random peeks",
        technical="RISE",
        question="Which parts were visible whenever the score was high?",
        sentence=(
            "{For} parts go with a higher score for {class} when they are visible[, {against} parts with a lower one]."
        ),
        variants=(
            (
                {"measure": "probability"},
                (
                    "{For} parts go with a higher probability of {class} when they are visible[, {against} parts "
                    "with a lower one]."
                ),
            ),
        ),
        caution="It is an average over random masks: the speckle is chance, and more masks make it smaller.",
        family="perturbation",
        paper="Petsiuk et al. 2018, arXiv:1806.07421",
        run=run,
        cost=lambda params, side: int(params["masks"]) + 1,
        random=True,
        grows=True,
        quick_params=lambda _side: {"masks": 10},
        params=(
            Int(
                name="masks",
                title="Masks",
                help="How many random masks are tried. More is less speckled and slower; the paper takes 4000 to 8000.",
                default=1000,
                low=1,
                high=20_000,
                step=100,
            ),
            Int(
                name="cells",
                title="Cells per side",
                help="How fine the masks are. Few large cells point at regions, many small ones need far more masks.",
                default=7,
                low=2,
                high=lambda side: min(side, 56),
            ),
            Float(
                name="visible",
                title="Visible",
                unit="%",
                help=(
                    "How likely each cell is to be visible. Less makes a large object easier to tell apart, and the "
                    "pictures stranger."
                ),
                default=50.0,
                low=5.0,
                high=95.0,
                step=5.0,
            ),
            Choice(
                name="measure",
                title="Measure",
                help=(
                    "What is averaged. The paper takes the probability, which says little about a class that is "
                    "almost certain."
                ),
                default="logit",
                options={
                    "logit": "The score before it becomes a probability (logit)",
                    "probability": "The probability",
                },
                advanced=True,
            ),
            Choice(
                name="fill",
                title="Hide with",
                help="What hidden parts fade to.",
                default="grey",
                options=BASELINES,
                advanced=True,
            ),
        ),
    )
)
