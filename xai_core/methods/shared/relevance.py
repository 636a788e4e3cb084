"""What the relevance methods share: one pass down a private copy of the network, and whether the rules know every step of it."""

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

SAME_LOGITS = 1e-3
"""The rules must leave what the network says as it is, up to this."""


def _ends(classifier: Classifier, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The network's input for a black and for a white pixel, each (1, C, 1, 1)."""
    steps = classifier.preprocessing
    low, high = (steps.to_tensor(np.full((1, 1, steps.channels), value, np.float32)).to(device) for value in (0, 1))
    return low, high


def down(
    request: Request, composite: Composite, start: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[torch.Tensor, float]:
    """The picture's relevance by these rules, (C, H, W), and the sum it should have.

    `start` makes the relevance of the logits, (1, classes), from the logits themselves.
    """
    request.job.tick()
    own = request.x.detach().clone().requires_grad_(True)
    rules = Relevance(composite, own, *_ends(request.model, own.device))
    with request.evaluator.exclusive(), torch.enable_grad():
        with rules:
            logits = request.module(own)
        shared = start(logits.detach())
        (found,) = torch.autograd.grad(logits, own, shared)
    request.evaluator.count(1)
    return found[0], float(shared.double().sum())


def chosen(request: Request, logits: torch.Tensor) -> torch.Tensor:
    """1 where a logit is asked about, -1 where the other one of a pair is, 0 elsewhere, shaped like the logits."""
    with torch.enable_grad():
        free = torch.zeros_like(logits).requires_grad_(True)
        (signs,) = torch.autograd.grad(request.evaluator.select(free).sum(), free)
    return signs


@cache_per_object
def _walk(classifier: Classifier) -> tuple[frozenset[tuple[str, str]], bool]:
    """Every step on the way back from the scores, by kind and name, and whether the scores stay what they are under the rules."""
    steps = classifier.preprocessing
    pixels = np.random.default_rng(0).random((classifier.side, classifier.side, steps.channels), np.float32)
    x, module = steps.to_tensor(pixels).to(classifier.device), isolate(classifier.module)
    with out_of_place(), torch.no_grad():
        plain = module(x)
    own = x.clone().requires_grad_(True)
    rules = Relevance(Composite(Epsilon(), Epsilon(), norms_pass=True), own, *_ends(classifier, x.device))
    with SCHEDULER.slot(), torch.enable_grad(), rules:
        logits = module(own)
    if not logits.requires_grad:
        return frozenset({("unknown", "gate")}), True
    found = find_steps(logits) | {("unknown", name) for name in rules.untraceable}
    error = float((plain - logits.detach()).abs().max())
    return frozenset(found), error <= SAME_LOGITS * max(1.0, float(plain.abs().max()))


def _names(classifier: Classifier, *kinds: str) -> str:
    return ", ".join(sorted({name for kind, name in _walk(classifier)[0] if kind in kinds}))


def without_rules(classifier: Classifier) -> str | None:
    """Why relevance cannot be followed through this network; None where it can."""
    unknown = _names(classifier, "unknown")
    if unknown:
        return (
            f"{classifier.title} has steps for which no rule of relevance is known here ({unknown}): "
            "some of the score would get lost on the way. Use integrated gradients instead."
        )
    if not _walk(classifier)[1]:
        return f"{classifier.title} gives other scores when its steps are followed one by one. Use integrated gradients instead."
    return None


def without_rectifiers_only(classifier: Classifier) -> str | None:
    """Why probabilities cannot be handed down this network; None where its activations are never negative."""
    reason = without_rules(classifier)
    if reason is not None:
        return reason
    others = _names(classifier, "activation", "norm")
    if not others:
        return None
    return (
        f"{classifier.title} has activations that may be negative ({others}), "
        "and this method shares its probability among positive activations only. Use layer-wise relevance (lrp) instead."
    )
