"""Attention rollout: the class token's attention followed through all layers back to the picture.

Abnar & Zuidema 2020, arXiv:2005.00928: the heads' mean, averaged with the identity for the residual connection and
multiplied layer by layer. By default each weight counts only as far as the score of the class depends on it: heads
weighted by the positive part of gradient times attention, added to the identity, as in Chefer et al. 2021,
arXiv:2103.15679. Rollout alone is the same map for every class.

It is right only if every layer attends from every token to every token and the head reads one class token. Both are
found out by running the network.
"""

from __future__ import annotations

from math import isqrt

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.attention import AttentionRecorder
from xai_core.methods.shared.layer_grid import make_raw_map
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.object_cache import cache_per_object
from xai_core.params import Choice

# Largest difference between scores by recorded attention and the network's own, relative to their size.
MAX_LOGIT_CHANGE = 1e-3


def multiply_layers(layers: list[torch.Tensor]) -> torch.Tensor:
    """Return the share of each input token (column) in each output token (row) of all layers, (tokens, tokens)."""
    total = torch.eye(len(layers[0]), dtype=layers[0].dtype, device=layers[0].device)
    for layer in layers:
        total = layer @ total
    return total


def _average_heads(attention: torch.Tensor) -> torch.Tensor:
    """Average attention (heads, tokens, tokens) over its heads, and with the identity (Abnar & Zuidema)."""
    mean = attention.mean(0)
    return (mean + torch.eye(len(mean), dtype=mean.dtype, device=mean.device)) / 2


def _weigh_heads(attention: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Average the positive part of attention times gradient over the heads, plus the identity (Chefer et al.)."""
    relevance = (attention * gradient).clamp_min(0).mean(0)
    return relevance + torch.eye(len(relevance), dtype=relevance.dtype, device=relevance.device)


def run(request: Request) -> RawMap:
    """Return each place's share in the class token, (H, W), at least 0: relevance for the target, or attention."""
    request.job.expect(2)
    request.job.tick()
    x = request.x.detach().clone().requires_grad_(True)
    with request.evaluator.exclusive(), torch.enable_grad(), AttentionRecorder() as recorder:
        score = request.evaluator.select(request.module(x))
        gradients = torch.autograd.grad(score.sum(), recorder.weights, allow_unused=True, materialize_grads=True)
    request.evaluator.count(1)
    attentions = [weights[0].detach() for weights in recorder.weights]
    by_class = request.choice("heads") == "gradient"
    layers = [
        _weigh_heads(attention, gradient[0]) if by_class else _average_heads(attention)
        for attention, gradient in zip(attentions, gradients, strict=True)
    ]
    # The row of the class token, without its own column.
    shares = multiply_layers(layers)[0, 1:]
    side = isqrt(len(shares))
    raw = make_raw_map(request, shares.view(side, side))
    raw.details |= {"layers": float(len(layers)), "heads": float(len(attentions[0]))}
    raw.unit = "relevance" if by_class else "share of attention"
    return raw


@cache_per_object
def _find_obstacle(model: Classifier) -> str:
    """Return the reason that attention cannot be followed through this network; empty where it can."""
    module, x = isolate(model.module), model.zero_input.requires_grad_(True)
    with out_of_place(), torch.enable_grad():
        plain = module(x)
        with AttentionRecorder() as recorder:
            logits = module(x)
        if not recorder.weights and not recorder.unsupported:
            return "has no attention that could be followed"
        # Every layer has to see the same tokens.
        tokens = recorder.weights[0].shape[-1] if recorder.weights else 0
        uneven = any(weights.shape[0] != 1 or weights.shape[-1] != tokens for weights in recorder.weights)
        if recorder.unsupported or uneven:
            return (
                "looks only within small windows or at some places, so attention cannot be followed through all layers"
            )
        # One token more than a square grid of patches.
        if isqrt(tokens - 1) ** 2 != tokens - 1 or tokens < 5:
            return "has no class token in front of its patches, so there is nothing to follow attention from"
        (gradient,) = torch.autograd.grad(
            logits.square().sum(), recorder.weights[-1:], allow_unused=True, materialize_grads=True
        )
    # The scores may depend on the class token's row of the last attention only.
    if gradient[:, :, 1:].any() or not gradient.any():
        return "reads its scores from other places than one class token, so there is nothing to follow attention from"
    if float((logits - plain).detach().abs().max()) > MAX_LOGIT_CHANGE * max(float(plain.detach().abs().max()), 1.0):
        return "computes attention in a way that cannot be taken apart"
    return ""


def _refuse(model: Classifier) -> str | None:
    obstacle = _find_obstacle(model)
    return f"{model.title} {obstacle}. Use grad_cam or occlusion instead." if obstacle else None


METHODS.add(
    MethodSpec(
        name="attention_rollout",
        title="Attention trail",
        technical="Attention rollout",
        question="Where does the attention behind the answer come from?",
        sentence=(
            "{For} parts are those whose content reaches the answer when attention is followed back through all layers."
        ),
        variants=(
            (
                {"heads": "gradient"},
                (
                    "{For} parts are those whose content reaches the answer when the attention that {class} depends "
                    "on is followed back through all layers."
                ),
            ),
        ),
        caution=(
            "Attention says what is looked at, not what is made of it: parts that speak against the class can be "
            "bright too."
        ),
        family="activation",
        paper="Abnar & Zuidema 2020, arXiv:2005.00928; Chefer et al. 2021, arXiv:2103.15679",
        run=run,
        cost=lambda params, side: 2,
        unit="relevance",
        gradient=True,
        refusal=_refuse,
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
