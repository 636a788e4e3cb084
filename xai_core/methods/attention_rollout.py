"""Attention rollout: where the class token's attention ends up when it is followed through all layers back to the picture.

Abnar & Zuidema 2020, arXiv:2005.00928: the heads' mean, half of it kept for the short cut around each attention, multiplied layer by layer.
By default each weight counts only as far as the score of the class depends on it: heads weighted by the positive part of gradient times
attention, added to the short cut, as in Chefer et al. 2021, arXiv:2103.15679. Rollout alone is the same map for every class.

It is right only where every layer lets every place look at every place and the head reads one class token. Both are found out by
running the network.
"""

from __future__ import annotations

from math import isqrt

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.attention import Attentions
from xai_core.methods.shared.layer_grid import on_picture
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.object_cache import cache_per_object
from xai_core.params import Choice

SAME = 1e-3
"""Scores with attention computed in the open may differ from the network's own by this share of their size."""


def rolled(layers: list[torch.Tensor]) -> torch.Tensor:
    """How much each token (column) reached each token (row) through all layers (tokens, tokens), first layer first."""
    total = torch.eye(len(layers[0]), dtype=layers[0].dtype, device=layers[0].device)
    for layer in layers:
        total = layer @ total
    return total


def _short_cut(attention: torch.Tensor) -> torch.Tensor:
    """Abnar & Zuidema: half the signal goes through the attention, the mean of its heads (heads, tokens, tokens), half around it."""
    mean = attention.mean(0)
    return (mean + torch.eye(len(mean), dtype=mean.dtype, device=mean.device)) / 2


def _counted(attention: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Chefer et al.: what the attention adds for this score, on top of what goes around it."""
    useful = (attention * gradient).clamp_min(0).mean(0)
    return useful + torch.eye(len(useful), dtype=useful.dtype, device=useful.device)


def run(request: Request) -> RawMap:
    """How much of each place reaches the class token, (H, W), at least 0: relevance for the target, or a plain share of attention."""
    request.job.expect(2)
    request.job.tick()
    own = request.x.detach().clone().requires_grad_(True)
    with request.evaluator.exclusive(), torch.enable_grad(), Attentions() as met:
        score = request.evaluator.select(request.module(own))
        gradients = torch.autograd.grad(score.sum(), met.weights, allow_unused=True, materialize_grads=True)
    request.evaluator.count(1)
    attentions, by_class = [weights[0].detach() for weights in met.weights], request.choice("heads") == "gradient"
    pairs = zip(attentions, gradients, strict=True)
    layers = [_counted(attention, gradient[0]) if by_class else _short_cut(attention) for attention, gradient in pairs]
    reached = rolled(layers)[0, 1:]
    side = isqrt(len(reached))
    found = on_picture(request, reached.view(side, side))
    found.details |= {"layers": float(len(layers)), "heads": float(len(attentions[0]))}
    found.unit = "relevance" if by_class else "share of attention"
    return found


@cache_per_object
def _obstacle(classifier: Classifier) -> str:
    """Why attention cannot be followed through this network; empty where it can."""
    module, own = isolate(classifier.module), classifier.zero_input.requires_grad_(True)
    with out_of_place(), torch.enable_grad():
        plain = module(own)
        with Attentions() as met:
            logits = module(own)
        if not met.weights and not met.odd:
            return "has no attention that could be followed"
        tokens = met.weights[0].shape[-1] if met.weights else 0
        if met.odd or any(weights.shape[0] != 1 or weights.shape[-1] != tokens for weights in met.weights):
            return (
                "looks only within small windows or at some places, so attention cannot be followed through all layers"
            )
        if isqrt(tokens - 1) ** 2 != tokens - 1 or tokens < 5:
            return "has no class token in front of its patches, so there is nothing to follow attention from"
        (gradient,) = torch.autograd.grad(
            logits.square().sum(), met.weights[-1:], allow_unused=True, materialize_grads=True
        )
    if gradient[:, :, 1:].any() or not gradient.any():
        return "reads its scores from other places than one class token, so there is nothing to follow attention from"
    if float((logits - plain).detach().abs().max()) > SAME * max(float(plain.detach().abs().max()), 1.0):
        return "computes attention in a way that cannot be taken apart"
    return ""


def _refusal(classifier: Classifier) -> str | None:
    obstacle = _obstacle(classifier)
    return f"{classifier.title} {obstacle}. Use grad_cam or occlusion instead." if obstacle else None


METHODS.add(
    MethodSpec(
        name="attention_rollout",
        title="Attention followed",
        technical="Attention rollout",
        question="Where does the attention behind the answer come from?",
        sentence="Bright parts are those whose content reaches the answer when attention is followed back through all layers.",
        caution="Attention says what is looked at, not what is made of it: parts that speak against the class can be bright too.",
        family="activation",
        paper="Abnar & Zuidema 2020, arXiv:2005.00928; Chefer et al. 2021, arXiv:2103.15679",
        run=run,
        cost=lambda params, side: 2,
        unit="relevance",
        gradient=True,
        refusal=_refusal,
        params=(
            Choice(
                name="heads",
                title="What counts",
                help="How the layers' attention is weighed. Plain attention gives the same map for every class.",
                default="gradient",
                options={"gradient": "Attention that this class depends on", "mean": "All attention"},
            ),
        ),
    )
)
