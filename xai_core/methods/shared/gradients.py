"""What the gradient methods share: the gradient of the explained number, plain or with another backward rule."""

from __future__ import annotations

import torch

from xai_core.methods.base.request import Request
from xai_core.params import Choice
from xai_core.rules import RectifierRule

CHANNELS = Choice(
    name="channels",
    title="Colours",
    help="How the numbers of red, green and blue become one a pixel.",
    default="max",
    options={"max": "The largest of them", "mean": "Their mean"},
)


def gradient(request: Request, rule: RectifierRule | None = None) -> torch.Tensor:
    """The explained number's gradient by the prepared picture, (C, H, W), with this rule for rectifiers if one is given."""
    ((_, found),) = request.evaluator.gradients(request.x, rule)
    return found[0]


def slopes(request: Request, pictures: torch.Tensor) -> torch.Tensor:
    """The explained number's gradient at each of some pictures (N, C, H, W), all held at once."""
    return torch.cat([gradients for _, gradients in request.evaluator.gradients(pictures)])


def compared(request: Request, rule: RectifierRule) -> tuple[torch.Tensor, dict[str, float]]:
    """The gradient by a rule, (C, H, W), and how far it is from the plain one: 0 is identical, 1 as far as the larger one is long."""
    plain, ruled = gradient(request), gradient(request, rule)
    longest = float(max(plain.norm(), ruled.norm()))
    difference = {"guided_difference": float((ruled - plain).norm()) / longest} if longest > 0 else {}
    return ruled, {"rectifiers": float(rule.rectifier_count)} | difference


def collapse(values: torch.Tensor, channels: str, signed: bool = False) -> torch.Tensor:
    """One number a pixel, (H, W), of values (C, H, W): the largest or the mean of sizes, or of the signed numbers themselves."""
    if channels == "mean":
        return (values if signed else values.abs()).mean(0)
    largest = values.abs().max(0)
    return values.gather(0, largest.indices[None])[0] if signed else largest.values
