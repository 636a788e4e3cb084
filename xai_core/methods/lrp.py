"""Layer-wise relevance propagation: the score passed back layer by layer to the pixels.

Bach et al. 2015, doi:10.1371/journal.pone.0130140; which rule in which layer after Montavon et al. 2019,
doi:10.1007/978-3-030-28954-6_10. The sum stays: biases and stabilizers get no relevance, theirs goes to the inputs that
the unit sees.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.relevance import propagate_relevance, refuse_without_rules, target_signs
from xai_core.params import Choice, Float
from xai_core.rules import Composite
from xai_core.rules.lrp_rules import AlphaBeta, Box, Epsilon, Flat, Gamma, Plus, Rule


def _make_flat_rule(low: torch.Tensor, high: torch.Tensor) -> Rule:
    return Flat((low < high).to(low.dtype))


_COMPOSITES: dict[str, Callable[[float, float], Composite]] = {
    "epsilon_plus_flat": lambda epsilon, gamma: Composite(Plus(), Epsilon(), first=_make_flat_rule, norms_pass=True),
    "epsilon_gamma_box": lambda epsilon, gamma: Composite(Gamma(gamma), Epsilon(), first=Box, norms_pass=True),
    # A norm that passes relevance unchanged would blow up the divisions of this rule.
    "epsilon": lambda epsilon, gamma: Composite(Epsilon(epsilon), Epsilon(epsilon)),
    "gamma": lambda epsilon, gamma: Composite(Gamma(gamma), Gamma(gamma), norms_pass=True),
    "alpha_beta": lambda epsilon, gamma: Composite(AlphaBeta(), AlphaBeta(), norms_pass=True),
}


def run(request: Request) -> RawMap:
    """Return the relevance of each value of the prepared picture, (C, H, W), in logits; it sums to the score."""
    composite = _COMPOSITES[request.choice("rule")](request.number("epsilon"), request.number("gamma"))
    relevance, expected_sum = propagate_relevance(
        request, composite, lambda logits: logits * target_signs(request, logits)
    )
    miss = abs(float(relevance.double().sum()) - expected_sum)
    gap = miss / abs(expected_sum) if expected_sum else float(miss > 0)
    return RawMap(relevance, {"conservation_gap": gap, "completeness_gap": gap})


METHODS.add(
    MethodSpec(
        name="lrp",
        title="Score passed back",
        technical="Layer-wise relevance propagation (LRP)",
        question=(
            "How is the score shared out over the pixels, when every layer passes its share down to the layer before?"
        ),
        sentence=(
            "{For} pixels hold a part of {score}[, {against} pixels a part against it], passed down by this "
            "rule: {rule}."
        ),
        caution=(
            "How the score is shared is a choice: another rule gives another map, and the gentle ones look alike for "
            "most classes."
        ),
        family="relevance",
        paper=(
            "Bach et al. 2015, doi:10.1371/journal.pone.0130140; Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10"
        ),
        run=run,
        cost=lambda params, side: 2,
        gradient=True,
        verdict="mixed",
        sanity=(
            "Mixed: Sixt et al. 2020, arXiv:1912.09818, found that maps by the alpha-beta and z+ rules hardly "
            "change when late layers are "
            "made random, and that the epsilon rule in the last layers makes them more faithful to the class."
        ),
        refusal=refuse_without_rules,
        params=(
            Choice(
                name="rule",
                title="Rule",
                help=(
                    "How each layer shares. The mixed ones take another rule for the first, the middle and the last "
                    "layers."
                ),
                default="epsilon_plus_flat",
                options={
                    "epsilon_plus_flat": "Mixed, smooth (EpsilonPlusFlat)",
                    "epsilon_gamma_box": "Mixed, with evidence against (EpsilonGammaBox)",
                    "epsilon": "By contribution (epsilon)",
                    "gamma": "Favouring what agrees (gamma)",
                    "alpha_beta": "For and against apart (alpha 2, beta 1)",
                },
            ),
            Float(
                name="epsilon",
                title="Damping",
                help=(
                    "For the epsilon rule: how much weak units are held back, as a part of their layer's typical value."
                ),
                default=0.1,
                low=0.0,
                high=1.0,
                advanced=True,
            ),
            Float(
                name="gamma",
                title="Favour",
                help="For the gamma rule and its mix: how much more the parts count that agree with their unit.",
                default=0.25,
                low=0.0,
                high=10.0,
                advanced=True,
            ),
        ),
    )
)
