"""Meaningful perturbation: a cover is learnt that lowers the score most while hiding little, in few and smooth pieces.

Fong & Vedaldi 2017, arXiv:1704.03296: a coarse mask, stretched over the picture, is trained by Adam with a price on area (L1) and on
edges (total variation, to the power 3), while the picture is shifted at random under it so that no single pixel can be exploited.

Where the paper lowers the probability, this lowers the logit by as much as hiding everything changes it, and no further: below that, covers
get better by fooling the network. The score left is a share of this change, so that one price fits every model and class: with an area
price of 1, a place is hidden if it carries more than its fair share of the score.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from xai_core.images import BASELINES
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.params import Choice, Float, Int, Value

SMALLEST_CHANGE = 1e-3
"""Hiding everything is taken to change the logit by at least this: a picture like its own cover must not divide by zero."""
EDGE_POWER = 3
START = 0.5


def _edges(cover: torch.Tensor) -> torch.Tensor:
    """Mean over the coarse cover (1, 1, rows, columns) of its steps to the next place, to the power 3."""
    steps = [(cover[..., 1:, :] - cover[..., :-1, :]), (cover[..., 1:] - cover[..., :-1])]
    return torch.stack([step.abs().pow(EDGE_POWER).mean() for step in steps]).sum()


def _stretched(cover: torch.Tensor, side: int) -> torch.Tensor:
    return F.interpolate(cover, (side, side), mode="bilinear", align_corners=False)


class _Learner:
    """A cover in the making: 0 shows the picture, 1 hides it."""

    def __init__(self, request: Request, blank: torch.Tensor, change: float) -> None:
        self.request, self.blank, self.change = request, blank, change
        self.goal = request.score - change
        cells = request.integer("cells")
        self.cover = torch.full((1, 1, cells, cells), START, device=request.x.device, requires_grad=True)
        self.optimizer = torch.optim.Adam([self.cover], lr=request.number("rate"))

    def covered(self, shift: tuple[int, int] = (0, 0)) -> torch.Tensor:
        """The picture, shifted by so many pixels, behind the cover; (1, C, H, W)."""
        picture, blank = (torch.roll(each, shift, (2, 3)) for each in (self.request.x, self.blank))
        return torch.lerp(picture, blank, _stretched(self.cover, picture.shape[-1]))

    def step(self) -> None:
        """One step down: the score's slope at the covered picture is led on to the cover, and the prices' slopes are added."""
        request, jitter = self.request, self.request.integer("jitter")
        shift = request.rng.integers(-jitter, jitter + 1, size=2).tolist()
        with torch.enable_grad():
            picture = self.covered((shift[0], shift[1]))
            prices = request.number("area_price") * self.cover.mean() + request.number("edge_price") * _edges(
                self.cover
            )
        ((score, slope),) = request.evaluator.gradients(picture.detach())
        pull = slope / self.change if float(score) > self.goal else torch.zeros_like(slope)
        (self.cover.grad,) = torch.autograd.grad([picture, prices], self.cover, [pull, torch.ones_like(prices)])
        self.optimizer.step()
        with torch.no_grad():
            self.cover.clamp_(0, 1)


def run(request: Request) -> RawMap:
    """How much of each pixel the learnt cover hides, (H, W), from 0 to 1; hidden means that the score needs it."""
    steps = request.integer("steps")
    request.job.expect(_cost(request.params, request.x.shape[-1]))
    blank = request.make_baseline(request.choice("fill"))
    hidden = float(request.evaluator.scores(blank, lambda picture: picture))
    learner = _Learner(request, blank, max(abs(request.score - hidden), SMALLEST_CHANGE))
    for _ in range(steps):
        learner.step()
    with torch.no_grad():
        left = float(request.evaluator.scores(learner.covered(), lambda picture: picture))
        values = _stretched(learner.cover, request.x.shape[-1])[0, 0]
    details = {
        "score_before": request.score,
        "score_covered": left,
        "score_hidden": hidden,
        "area": float(values.mean()),
    }
    return RawMap(values, details)


def _cost(params: Mapping[str, Value], side: int) -> int:
    return int(params["steps"]) + 3


METHODS.add(
    MethodSpec(
        name="meaningful_perturbation",
        title="Learnt cover",
        technical="Meaningful perturbation",
        question="Which small part must be hidden for the score to fall most?",
        sentence="Bright parts are those that a learnt cover hides: without them the score of this class falls.",
        caution="The cover is a compromise between area, smoothness and score: other prices or another filling move its edge.",
        family="perturbation",
        paper="Fong & Vedaldi 2017, arXiv:1704.03296",
        run=run,
        cost=_cost,
        unit="share hidden",
        gradient=True,
        random=True,
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
                help="How much hiding costs. At 1 a place is hidden if it carries more than its fair share of the score.",
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
                title="Cells a side",
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
                help="How far the picture moves under the cover from step to step, so that no single pixel can be exploited.",
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
