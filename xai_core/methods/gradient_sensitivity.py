"""Sensitivity analysis: the squared gradient, whose values add up to the squared length of the gradient.

Montavon et al. 2017, arXiv:1706.07979, section 4.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.gradients import compute_gradient


def run(request: Request) -> RawMap:
    """Return the squared gradient by each value of the prepared picture, (C, H, W), never negative."""
    return RawMap(compute_gradient(request).square())


METHODS.add(
    MethodSpec(
        name="gradient_sensitivity",
        title="Sensitive pixels, squared",
        technical="Sensitivity analysis (squared gradient)",
        question="Where does the score react most strongly to small changes?",
        sentence=(
            "The more strongly {for} a pixel is, the larger its share of how {score} reacts to small changes of "
            "the picture."
        ),
        caution=(
            "It says where the score would change, not what speaks for or against the class; squaring hides all but "
            "the strongest."
        ),
        family="gradient",
        paper="Montavon et al. 2017, arXiv:1706.07979",
        verdict="passes",
        sanity=(
            "Passes: it is the square of the plain gradient, which changed with the weights (Adebayo et al. 2018, "
            "arXiv:1810.03292)."
        ),
        run=run,
        cost=lambda params, side: 2,
        unit="squared logit per unit of input",
        gradient=True,
    )
)
