"""FGSM: one step along the sign of the gradient, in whole grey levels.

Goodfellow et al. 2015, arXiv:1412.6572.
"""

from __future__ import annotations

from xai_core.attacks.base.balls import LinfBall
from xai_core.attacks.base.request import AttackRequest
from xai_core.attacks.base.spec import ATTACKS, AttackSpec, Outcome


def run(request: AttackRequest) -> Outcome:
    """Return the picture with every value `epsilon` levels further along the sign of the margin's gradient."""
    ball = LinfBall(request.center, request.epsilon)
    margins, gradients = request.gradients(request.center)
    levels = ball.round(request.center + request.epsilon * ball.direction(gradients))
    request.curve += [float(margins[0]), float(request.margins(request.ask(levels))[0])]
    return Outcome(levels)


ATTACKS.add(
    AttackSpec(
        name="fgsm",
        title="One step",
        technical="FGSM",
        usual=1,
        sentence="It asks once which way each pixel should change, and changes all of them by the same small amount.",
        limits="Failing says little: a stronger change can fail where a weaker one works, and many steps do better.",
        paper="Goodfellow et al. 2015, arXiv:1412.6572",
        run=run,
        cost=lambda _params, _side: 2,
        epsilon=4,
        search="scan",
    )
)
