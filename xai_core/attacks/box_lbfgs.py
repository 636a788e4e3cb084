"""Box-constrained L-BFGS: the smallest change that makes the model say one chosen class.

Szegedy et al. 2014, arXiv:1312.6199: the loss of the wanted class plus the size of the change, weighed against each
other by halving. The margin is the loss, as in Carlini & Wagner 2017 (arXiv:1608.04644). The box is the strength in
whole levels.
"""

from __future__ import annotations

import torch
from scipy.optimize import Bounds, minimize

from xai_core.arrays import Float64
from xai_core.attacks.base.balls import LinfBall
from xai_core.attacks.base.request import AttackRequest, Best
from xai_core.attacks.base.spec import ATTACKS, AttackSpec, Outcome
from xai_core.params import Int

# Logits by which the wanted class should lead, so that rounding does not undo it.
LEAD = 1.0
# Weight of the change (mean square in levels) against a logit of margin: the first one tried.
_FIRST_WEIGHT = 1.0


def run(request: AttackRequest) -> Outcome:
    """Return the smallest change that works of all weights tried; the best margin where none does."""
    ball = LinfBall(request.center, request.epsilon)
    ends = (ball.project(torch.full_like(request.center, level)).flatten().cpu().numpy() for level in (0.0, 255.0))
    bounds = Bounds(*ends)
    best, smallest, fooled = Best(request.center), float("inf"), False
    weight, lower, upper = _FIRST_WEIGHT, 0.0, float("inf")
    levels = request.center
    for _ in range(request.integer("halvings")):
        solution = minimize(
            lambda values, weight=weight: _objective(request, values, weight),
            request.center.flatten().double().cpu().numpy(),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": request.integer("steps"), "maxfun": 2 * request.integer("steps")},
        )
        whole = ball.round(_to_levels(request, solution.x))
        margin = float(request.margins(request.ask(whole))[0])
        best.offer(whole, [margin])
        request.curve.append(best.margin)
        size = float((whole - request.center).square().mean())
        if margin > 0 and size < smallest:
            levels, smallest, fooled = whole, size, True
        # A change that works may cost more; one that does not must cost less.
        lower, upper = (weight, upper) if margin > 0 else (lower, weight)
        weight = weight * 8 if upper == float("inf") else (lower + upper) / 2 if lower else weight / 8
    return Outcome(levels if fooled else best.levels)


def _objective(request: AttackRequest, values: Float64, weight: float) -> tuple[float, Float64]:
    """Return the loss and its gradient by the levels, float64 (values,)."""
    levels = _to_levels(request, values)
    margins, gradients = request.gradients(levels)
    change = levels - request.center
    lack = max(0.0, LEAD - float(margins[0]))
    slope = -gradients[0].flatten().double() if lack else torch.zeros(change.numel(), dtype=torch.float64)
    slope = slope.cpu() + 2 * weight / change.numel() * change.flatten().double().cpu()
    return lack + weight * float(change.double().square().mean()), slope.numpy()


def _to_levels(request: AttackRequest, values: Float64) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, device=request.center.device).view(request.center.shape)


ATTACKS.add(
    AttackSpec(
        name="box_lbfgs",
        title="The smallest change for a wish",
        technical="L-BFGS",
        usual=4,
        sentence="It looks for the smallest change after which the model says the class you wish for.",
        limits="It stops after a set number of tries, so a smaller change may exist.",
        paper="Szegedy et al. 2014, arXiv:1312.6199",
        run=run,
        cost=lambda params, _side: int(params["halvings"]) * (int(params["steps"]) + 3),
        epsilon=16,
        needs_target=True,
        params=(
            Int(
                name="halvings",
                title="Weights tried",
                help="How often the size of the change is weighed anew against the wish.",
                default=5,
                low=1,
                high=12,
                advanced=True,
            ),
            Int(name="steps", title="Most steps", help="For each weight.", default=20, low=1, high=100, advanced=True),
        ),
        quick_params=lambda _side: {"halvings": 2, "steps": 4},
    )
)
