"""Meaningful perturbation: a mask optimized to lower the score most while it hides little, in few and smooth pieces.

Fong & Vedaldi 2017, arXiv:1704.03296: a coarse mask, upsampled to the picture, is trained by Adam with a penalty on
area (L1) and on edges (total variation, to the power 3), while the picture is shifted at random under it so that no
single pixel can be exploited.

Where the paper lowers the probability, this lowers the logit by as much as hiding everything changes it, and no
further: below that, masks get better by fooling the network. The score left is a share of this change, so that one
penalty fits every model and class: with an area price of 1, a place is hidden if it carries more than its fair share of
the score.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from xai_core.images import BASELINES
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.params import Choice, Float, Int, Value

# Smallest change of the logit by hiding everything: a picture that equals its baseline must not divide by zero.
MIN_CHANGE = 1e-3
EDGE_POWER = 3
INITIAL_MASK = 0.5


def _edge_penalty(mask: torch.Tensor) -> torch.Tensor:
    """Return the mean step to the power 3 between neighbours of a coarse mask (1, 1, rows, columns)."""
    steps = [(mask[..., 1:, :] - mask[..., :-1, :]), (mask[..., 1:] - mask[..., :-1])]
    return torch.stack([step.abs().pow(EDGE_POWER).mean() for step in steps]).sum()


def _upsample(mask: torch.Tensor, side: int) -> torch.Tensor:
    return F.interpolate(mask, (side, side), mode="bilinear", align_corners=False)


class _MaskOptimizer:
    """A mask under optimization: 0 shows the picture, 1 hides it behind the baseline."""

    def __init__(self, request: Request, baseline: torch.Tensor, change: float) -> None:
        self.request, self.baseline, self.change = request, baseline, change
        self.goal = request.score - change
        cells = request.integer("cells")
        self.mask = torch.full((1, 1, cells, cells), INITIAL_MASK, device=request.x.device, requires_grad=True)
        self.optimizer = torch.optim.Adam([self.mask], lr=request.number("rate"))

    def compose(self, shift: tuple[int, int] = (0, 0)) -> torch.Tensor:
        """Return the picture, shifted by pixels (down, right), behind the mask; (1, C, H, W)."""
        picture, baseline = (torch.roll(x, shift, (2, 3)) for x in (self.request.x, self.baseline))
        return torch.lerp(picture, baseline, _upsample(self.mask, picture.shape[-1]))

    @torch.no_grad()
    def values(self) -> torch.Tensor:
        """Return the mask at the picture's size, (H, W)."""
        return _upsample(self.mask, self.request.x.shape[-1])[0, 0]

    def step(self) -> None:
        """Take one step of Adam on the score left plus the penalties."""
        request, jitter = self.request, self.request.integer("jitter")
        shift = request.rng.integers(-jitter, jitter + 1, size=2).tolist()
        with torch.enable_grad():
            picture = self.compose((shift[0], shift[1]))
            area_penalty = request.number("area_price") * self.mask.mean()
            penalty = area_penalty + request.number("edge_price") * _edge_penalty(self.mask)
        # The network's gradient ends at the picture; the chain rule carries it on to the mask.
        ((score, gradient),) = request.evaluator.gradients(picture.detach())
        upstream = gradient / self.change if float(score) > self.goal else torch.zeros_like(gradient)
        (self.mask.grad,) = torch.autograd.grad([picture, penalty], self.mask, [upstream, torch.ones_like(penalty)])
        self.optimizer.step()
        with torch.no_grad():
            self.mask.clamp_(0, 1)


def run(request: Request) -> RawMap:
    """Return the optimized mask, (H, W), from 0 shown to 1 hidden; hidden means that the score needs it."""
    request.job.expect(_cost(request.params, request.x.shape[-1]))
    baseline = request.make_baseline(request.choice("fill"))
    score_hidden = float(request.evaluator.scores(baseline, lambda picture: picture))
    optimizer = _MaskOptimizer(request, baseline, max(abs(request.score - score_hidden), MIN_CHANGE))
    for _ in range(request.integer("steps")):
        optimizer.step()
        request.offer_preview(optimizer.values)
    with torch.no_grad():
        score_covered = float(request.evaluator.scores(optimizer.compose(), lambda picture: picture))
    values = optimizer.values()
    details = {
        "score_before": request.score,
        "score_covered": score_covered,
        "score_hidden": score_hidden,
        "area": float(values.mean()),
    }
    return RawMap(values, details)


def _cost(params: Mapping[str, Value], side: int) -> int:
    return int(params["steps"]) + 3


METHODS.add(
    MethodSpec(
        name="meaningful_perturbation",
        title="Learnt mask",
        technical="Meaningful perturbation",
        question="Which small part must be hidden for the score to fall most?",
        sentence=("{For} parts are those that a learnt mask replaces with {fill}: without them {score} falls."),
        caution=(
            "The cover is a compromise between area, smoothness and score: other prices or another filling move its "
            "edge."
        ),
        family="perturbation",
        paper="Fong & Vedaldi 2017, arXiv:1704.03296",
        run=run,
        cost=_cost,
        unit="share hidden",
        gradient=True,
        random=True,
        grows=True,
        quick_params=lambda _side: {"steps": 4},
        params=(
            Int(
                name="steps",
                title="Steps",
                help="How many times the cover is improved. The paper takes 300.",
                default=100,
                low=1,
                high=2000,
            ),
            Float(
                name="area_price",
                title="Price of area",
                help=(
                    "How much hiding costs. At 1 a place is hidden if it carries more than its fair share of the score."
                ),
                default=1.0,
                low=0.0,
                high=20.0,
                step=0.1,
            ),
            Float(
                name="edge_price",
                title="Price of edges",
                help="How much a ragged cover costs. More makes it smoother.",
                default=1.0,
                low=0.0,
                high=20.0,
                step=0.1,
            ),
            Choice(name="fill", title="Hide with", help="What the cover fades to.", default="blur", options=BASELINES),
            Int(
                name="cells",
                title="Cells per side",
                help="How fine the cover is.",
                default=lambda side: min(28, side),
                low=2,
                high=lambda side: min(56, side),
                advanced=True,
            ),
            Int(
                name="jitter",
                title="Shift",
                unit="pixels",
                help=(
                    "How far the picture moves under the cover from step to step, so that no single pixel can be "
                    "exploited."
                ),
                default=lambda side: side // 56,
                low=0,
                high=lambda side: side // 4,
                advanced=True,
            ),
            Float(
                name="rate",
                title="Learning rate",
                help="How far each step goes.",
                default=0.1,
                low=0.001,
                high=1.0,
                step=0.01,
                advanced=True,
            ),
        ),
    )
)
