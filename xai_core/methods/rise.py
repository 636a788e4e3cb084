"""RISE: the picture is shown through many random soft masks; what was visible whenever the score was high counts.

Petsiuk et al. 2018, arXiv:1806.07421. Masks are theirs: a small random grid of 0 and 1, stretched smoothly and shifted at random. A pixel's
importance is the mean score over the masks, weighted by how visible the pixel was. Two choices of ours, both a matter of one constant for
the whole map: weights are divided by their own sum instead of its expectation (less noise), and the mean score over all masks is
subtracted, so that zero means "seeing this pixel makes no difference". The paper's map is ours with that mean (`mean_score`) added.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F

from xai_core.images import BASELINES
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.params import Choice, Float, Int


class _Masks:
    """All masks as small grids and shifts; the large ones are made a few at a time."""

    def __init__(self, count: int, cells: int, chance: float, side: int, rng: np.random.Generator) -> None:
        self.side, self.cell = side, -(-side // cells)
        self.grids = torch.from_numpy((rng.random((count, 1, cells, cells)) < chance).astype(np.float32))
        self.shifts = rng.integers(0, self.cell, size=(count, 2))

    def __call__(self, start: int, end: int) -> torch.Tensor:
        """Masks number `start` to `end`, (n, 1, H, W), from 0 hidden to 1 visible."""
        wide = self.cell * (self.grids.shape[-1] + 1)
        stretched = F.interpolate(self.grids[start:end], (wide, wide), mode="bilinear", align_corners=False)
        cut = [
            mask[:, top : top + self.side, left : left + self.side]
            for mask, (top, left) in zip(stretched, self.shifts[start:end], strict=True)
        ]
        return torch.stack(cut)


def _measured(request: Request, logits: torch.Tensor) -> torch.Tensor:
    """The explained number of each row of logits, or of their probabilities, in double precision."""
    logits = logits.double()
    return request.evaluator.select(logits.softmax(1) if request.choice("measure") == "probability" else logits)


def run(request: Request) -> RawMap:
    """Mean score when a pixel is visible minus mean score over all masks, (H, W), signed, in logits or as a probability."""
    count, side, batch = request.integer("masks"), request.x.shape[-1], request.evaluator.micro_batch
    blank = request.make_baseline(request.choice("fill"))
    masks = _Masks(count, request.integer("cells"), request.number("visible") / 100, side, request.rng)
    request.job.expect(count + 1)
    seen, weighted, total = torch.zeros(side, side).double(), torch.zeros(side, side).double(), 0.0
    parts: deque[torch.Tensor] = deque()

    def pictures() -> Iterator[torch.Tensor]:
        for start in range(0, count, batch):
            parts.append(masks(start, min(start + batch, count)))
            yield torch.lerp(blank, request.x, parts[-1].to(request.x.device))

    for logits in request.evaluator.logits(pictures()):
        scores, visible = _measured(request, logits), parts.popleft()[:, 0].double()
        seen += visible.sum(0)
        weighted += torch.tensordot(scores, visible, 1)
        total += float(scores.sum())
    mean = total / count
    # Of a pixel never seen nothing is known.
    values = torch.where(seen > 0, weighted / seen.clamp_min(1e-12) - mean, 0.0)
    return RawMap(values.float(), {"mean_score": mean}, request.choice("measure"))


METHODS.add(
    MethodSpec(
        name="rise",
        title="Random peeks",
        technical="RISE",
        question="Which parts were visible whenever the score was high?",
        sentence="Orange parts go with a higher score when they are visible, blue parts with a lower one.",
        caution="It is an average over random masks: the speckle is chance, and more masks make it smaller.",
        family="perturbation",
        paper="Petsiuk et al. 2018, arXiv:1806.07421",
        run=run,
        cost=lambda params, side: int(params["masks"]) + 1,
        random=True,
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
                title="Cells a side",
                help="How fine the masks are. Few large cells point at regions, many small ones need far more masks.",
                default=7,
                low=2,
                high=lambda side: min(side, 56),
            ),
            Float(
                name="visible",
                title="Visible",
                unit="%",
                help="How likely each cell is to be visible. Less makes a large object easier to tell apart, and the pictures stranger.",
                default=50.0,
                low=5.0,
                high=95.0,
                step=5.0,
            ),
            Choice(
                name="measure",
                title="Measure",
                help="What is averaged. The paper takes the probability, which says little about a class that is almost certain.",
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
