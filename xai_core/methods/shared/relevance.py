"""Relevance propagated through a private copy of the network, and the check that there is a rule for each step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from xai_core.engine.scheduler import SCHEDULER
from xai_core.methods.base.request import Request
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.object_cache import cache_per_object
from xai_core.rules import Composite, Relevance
from xai_core.rules.lrp_rules import Epsilon
from xai_core.rules.relevance import find_steps

# Largest change of the logits under the rules, relative to their size: the rules must not alter the forward pass.
MAX_LOGIT_CHANGE = 1e-3


def _pixel_bounds(model: Classifier, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the network's input for a black and for a white pixel, each (1, C, 1, 1)."""
    steps = model.preprocessing
    low, high = (steps.to_tensor(np.full((1, 1, steps.channels), value, np.float32)).to(device) for value in (0, 1))
    return low, high


def propagate_relevance(
    request: Request, composite: Composite, initialize: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[torch.Tensor, float]:
    """Return the picture's relevance by the composite's rules, (C, H, W), and the sum it should have.

    `initialize` makes the relevance of the logits, (1, classes), from the logits themselves.
    """
    request.job.tick()
    x = request.x.detach().clone().requires_grad_(True)
    rules = Relevance(composite, x, *_pixel_bounds(request.model, x.device))
    with request.evaluator.exclusive(), torch.enable_grad():
        with rules:
            logits = request.module(x)
        output_relevance = initialize(logits.detach())
        (relevance,) = torch.autograd.grad(logits, x, output_relevance)
    request.evaluator.count(1)
    return relevance[0], float(output_relevance.double().sum())


def target_signs(request: Request, logits: torch.Tensor) -> torch.Tensor:
    """Return 1 at the target's logit, -1 at the second class of a pair and 0 elsewhere, shaped like the logits."""
    with torch.enable_grad():
        zeros = torch.zeros_like(logits).requires_grad_(True)
        (signs,) = torch.autograd.grad(request.evaluator.select(zeros).sum(), zeros)
    return signs


@cache_per_object
def _inspect_steps(model: Classifier) -> tuple[frozenset[tuple[str, str]], bool]:
    """Return the steps that lead to the scores, as (kind, name), and whether the rules leave the scores unchanged."""
    steps = model.preprocessing
    pixels = np.random.default_rng(0).random((model.side, model.side, steps.channels), np.float32)
    x, module = steps.to_tensor(pixels).to(model.device), isolate(model.module)
    with out_of_place(), torch.no_grad():
        plain = module(x)
    leaf = x.clone().requires_grad_(True)
    rules = Relevance(Composite(Epsilon(), Epsilon(), norms_pass=True), leaf, *_pixel_bounds(model, x.device))
    with SCHEDULER.slot(), torch.enable_grad(), rules:
        logits = module(leaf)
    if not logits.requires_grad:
        return frozenset({("unknown", "gate")}), True
    found_steps = find_steps(logits) | {("unknown", name) for name in rules.untraceable}
    error = float((plain - logits.detach()).abs().max())
    return frozenset(found_steps), error <= MAX_LOGIT_CHANGE * max(1.0, float(plain.abs().max()))


def _list_steps(model: Classifier, *kinds: str) -> str:
    return ", ".join(sorted({name for kind, name in _inspect_steps(model)[0] if kind in kinds}))


def refuse_without_rules(model: Classifier) -> str | None:
    """Return the reason that relevance cannot be propagated through this network; None where it can."""
    unknown = _list_steps(model, "unknown")
    if unknown:
        return (
            f"{model.title} has steps for which no rule of relevance is known here ({unknown}): "
            "some of the score would get lost on the way. Use integrated gradients instead."
        )
    if not _inspect_steps(model)[1]:
        return (
            f"{model.title} gives other scores when its steps are followed one by one. "
            "Use integrated gradients instead."
        )
    return None


def refuse_negative_activations(model: Classifier) -> str | None:
    """Return the reason that probabilities cannot be passed down this network; None if no activation is negative."""
    reason = refuse_without_rules(model)
    if reason is not None:
        return reason
    negative = _list_steps(model, "activation", "norm")
    if not negative:
        return None
    return (
        f"{model.title} has activations that may be negative ({negative}), and this method shares its probability "
        "among positive activations only. Use layer-wise relevance (lrp) instead."
    )
