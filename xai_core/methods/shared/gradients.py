"""Input gradients of the explained score, plain or by a rule for rectifiers, and their reduction over channels."""

from __future__ import annotations

import torch

from xai_core.methods.base.request import Request
from xai_core.params import Choice
from xai_core.rules import RectifierRule

CHANNELS = Choice(
    name="channels",
    title="Colours",
    help="How the numbers of red, green and blue become one number per pixel.",
    default="max",
    options={"max": "The largest of them", "mean": "Their mean"},
)


def compute_gradient(request: Request, rule: RectifierRule | None = None) -> torch.Tensor:
    """Return the score's gradient by the prepared picture, (C, H, W), with a backward rule for rectifiers if given."""
    ((_, gradients),) = request.evaluator.gradients(request.x, rule)
    return gradients[0]


def compute_gradients(request: Request, pictures: torch.Tensor) -> torch.Tensor:
    """Return the score's gradient at each of the pictures, (N, C, H, W); all are held in memory at once."""
    return torch.cat([gradients for _, gradients in request.evaluator.gradients(pictures)])


def apply_rectifier_rule(request: Request, rule: RectifierRule) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the gradient by a backward rule, (C, H, W), and its distance from the plain one relative to the longer.

    A distance of 0 means that the rule changed nothing.
    """
    plain, ruled = compute_gradient(request), compute_gradient(request, rule)
    longest = float(max(plain.norm(), ruled.norm()))
    difference = {"guided_difference": float((ruled - plain).norm()) / longest} if longest > 0 else {}
    return ruled, {"rectifiers": float(rule.rectifier_count)} | difference


def reduce_channels(values: torch.Tensor, channels: str, signed: bool = False) -> torch.Tensor:
    """Return one number per pixel, (H, W), of values (C, H, W): the largest or the mean of sizes or of signed values.

    The largest signed value is the one of the largest size, with its sign.
    """
    if channels == "mean":
        return (values if signed else values.abs()).mean(0)
    largest = values.abs().max(0)
    return values.gather(0, largest.indices[None])[0] if signed else largest.values
