"""PGD: many small steps, back into the ball after each, from several starts; the best of all steps counts.

Madry et al. 2018, arXiv:1706.06083. Margin instead of cross-entropy: it has a gradient where the model is sure (Croce &
Hein 2020, arXiv:2003.01690). Gradients are taken at the rounded picture, so that the margin of every step is that of a
picture which a file can hold, and the unrounded one goes on.
"""

from __future__ import annotations

import torch

from xai_core.attacks.base.balls import BALLS
from xai_core.attacks.base.request import AttackRequest, Best
from xai_core.attacks.base.spec import ATTACKS, AttackSpec, Outcome
from xai_core.params import Choice, Int

# A shorter step would be rounded away.
MIN_STEP = 0.6


def run(request: AttackRequest) -> Outcome:
    """Return the best picture of all steps and starts. The first start is the picture itself."""
    ball = BALLS[request.choice("norm")](request.center, request.epsilon)
    steps, starts = request.integer("steps"), request.integer("starts")
    size = max(2.5 * request.epsilon / steps, MIN_STEP)
    levels = torch.cat([request.center, ball.draw(request.generator, starts - 1)])
    best = Best(request.center)
    for _ in range(steps):
        whole = ball.round(levels)
        margins, gradients = request.gradients(whole)
        best.offer(whole, margins.tolist())
        request.curve.append(best.margin)
        levels = ball.project(levels + size * ball.direction(gradients))
    whole = ball.round(levels)
    best.offer(whole, request.margins(request.ask(whole)).tolist())
    request.curve.append(best.margin)
    return Outcome(best.levels)


ATTACKS.add(
    AttackSpec(
        name="pgd",
        title="Many small steps",
        technical="PGD",
        usual=2,
        sentence="It takes many small steps, asks after each which way to go on, and never leaves the allowed change.",
        limits="If it fails, that is no proof: another start or more steps may work.",
        paper="Madry et al. 2018, arXiv:1706.06083",
        run=run,
        cost=lambda params, _side: (int(params["steps"]) + 1) * int(params["starts"]),
        epsilon=2,
        search="bisect",
        random=True,
        params=(
            Choice(
                name="norm",
                title="The limit holds for",
                help="Every pixel alone, or the average over the picture: then a few pixels may change more.",
                default="linf",
                options={"linf": "every pixel", "l2": "the average over the picture"},
            ),
            Int(name="steps", title="Steps", help="More steps find more.", default=20, low=1, high=200),
            Int(
                name="starts",
                title="Starts",
                help="The first start is the picture itself, the others are drawn inside the limit.",
                default=2,
                low=1,
                high=8,
                advanced=True,
            ),
        ),
        quick_params=lambda _side: {"steps": 4},
    )
)
