"""Gradient times input: each value of the picture times the gradient of the score there.

Shrikumar et al. 2016, arXiv:1605.01713. On a network of linear layers and rectifiers without biases the values add up
to the score.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.gradients import compute_gradient
from xai_core.params import Choice


def run(request: Request) -> RawMap:
    """Return prepared picture times gradient, (C, H, W), in logits; positive is evidence for the target.

    Or the picture times the squared gradient.
    """
    gradient, x = compute_gradient(request), request.x[0]
    if request.choice("form") == "squared":
        return RawMap(x * gradient.square(), unit="squared logit per unit of input")
    return RawMap(x * gradient)


METHODS.add(
    MethodSpec(
        name="gradient_x_input",
        title="Pixel times slope",
        technical="Gradient × input",
        question="What does each pixel add, judged by the slope of the score at this picture?",
        sentence=(
            "{For} pixels push {score} up by being as they are[, {against} pixels pull it down], as far as the "
            "slope here can tell."
        ),
        variants=(
            (
                {"form": "squared"},
                (
                    "{For} pixels are those the model adds[, {against} pixels those it subtracts], weighted by the "
                    "square of the slope of {score} here."
                ),
            ),
        ),
        caution=(
            "Pixels of the middle colour that the model subtracts can never count, and edges may be the picture's "
            "alone."
        ),
        family="gradient",
        paper="Shrikumar et al. 2016, arXiv:1605.01713",
        verdict="mixed",
        sanity=(
            "Mixed: the values changed with the weights, but the shapes of the picture stayed visible, "
            "because each value is multiplied by the input (Adebayo et al. 2018, arXiv:1810.03292)."
        ),
        run=run,
        cost=lambda params, side: 2,
        gradient=True,
        params=(
            Choice(
                name="form",
                title="Slope",
                help="Squared: the slope counts by its square, so only the brightness of the pixel decides the sign.",
                default="plain",
                options={"plain": "As it is", "squared": "Squared"},
            ),
        ),
    )
)
